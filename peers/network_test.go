package peers

import (
	"net/netip"
	"strings"
	"testing"
)

func TestChosenNetworks(t *testing.T) {
	taken := prefixes("192.168.1.0/24", "172.30.32.0/23", "10.70.0.0/16", "10.112.0.0/12", "0.0.0.0/0", "::/0", "fd00::/9", "10.0.0.0/8")
	four, six := map[netip.Prefix]bool{}, map[netip.Prefix]bool{}
	for range 500 {
		v4, v6, err := chooseNetworks(taken)
		if err != nil {
			t.Fatal(err)
		}
		if v4.Bits() != 20 || v4.Masked() != v4 || !netip.MustParsePrefix("10.0.0.0/8").Contains(v4.Addr()) {
			t.Fatalf("%v is not a /20 of 10.0.0.0/8", v4)
		}
		if v6.Bits() != 64 || v6.Masked() != v6 || !netip.MustParsePrefix("fd00::/8").Contains(v6.Addr()) {
			t.Fatalf("%v is not a /64 of fd00::/8", v6)
		}
		for _, p := range taken {
			if p.Bits() > 8 && (v4.Overlaps(p) || v6.Overlaps(p)) {
				t.Fatalf("%v or %v meets the host's %v", v4, v6, p)
			}
		}
		if second := v4.Addr().As4()[1]; second < 64 || second == 88 || second == 244 {
			t.Fatalf("%v is where other people's networks are", v4)
		}
		four[v4], six[v6] = true, true
	}
	if len(four) < 300 || len(six) < 500 {
		t.Errorf("500 homes share %d IPv4 and %d IPv6 networks", len(four), len(six))
	}
}

// TestChosenNetworkIsTheOnlyFreeOne leaves one /20 to find, among the common ones.
func TestChosenNetworkIsTheOnlyFreeOne(t *testing.T) {
	var taken []netip.Prefix
	free := netip.MustParsePrefix("10.1.32.0/20")
	for second := range 256 {
		for third := 0; third < 256; third += 16 {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(second), byte(third), 0}), 20)
			if p != free {
				taken = append(taken, netip.PrefixFrom(p.Addr().Next(), 32)) // one address is enough
			}
		}
	}
	if v4, _, err := chooseNetworks(taken); err != nil || v4 != free {
		t.Errorf("chose %v, %v; want %v", v4, err, free)
	}
	if v4, _, err := chooseNetworks(append(taken, prefixes("10.0.0.0/8", "fc00::/7")...)); err != nil || v4 != free {
		t.Errorf("with a route to all of 10.0.0.0/8: chose %v, %v; want %v", v4, err, free)
	}
	_, _, err := chooseNetworks(append(taken, free))
	if err == nil || !strings.Contains(err.Error(), "no free /20") {
		t.Errorf("with nothing free: %v", err)
	}
}

func prefixes(texts ...string) []netip.Prefix {
	var list []netip.Prefix
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}
