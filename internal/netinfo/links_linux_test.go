package netinfo

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// insideAboutLinks asks what the page's door asks, in the network of buildNetwork.
func insideAboutLinks(t *testing.T, link string) {
	all, err := Addresses()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Address{
		{"lo", netip.MustParseAddr("127.0.0.1")},
		{link, netip.MustParseAddr("192.168.77.2")},
		{link, netip.MustParseAddr("fd77::2")},
	} {
		if !slices.Contains(all, want) {
			t.Errorf("Addresses() = %v, want %v among them", all, want)
		}
	}

	links, err := Links()
	if err != nil || !slices.Contains(links, Link{Name: "lo", Loopback: true}) || !slices.Contains(links, Link{Name: link}) {
		t.Errorf("Links() = %v, %v, want lo and %s among them", links, err, link)
	}

	for _, c := range []struct {
		addr, link string
		want       bool
	}{
		{"192.168.77.50", link, true},
		{"::ffff:192.168.77.50", link, true},
		{"fd77::50", link, true},
		{"fe80::5", link, true},
		{"fe80::5%" + link, link, true},
		{"fe80::5%lo", link, false},
		{"192.168.77.50", "lo", false},
		{"192.168.77.50", "nosuchlink", false},
		{"fd77::50", "lo", false},
		{"10.20.0.1", link, false},
		{"8.8.8.8", link, false},
		{"10.99.0.1", link, false},
		{"ff02::1", link, false},
		{"0.0.0.0", link, false},
	} {
		if got, err := OnLinkThrough(netip.MustParseAddr(c.addr), c.link); err != nil || got != c.want {
			t.Errorf("OnLinkThrough(%s, %s) = %v, %v, want %v", c.addr, c.link, got, err, c.want)
		}
	}

	aboutWaysOut(t, link)
	aboutForwarding(t)
	aboutArrival(t)
}

func aboutWaysOut(t *testing.T, link string) {
	if ipv4, ipv6, err := DefaultLinks(); err != nil || !slices.Equal(ipv4, []string{link}) || len(ipv6) != 0 {
		t.Errorf("DefaultLinks() = %v, %v, %v, want %s for IPv4", ipv4, ipv6, err, link)
	}
	c, err := rtnetlink.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	index, _ := linkIndex(link)
	// In another table, and as one of several ways, as a router with two providers has it.
	several := rtnetlink.RouteMessage{
		Family: unix.AF_INET6, Type: unix.RTN_UNICAST, Protocol: unix.RTPROT_STATIC, Table: 7,
		Attributes: rtnetlink.RouteAttributes{Table: 7, Multipath: []rtnetlink.NextHop{
			{Hop: rtnetlink.RTNextHop{IfIndex: index}, Gateway: net.ParseIP("fd77::1")},
			{Hop: rtnetlink.RTNextHop{IfIndex: index}, Gateway: net.ParseIP("fd77::9")},
		}},
	}
	if err := c.Route.Add(&several); err != nil {
		t.Fatalf("making a route with two ways: %v", err)
	}
	if ipv4, ipv6, err := DefaultLinks(); err != nil || !slices.Equal(ipv4, []string{link}) || !slices.Equal(ipv6, []string{link}) {
		t.Errorf("DefaultLinks() = %v, %v, %v, want %s for both families", ipv4, ipv6, err, link)
	}
	if err := c.Route.Delete(&several); err != nil {
		t.Error(err)
	}
}

func aboutForwarding(t *testing.T) {
	want := func(want4, want6 bool) {
		t.Helper()
		if ipv4, ipv6, err := Forwards(); err != nil || ipv4 != want4 || ipv6 != want6 {
			t.Errorf("Forwards() = %v, %v, %v, want %v, %v", ipv4, ipv6, err, want4, want6)
		}
	}
	set := func(key, value string) {
		t.Helper()
		if err := os.WriteFile("/proc/sys/net/"+key, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	set("ipv4/ip_forward", "0") // a new network may take over the machine's own settings
	set("ipv6/conf/all/forwarding", "0")
	want(false, false)
	set("ipv4/conf/lo/forwarding", "1")
	want(false, false)
	set("ipv4/conf/home/forwarding", "1")
	want(true, false)
	set("ipv4/conf/home/forwarding", "0")
	set("ipv6/conf/all/forwarding", "1")
	want(false, true)
	set("ipv6/conf/home/forwarding", "0") // as for a link that takes its address from a router: it forwards all the same
	set("ipv6/conf/veth0/forwarding", "0")
	want(false, true)
	set("ipv6/conf/all/forwarding", "0")
	want(false, false)
}

// Another link cannot talk to us without a second host, so that is for the page's own tests (webui/access); here every
// connection is with ourselves, and it came over loopback or, as the kernel puts it, over the link of our address.
func aboutArrival(t *testing.T) {
	for _, c := range []struct {
		network, listen, dial string
		want                  []string
	}{
		{"tcp4", "127.0.0.1:0", "127.0.0.1", []string{"lo"}},
		{"tcp4", "0.0.0.0:0", "192.168.77.2", []string{"lo", "home"}},
		{"tcp", ":0", "127.0.0.1", []string{"lo"}},
		{"tcp", ":0", "192.168.77.2", []string{"lo", "home"}},
		{"tcp", ":0", "::1", []string{"lo"}},
		{"tcp6", "[fd77::2]:0", "fd77::2", []string{"lo", "home"}},
	} {
		link, known, err := arrivalOf(t, c.network, c.listen, c.dial)
		if err != nil || !known || !slices.Contains(c.want, link) {
			t.Errorf("ArrivedOn, from %s to %s: %q, %v, %v, want one of %v", c.dial, c.listen, link, known, err, c.want)
		}
	}
}

func arrivalOf(t *testing.T, network, listen, dial string) (string, bool, error) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), network, listen)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	caller, err := new(net.Dialer).DialContext(t.Context(), "tcp", net.JoinHostPort(dial, port))
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return ArrivedOn(conn.(*net.TCPConn))
}

func TestArrivalOfWhatIsClosed(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if link, known, err := ArrivedOn(conn.(*net.TCPConn)); err == nil || known {
		t.Errorf("ArrivedOn = %q, %v, %v, want an error", link, known, err)
	}
}
