package netinfo

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// insideAboutHealth asks what the health room asks, in the network of buildNetwork.
func insideAboutHealth(t *testing.T, link string) {
	t.Run("assigned", func(t *testing.T) { aboutAssigned(t, link) })
	t.Run("neighbour table", func(t *testing.T) { aboutNeighbours(t, link) })
	t.Run("default routes", func(t *testing.T) { aboutDefaultRoutes(t, link) })
	t.Run("watch", func(t *testing.T) { aboutWatching(t, link) })
	t.Run("overflow", func(t *testing.T) { aboutTooMuch(t, link) })
	t.Run("hears routers", func(t *testing.T) { aboutRouters(t, link) })
	t.Run("listeners", aboutListeners)
}

func changeNetwork(t *testing.T) *rtnetlink.Conn {
	t.Helper()
	c, err := rtnetlink.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func address6(t *testing.T, link, addr string, flags uint32) *rtnetlink.AddressMessage {
	t.Helper()
	index, ok := linkIndex(link)
	if !ok {
		t.Fatalf("no link %s", link)
	}
	ip := net.IP(netip.MustParseAddr(addr).AsSlice())
	return &rtnetlink.AddressMessage{
		Family: unix.AF_INET6, PrefixLength: 64, Index: index, Flags: uint8(flags),
		Attributes: &rtnetlink.AddressAttributes{
			Address: ip, Local: ip, Flags: flags,
		},
	}
}

func aboutAssigned(t *testing.T, link string) {
	all, err := AssignedAddresses()
	for _, want := range []Assigned{
		{Link: "lo", Prefix: netip.MustParsePrefix("127.0.0.1/8")},
		{Link: link, Prefix: netip.MustParsePrefix("192.168.77.2/24")},
		{Link: link, Prefix: netip.MustParsePrefix("fd77::2/64")},
	} {
		if err != nil || !slices.Contains(all, want) {
			t.Errorf("AssignedAddresses() = %+v, %v, want %+v among them", all, err, want)
		}
	}
}

func TestHowAnAddressStands(t *testing.T) {
	t.Parallel()
	ip := func(s string) net.IP { return netip.MustParseAddr(s).AsSlice() }
	for _, c := range []struct {
		address, local string
		bits           uint8
		flags          uint32
		want           Assigned
	}{
		{"2a77::5", "", 64, 0, Assigned{Prefix: netip.MustParsePrefix("2a77::5/64")}},
		{"2a77::5", "", 64, unix.IFA_F_TEMPORARY, Assigned{Prefix: netip.MustParsePrefix("2a77::5/64"), Temporary: true}},
		{"2a77::5", "", 64, unix.IFA_F_DEPRECATED, Assigned{Prefix: netip.MustParsePrefix("2a77::5/64"), Deprecated: true}},
		{"2a77::5", "", 64, unix.IFA_F_TENTATIVE, Assigned{Prefix: netip.MustParsePrefix("2a77::5/64"), Tentative: true}},
		{"2a77::5", "", 64, unix.IFA_F_TENTATIVE | unix.IFA_F_OPTIMISTIC, Assigned{Prefix: netip.MustParsePrefix("2a77::5/64")}},
		{"2a77::5", "", 64, unix.IFA_F_DADFAILED, Assigned{Prefix: netip.MustParsePrefix("2a77::5/64"), Tentative: true}},
		{"192.168.7.5", "192.168.7.5", 24, unix.IFA_F_SECONDARY, Assigned{Prefix: netip.MustParsePrefix("192.168.7.5/24")}},
		{"203.0.113.1", "203.0.113.9", 30, 0, Assigned{Prefix: netip.MustParsePrefix("203.0.113.9/32")}}, // PPP: the other end's first
	} {
		m := rtnetlink.AddressMessage{
			Index: 7, PrefixLength: c.bits, Flags: uint8(c.flags), Attributes: &rtnetlink.AddressAttributes{Address: ip(c.address), Flags: c.flags},
		}
		if c.local != "" {
			m.Attributes.Local = ip(c.local)
		}
		c.want.Link = "home"
		if got, ok := assigned(m, linkNames{7: "home"}); !ok || got != c.want {
			t.Errorf("%s, flags %#x: %+v, %v, want %+v", c.address, c.flags, got, ok, c.want)
		}
	}
	for what, m := range map[string]rtnetlink.AddressMessage{
		"no attributes":    {Index: 7},
		"no address":       {Index: 7, Attributes: &rtnetlink.AddressAttributes{}},
		"a link that went": {Index: 8, Attributes: &rtnetlink.AddressAttributes{Address: ip("2a77::5")}},
		"too many bits":    {Index: 7, PrefixLength: 200, Attributes: &rtnetlink.AddressAttributes{Address: ip("2a77::5")}},
	} {
		if got, ok := assigned(m, linkNames{7: "home", 8: ""}); ok {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

func aboutNeighbours(t *testing.T, link string) {
	all, err := Neighbours()
	for _, want := range []NeighbourEntry{
		{link, netip.MustParseAddr("192.168.77.20"), "02:00:00:00:00:20", NeighbourKnown},
		{link, netip.MustParseAddr("192.168.77.21"), "", NeighbourFailed},
	} {
		if err != nil || !slices.Contains(all, want) {
			t.Errorf("Neighbours() = %+v, %v, want %+v among them", all, err, want)
		}
	}
}

func aboutDefaultRoutes(t *testing.T, link string) {
	four, six, err := DefaultRoutes()
	want := Route{link, netip.MustParseAddr("192.168.77.9"), netip.MustParseAddr("192.168.77.2")}
	if err != nil || four != want || six != (Route{}) {
		t.Errorf("DefaultRoutes() = %v, %v, %v, want %v and none", four, six, err, want)
	}
}

// watching collects what Watch tells.
func watching(t *testing.T, tell func(Change)) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Watch(ctx, tell) }()
	time.Sleep(100 * time.Millisecond) // until it listens: nothing shows that from outside
	return func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Watch: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("Watch does not end with its context")
		}
	}
}

