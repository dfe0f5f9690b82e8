package gate

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// OwnPort is a port on which this appliance itself listens.
type OwnPort struct {
	Protocol Protocol
	Port     uint16
}

// guard looks at every address that is about to be dialled, after the name is resolved and right before the connection: a
// name may mean something else from one moment to the next, and whoever answers for it may want it to mean us. It keeps
// every service off this appliance's own ports, off the phones, and off addresses that do not mean one host. Other programs
// on this machine are fair targets: the owner has named them.
type guard struct {
	ports     func() []OwnPort
	addresses func() ([]netip.Addr, error)
	isOwn     func(netip.Addr) (bool, error)
	tunnel    []netip.Prefix
}

func newGuard(cfg Config) guard {
	g := guard{ports: cfg.OwnPorts, addresses: cfg.OwnAddresses, isOwn: cfg.IsOwn, tunnel: cfg.TunnelNetworks}
	if g.ports == nil {
		g.ports = func() []OwnPort { return nil }
	}
	if g.addresses == nil {
		g.addresses = func() ([]netip.Addr, error) { return nil, fmt.Errorf("nobody knows them") }
	}
	return g
}

// refusal is an address that no service may reach, and why.
type refusal struct {
	addr   netip.AddrPort
	reason string
}

func (r refusal) Error() string { return fmt.Sprintf("%s %s", r.addr, r.reason) }

// control is a net.Dialer's ControlContext. It also takes away the permission to send to broadcast addresses, which Go
// gives to every UDP socket: which addresses those are, only the kernel's routes know.
func (g guard) control(p Protocol) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, c syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("dialling %q, which is no address: %w", address, err)
		}
		if err := g.check(p, ap); err != nil {
			return err
		}
		if p != UDP {
			return nil
		}
		var set error
		err = c.Control(func(fd uintptr) {
			set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 0)
		})
		if err != nil {
			return err
		}
		return set
	}
}

// check says why ap may not be dialled, or nothing.
func (g guard) check(p Protocol, ap netip.AddrPort) error {
	faces := disguises(ap.Addr())
	if ap.Port() == 0 {
		return refusal{ap, "has no port"}
	}
	for _, a := range faces {
		if a.IsMulticast() || a == broadcast {
			return refusal{ap, "is not the address of one host"}
		}
		for _, n := range g.tunnel {
			if n.Contains(a) {
				return refusal{ap, "is in the tunnel, where only phones are"}
			}
		}
	}
	if !slices.Contains(g.ports(), OwnPort{p, ap.Port()}) {
		return nil
	}
	own, err := g.addresses()
	if err != nil {
		return refusal{ap, "may be Hearthgate itself, as this machine's own addresses cannot be read: " + err.Error()}
	}
	for i := range own {
		own[i] = own[i].Unmap().WithZone("")
	}
	for _, a := range faces {
		if isHere(a) || slices.Contains(own, a) || g.comesBack(a) {
			return refusal{ap, "is Hearthgate itself, which no service may reach"}
		}
		if slices.ContainsFunc(translated, func(n netip.Prefix) bool { return n.Contains(a) }) {
			return refusal{ap, "may be Hearthgate itself behind a translator of addresses"}
		}
	}
	return nil
}

// comesBack asks the kernel; an error counts as a yes.
func (g guard) comesBack(a netip.Addr) bool {
	if g.isOwn == nil {
		return false
	}
	own, err := g.isOwn(a)
	return own || err != nil
}

// translated are networks whose addresses hold an IPv4 address in a place that depends on who translates: the local NAT64
// prefix (RFC 8215) and Teredo (RFC 4380). A NAT64 prefix out of the network's own range cannot be told from any other.
var translated = []netip.Prefix{netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32")}

// isHere says that an address means this machine on every machine. Linux takes the unspecified address for it, and knows no
// other use of 0.0.0.0/8.
func isHere(a netip.Addr) bool {
	return a.IsLoopback() || a.IsUnspecified() || a.Is4() && a.As4()[0] == 0
}

// embeddings are the IPv6 networks whose addresses hold an IPv4 address, and where in it. A translator on the LAN would
// turn them back: v4-mapped, v4-compatible and v4-translated (RFC 4291, section 2.5.5; RFC 2765), NAT64's well-known
// prefix (RFC 6052), 6to4 (RFC 3056).
var embeddings = []struct {
	net netip.Prefix
	at  int
}{
	{netip.MustParsePrefix("::ffff:0:0/96"), 12},
	{netip.MustParsePrefix("::/96"), 12},
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12},
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
}

// disguises gives all addresses that a could stand for: itself without its zone, and what it embeds.
func disguises(a netip.Addr) []netip.Addr {
	a = a.Unmap().WithZone("")
	out := []netip.Addr{a}
	if a.Is4() {
		return out
	}
	if b := a.As16(); b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP, RFC 5214, section 6.1
		out = append(out, netip.AddrFrom4([4]byte(b[12:])))
	}
	for _, e := range embeddings {
		if b := a.As16(); e.net.Contains(a) && a != netip.IPv6Unspecified() && a != netip.IPv6Loopback() {
			out = append(out, netip.AddrFrom4([4]byte(b[e.at:e.at+4])))
		}
	}
	return out
}
