package access

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
)

// packet is the IP header of a packet from an address.
func packet(from netip.Addr) []byte {
	out := make([]byte, 60)
	if from.Is4() {
		out[0] = 0x45
		copy(out[source4:], from.AsSlice())
	} else {
		out[0] = 0x60
		copy(out[source6:], from.AsSlice())
	}
	return out
}

func passes(t *testing.T, networks []netip.Prefix, from netip.Addr) bool {
	t.Helper()
	vm, err := bpf.NewVM(silence(networks, 0))
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(packet(from))
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// TestSilenceIsAboutTheSource compares the filter with netip, for random networks and for addresses on their edges.
func TestSilenceIsAboutTheSource(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	address := func(six bool) netip.Addr {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], random.Uint64())
		binary.BigEndian.PutUint64(b[8:], random.Uint64())
		if six {
			return netip.AddrFrom16(b)
		}
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	for range 200 {
		var networks []netip.Prefix
		for range random.IntN(120) {
			a := address(random.IntN(2) == 0)
			networks = append(networks, netip.PrefixFrom(a, 1+random.IntN(a.BitLen())).Masked())
		}
		var tries []netip.Addr
		for _, n := range networks {
			tries = append(tries, n.Addr(), n.Addr().Prev(), last(n), last(n).Next())
		}
		for range 20 {
			tries = append(tries, address(false), address(true))
		}
		for _, a := range tries {
			if !a.IsValid() {
				continue
			}
			want := slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a) })
			if got := passes(t, networks, a); got != want {
				t.Fatalf("%v of %v: passed %v", a, networks, got)
			}
		}
	}
}

func last(n netip.Prefix) netip.Addr {
	b := n.Addr().AsSlice()
	for i := n.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// TestTheInternetIsNotHeard asks a home like most.
func TestTheInternetIsNotHeard(t *testing.T) {
	n := appliance()
	d := New(Config{Kernel: n.kernel()})
	for text, want := range map[string]bool{
		"192.168.1.20": true, "192.168.1.5": true, "127.0.0.1": true, "10.9.8.7": true, "172.31.0.1": true,
		"2001:db8:1::77": true, "fe80::1": true, "fd12::1": true, "::1": true,
		"203.0.113.9": false, "8.8.8.8": false, "100.64.0.1": false, "172.32.0.1": false, "2001:db8:2::77": false, "2a00::1": false,
	} {
		if got := passes(t, d.heard(), netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is heard: %v", text, got)
		}
	}
	n.broken = errBroken
	if d := New(Config{Kernel: n.kernel()}); d.heard() != nil {
		t.Error("a kernel that does not answer shuts somebody out")
	}
}
