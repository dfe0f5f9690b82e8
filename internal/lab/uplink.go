package lab

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
)

// ChangeWAN4 gives the router another IPv4 address on the internet, as providers do overnight: the last byte of 11.0.0.x.
// Connections through the old one end.
func (l *Lab) ChangeWAN4(t testing.TB, last byte) {
	t.Helper()
	if l.shared {
		t.Fatal("changing the WAN address: behind a carrier's NAT it is not the home's")
	}
	before := l.WAN4
	l.WAN4 = numbered(before, int(last))
	l.Public4 = l.WAN4
	err := l.Router.ip(`
		addr del %[1]s/24 dev wan
		addr add %[2]s/24 brd + dev wan
		route replace default via %[3]s`, before, l.WAN4, numbered(before, 1))
	if err == nil {
		err = l.introduce()
	}
	if err != nil {
		t.Fatalf("changing the WAN address: %v", err)
	}
}

// SecondPath gives a host at home a way to the internet of its own beside the router's, as with a phone plugged in for
// its mobile network: the link "mobile" with a public address of each family, which nothing protects. Default routes stay
// as they are until Prefer says otherwise.
func (l *Lab) SecondPath(t testing.TB, h *Host) *Path {
	t.Helper()
	l.uplinks++
	p := &Path{host: h, Addr4: numbered(l.carrier.gateway4, 200+l.uplinks), Addr6: numbered(l.carrier.gateway6, 200+l.uplinks), segment: l.carrier}
	b := p.Addr4.As4()
	port := fmt.Sprintf("p-mobile%d", l.uplinks)
	err := l.Internet.ip(`
		link add name %[1]s type veth peer name mobile address %[2]s netns %[3]s
		link set dev %[1]s master %[4]s up`, port, net.HardwareAddr{0x02, 0x00, b[0], b[1], b[2], b[3]}, h.id(), l.carrier.bridge)
	if err == nil {
		err = h.ip(`
			link set dev mobile up
			addr add %[1]s/24 brd + dev mobile
			addr add %[2]s/64 dev mobile nodad
			route add default via %[3]s dev mobile table 9
			route add default via %[4]s dev mobile table 9
			rule add from %[1]s table 9`, p.Addr4, p.Addr6, l.carrier.gateway4, l.carrier.gateway6)
	}
	if err == nil {
		err = h.feed("", "ip", "-6", "rule", "add", "from", p.Addr6.String(), "table", "9")
	}
	if err == nil {
		err = h.await("mobile")
	}
	if err == nil {
		err = l.Internet.await(port)
	}
	if err != nil {
		t.Fatalf("giving %s a second path: %v", h.Name, err)
	}
	return p
}

// A Path is a second way to the internet.
type Path struct {
	Addr4, Addr6 netip.Addr
	host         *Host
	segment      *segment
}

// Prefer makes it the way that the host takes by itself.
func (p *Path) Prefer(t testing.TB) {
	t.Helper()
	if err := p.host.defaultRoute(p.segment.gateway4, p.segment.gateway6); err != nil {
		t.Fatal(err)
	}
}
