package netinfo

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// insideNamespace tells the test binary that it was started again by TestInANetworkOfItsOwn.
const insideNamespace = "HEARTHGATE_NETINFO_NAMESPACE"

// TestInANetworkOfItsOwn asks the real kernel about a network that the test made: the binary starts itself again in
// its own user and network namespaces, which needs no root where the machine lets users have namespaces.
func TestInANetworkOfItsOwn(t *testing.T) {
	if os.Getenv(insideNamespace) != "" {
		insideTheNamespace(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v") //nolint:gosec // ourselves
	cmd.Env = append(os.Environ(), insideNamespace+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC) {
		lab.LeaveOut(t, "this machine gives its users no namespaces: "+err.Error())
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in the namespace: %v\n%s", err, out)
	}
}

func insideTheNamespace(t *testing.T) {
	if _, err := DefaultRoute(); !errors.Is(err, ErrNoDefaultRoute) {
		t.Errorf("DefaultRoute() in an empty network: %v, want %v", err, ErrNoDefaultRoute)
	}
	if ps, err := Networks(); err != nil || len(ps) != 0 {
		t.Errorf("Networks() in an empty network = %v, %v, want none", ps, err)
	}

	link := buildNetwork(t)

	t.Run("networks", func(t *testing.T) {
		want := []netip.Prefix{
			netip.MustParsePrefix("10.20.0.0/16"),
			netip.MustParsePrefix("10.30.0.0/16"),
			netip.MustParsePrefix("192.168.77.0/24"),
			netip.MustParsePrefix("fd77::/64"),
		}
		if got, err := Networks(); err != nil || !slices.Equal(got, want) {
			t.Errorf("Networks() = %v, %v, want %v", got, err, want)
		}
	})

	t.Run("default route", func(t *testing.T) {
		want := Route{link, netip.MustParseAddr("192.168.77.9"), netip.MustParseAddr("192.168.77.2")}
		if got, err := DefaultRoute(); err != nil || got != want {
			t.Errorf("DefaultRoute() = %v, %v, want %v: the one with the lower metric", got, err, want)
		}
	})

	t.Run("own", func(t *testing.T) {
		for s, want := range map[string]bool{
			"192.168.77.2":        true,
			"::ffff:192.168.77.2": true,
			"192.168.77.255":      true, // a broadcast reaches us too
			"198.51.100.9":        true, // only by a route in the local table, in no list of addresses
			"fd77::2":             true,
			"192.168.77.1":        false,
			"10.20.0.1":           false,
			"10.99.0.1":           false, // unreachable
			"8.8.8.8":             false,
		} {
			got, err := IsOwn(netip.MustParseAddr(s))
			for range 100 { // the kernel makes an IPv6 address its own in the background, even without asking whether it is taken
				if err != nil || got == want {
					break
				}
				time.Sleep(20 * time.Millisecond)
				got, err = IsOwn(netip.MustParseAddr(s))
			}
			if err != nil || got != want {
				t.Errorf("IsOwn(%s) = %v, %v, want %v", s, got, err, want)
			}
		}
	})

	t.Run("on-link", func(t *testing.T) {
		for s, want := range map[string]bool{
			"192.168.77.50":   true,
			"192.168.77.2":    true,
			"fd77::50":        true,
			"fe80::5%" + link: true,
			"fe80::5":         false, // on which link?
			"10.20.0.1":       false, // behind a gateway
			"10.99.0.1":       false, // unreachable
			"8.8.8.8":         false, // by the default route
		} {
			got, ok, err := OnLink(netip.MustParseAddr(s))
			if err != nil || ok != want {
				t.Errorf("OnLink(%s) = %q, %v, %v, want %v", s, got, ok, err, want)
			}
		}
	})

	t.Run("links", func(t *testing.T) { insideAboutLinks(t, link) })

	t.Run("neighbours", func(t *testing.T) {
		mac, ok, err := Neighbour(netip.MustParseAddr("192.168.77.20"))
		if err != nil || !ok || mac.String() != "02:00:00:00:00:20" {
			t.Errorf("Neighbour(192.168.77.20) = %v, %v, %v, want 02:00:00:00:00:20", mac, ok, err)
		}
		for _, s := range []string{"192.168.77.21", "192.168.77.2", "192.168.77.99"} {
			if mac, ok, err := Neighbour(netip.MustParseAddr(s)); err != nil || ok {
				t.Errorf("Neighbour(%s) = %v, %v, %v, want none", s, mac, ok, err)
			}
		}
	})

	insideAboutHealth(t, link)

	t.Run("nothing needs a capability", func(t *testing.T) {
		// The calls above ran as this namespace's root. Without any capability the answers must stay.
		if err := dropCapabilities(); err != nil {
			t.Fatal(err)
		}
		if route, err := DefaultRoute(); err != nil || route.Link != link {
			t.Errorf("DefaultRoute() without capabilities = %v, %v", route, err)
		}
		if _, ok, err := Neighbour(netip.MustParseAddr("192.168.77.20")); err != nil || !ok {
			t.Errorf("Neighbour(192.168.77.20) without capabilities = %v, %v", ok, err)
		}
		if all, err := Neighbours(); err != nil || len(all) == 0 {
			t.Errorf("Neighbours() without capabilities = %v, %v", all, err)
		}
		if _, err := Listeners(); err != nil && !errors.Is(err, ErrUnsupported) {
			t.Errorf("Listeners() without capabilities: %v", err)
		}
		watching(t, func(Change) {})()
		if _, ok, err := OnLink(netip.MustParseAddr("192.168.77.50")); err != nil || !ok {
			t.Errorf("OnLink(192.168.77.50) without capabilities = %v, %v", ok, err)
		}
	})
}

// buildNetwork makes a home: one link with an address in each family, two default routes, a network behind a router, a
// VPN's half of everything, a network in another table, an unreachable one, a local route, and two neighbours of which
// one did not answer.
func buildNetwork(t *testing.T) (link string) {
	c, err := rtnetlink.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	must := func(what string, err error) {
		if err != nil {
			t.Fatalf("making %s: %v", what, err)
		}
	}

	link = "home"
	must("a link", c.Link.New(&rtnetlink.LinkMessage{
		Attributes: &rtnetlink.LinkAttributes{Name: link, Info: &rtnetlink.LinkInfo{Kind: "veth"}},
	}))
	all, err := net.Interfaces()
	must("a list of links", err)
	for _, ifi := range all {
		must(ifi.Name+" up", c.Link.Set(&rtnetlink.LinkMessage{Index: uint32(ifi.Index), Flags: unix.IFF_UP, Change: unix.IFF_UP}))
	}
	home, err := net.InterfaceByName(link)
	must("the link", err)
	lo, err := net.InterfaceByName("lo")
	must("loopback", err)
	index := uint32(home.Index)

	ip := func(s string) net.IP { return netip.MustParseAddr(s).AsSlice() }
	must("an IPv4 address", c.Address.New(&rtnetlink.AddressMessage{
		Family: unix.AF_INET, PrefixLength: 24, Index: index,
		Attributes: &rtnetlink.AddressAttributes{Address: ip("192.168.77.2"), Local: ip("192.168.77.2"), Broadcast: ip("192.168.77.255")},
	}))
	must("an IPv6 address", c.Address.New(&rtnetlink.AddressMessage{
		Family: unix.AF_INET6, PrefixLength: 64, Index: index, Flags: unix.IFA_F_NODAD,
		Attributes: &rtnetlink.AddressAttributes{Address: ip("fd77::2"), Local: ip("fd77::2"), Flags: unix.IFA_F_NODAD},
	}))

	route := func(kind uint8, table uint32, prefix, gateway string, out, metric uint32) {
		m := rtnetlink.RouteMessage{
			Family: unix.AF_INET, Table: uint8(table), Type: kind, Protocol: unix.RTPROT_STATIC,
			Attributes: rtnetlink.RouteAttributes{OutIface: out, Priority: metric, Table: table},
		}
		if p := netip.MustParsePrefix(prefix); p.Bits() > 0 {
			m.DstLength, m.Attributes.Dst = uint8(p.Bits()), p.Addr().AsSlice()
		}
		if gateway != "" {
			m.Attributes.Gateway = ip(gateway)
		}
		if kind == unix.RTN_LOCAL {
			m.Scope = unix.RT_SCOPE_HOST
		}
		must("a route to "+prefix, c.Route.Add(&m))
	}
	route(unix.RTN_UNICAST, unix.RT_TABLE_MAIN, "0.0.0.0/0", "192.168.77.1", index, 100)
	route(unix.RTN_UNICAST, unix.RT_TABLE_MAIN, "0.0.0.0/0", "192.168.77.9", index, 50)
	route(unix.RTN_UNICAST, unix.RT_TABLE_MAIN, "0.0.0.0/1", "192.168.77.1", index, 0)
	route(unix.RTN_UNICAST, unix.RT_TABLE_MAIN, "10.20.0.0/16", "192.168.77.1", index, 0)
	route(unix.RTN_UNICAST, 100, "10.30.0.0/16", "192.168.77.1", index, 0)
	route(unix.RTN_UNREACHABLE, unix.RT_TABLE_MAIN, "10.99.0.0/16", "", 0, 0)
	route(unix.RTN_LOCAL, unix.RT_TABLE_LOCAL, "198.51.100.0/24", "", uint32(lo.Index), 0)

	for addr, state := range map[string]uint16{"192.168.77.20": unix.NUD_PERMANENT, "192.168.77.21": unix.NUD_FAILED} {
		must("a neighbour", c.Neigh.New(&rtnetlink.NeighMessage{
			Family: unix.AF_INET, Index: index, State: state, Type: unix.RTN_UNICAST,
			Attributes: &rtnetlink.NeighAttributes{
				Address: ip(addr), LLAddress: net.HardwareAddr{2, 0, 0, 0, 0, 0x20}, IfIndex: index,
			},
		}))
	}
	return link
}

// dropCapabilities leaves the calling goroutine, and the thread that it keeps from then on, without any: capabilities
// belong to threads (capabilities(7)).
func dropCapabilities() error {
	runtime.LockOSThread() // never unlocked, so that the thread ends with its goroutine
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}