func aboutWatching(t *testing.T, link string) {
	told := make(chan Change, 100)
	end := watching(t, func(c Change) { told <- c })
	c := changeNetwork(t)
	expect := func(what string, want Change) {
		t.Helper()
		select {
		case got := <-told:
			if got&want != want {
				t.Errorf("after %s: told %b, want %b in it", what, got, want)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("after %s: nothing was told", what)
		}
	}
	a := address6(t, link, "2a77:2::5", unix.IFA_F_NODAD)
	if err := c.Address.New(a); err != nil {
		t.Fatal(err)
	}
	expect("a new address", AddressChange|RouteChange) // its network's route comes along, and is told with it
	if err := c.Address.Delete(a); err != nil {
		t.Fatal(err)
	}
	expect("an address that went", AddressChange)
	if err := c.Neigh.New(&rtnetlink.NeighMessage{
		Family: unix.AF_INET, Index: a.Index, State: unix.NUD_PERMANENT, Type: unix.RTN_UNICAST,
		Attributes: &rtnetlink.NeighAttributes{Address: net.IPv4(192, 168, 77, 44).To4(), LLAddress: net.HardwareAddr{2, 0, 0, 0, 0, 0x44}, IfIndex: a.Index},
	}); err != nil {
		t.Fatal(err)
	}
	expect("a neighbour", NeighbourChange)
	if err := c.Link.Set(&rtnetlink.LinkMessage{Index: 1, Flags: 0, Change: unix.IFF_UP}); err != nil {
		t.Fatal(err)
	}
	expect("a link that went down", LinkChange)
	if err := c.Link.Set(&rtnetlink.LinkMessage{Index: 1, Flags: unix.IFF_UP, Change: unix.IFF_UP}); err != nil {
		t.Fatal(err)
	}
	expect("a link that came up", LinkChange)
	end()
}

// More happens than the kernel keeps for somebody who is slow.
func aboutTooMuch(t *testing.T, link string) {
	told, first, all := make(chan Change, 100), make(chan struct{}), make(chan struct{})
	seen := false
	end := watching(t, func(c Change) {
		if !seen {
			seen = true
			close(first)
			<-all // slow
			return
		}
		told <- c
	})
	c := changeNetwork(t)
	index, _ := linkIndex(link)
	neighbour := func(i uint16) *rtnetlink.NeighMessage {
		return &rtnetlink.NeighMessage{
			Family: unix.AF_INET, Index: index, State: unix.NUD_PERMANENT, Type: unix.RTN_UNICAST,
			Attributes: &rtnetlink.NeighAttributes{
				Address: net.IPv4(192, 168, 77, 66).To4(), LLAddress: net.HardwareAddr{2, 0, 0, 0, byte(i >> 8), byte(i)}, IfIndex: index,
			},
		}
	}
	if err := c.Neigh.New(neighbour(0)); err != nil {
		t.Fatal(err)
	}
	<-first
	for i := range uint16(3000) {
		m := neighbour(i + 1)
		// The same one with another MAC each time: New would refuse it as there already.
		if _, err := c.Execute(m, unix.RTM_NEWNEIGH, 0x1|0x4|0x100); err != nil { // request, acknowledge, replace (netlink(7))
			t.Fatal(err)
		}
	}
	close(all)
	select {
	case got := <-told:
		if got != AnyChange {
			t.Errorf("told %b, want that anything may have changed", got)
		}
	case <-time.After(5 * time.Second):
		t.Error("nothing was told")
	}
	if err := c.Neigh.New(&rtnetlink.NeighMessage{
		Family: unix.AF_INET, Index: index, State: unix.NUD_PERMANENT, Type: unix.RTN_UNICAST,
		Attributes: &rtnetlink.NeighAttributes{Address: net.IPv4(192, 168, 77, 67).To4(), LLAddress: net.HardwareAddr{2, 0, 0, 0, 0, 1}, IfIndex: index},
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-told:
	case <-time.After(5 * time.Second):
		t.Error("afterwards nothing is told any more")
	}
	end()
}

func aboutRouters(t *testing.T, link string) {
	set := func(key, value string) {
		t.Helper()
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+link+"/"+key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		accept, forwarding string
		want               bool
	}{{"1", "0", true}, {"1", "1", false}, {"2", "1", true}, {"0", "0", true}} {
		set("forwarding", c.forwarding)
		set("accept_ra", c.accept)
		if got := HearsRouters(link); got != c.want {
			t.Errorf("HearsRouters with accept_ra %s and forwarding %s = %v, want %v", c.accept, c.forwarding, got, c.want)
		}
	}
	set("forwarding", "0")
	for _, name := range []string{"nosuchlink", "", "../all", "."} {
		if HearsRouters(name) {
			t.Errorf("HearsRouters(%q) = true", name)
		}
	}
}

func aboutListeners(t *testing.T) {
	open := func(network, address string) uint16 {
		t.Helper()
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return uint16(l.Addr().(*net.TCPAddr).Port)
	}
	want := []Listener{
		{Addr: netip.MustParseAddr("127.0.0.1"), Port: open("tcp4", "127.0.0.1:0")},
		{Addr: netip.IPv4Unspecified(), Port: open("tcp4", "0.0.0.0:0")},
		{Addr: netip.IPv6Unspecified(), Port: open("tcp", ":0")},
		{Addr: netip.IPv6Unspecified(), Port: open("tcp6", "[::]:0"), Only6: true},
		{Addr: netip.IPv6Loopback(), Port: open("tcp6", "[::1]:0")},
	}
	all, err := Listeners()
	if errors.Is(err, ErrUnsupported) {
		t.Logf("this kernel cannot be asked who listens: %v", err)
		return
	}
	for _, w := range want {
		if err != nil || !slices.Contains(all, w) {
			t.Errorf("Listeners() = %v, %v, want %v among them", all, err, w)
		}
	}
}

func TestListenersWithoutPrivileges(t *testing.T) { aboutListeners(t) }

func FuzzParseListener(f *testing.F) {
	whole := make([]byte, diagMessageSize, 80)
	whole[0], whole[1] = unix.AF_INET6, tcpListen
	binary.BigEndian.PutUint16(whole[4:], 8123)
	f.Add(whole)
	f.Add(append(whole, 5, 0, diagOnly6, 0, 1, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, ok := parseListener(b); ok && !l.Addr.IsValid() {
			t.Errorf("%x is a listener without an address", b)
		}
	})
}
