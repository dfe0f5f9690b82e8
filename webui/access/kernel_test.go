package access

import (
	"errors"
	"net/netip"
	"syscall"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// A network is a kernel for tests: links with prefixes, and which of them lead out.
type network struct {
	links                []netinfo.Link
	nets                 map[string][]netip.Prefix // by link, each written as this machine's address in it
	out4, out6           []string
	forwards4, forwards6 bool
	broken               error
	asked                int
}

// router is a machine between a home and the internet, with somebody's VPN as well.
func router() *network {
	return &network{
		links: []netinfo.Link{{Name: "lo", Loopback: true}, {Name: "lan"}, {Name: "guests"}, {Name: "wan"}, {Name: "vpn", PointToPoint: true}},
		nets: map[string][]netip.Prefix{
			"lo":     {netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("::1/128")},
			"lan":    prefixes("192.168.77.1/24", "2001:db8:77::1/64", "fd77::1/64", "fe80::1/64"),
			"guests": prefixes("192.168.88.1/24", "fe80::1/64"),
			"wan":    prefixes("203.0.113.2/24", "2001:db8:b::2/64", "fe80::2/64"),
			"vpn":    prefixes("10.8.0.1/24"),
		},
		out4: []string{"wan"}, out6: []string{"wan"}, forwards4: true, forwards6: true,
	}
}

// appliance is a machine with one link, as most are.
func appliance() *network {
	return &network{
		links: []netinfo.Link{{Name: "lo", Loopback: true}, {Name: "eth0"}},
		nets:  map[string][]netip.Prefix{"eth0": prefixes("192.168.1.5/24", "2001:db8:1::5/64", "fe80::5/64")},
		out4:  []string{"eth0"}, out6: []string{"eth0"},
	}
}

func prefixes(texts ...string) (ps []netip.Prefix) {
	for _, s := range texts {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

func (n *network) kernel() Kernel {
	return Kernel{
		OnLink: func(addr netip.Addr) (string, bool, error) {
			for _, l := range n.links {
				if ok, _ := n.through(addr, l.Name); ok {
					return l.Name, true, n.broken
				}
			}
			return "", false, n.broken
		},
		OnLinkThrough: n.through,
		ArrivedOn:     func(syscall.Conn) (string, bool, error) { return "", false, n.broken },
		Addresses:     n.addresses,
		Links:         func() ([]netinfo.Link, error) { return n.links, n.broken },
		DefaultLinks:  func() ([]string, []string, error) { return n.out4, n.out6, n.broken },
		Forwards:      func() (bool, bool, error) { return n.forwards4, n.forwards6, n.broken },
	}
}

func (n *network) through(addr netip.Addr, link string) (bool, error) {
	if zone := addr.Zone(); zone != "" && zone != link {
		return false, n.broken
	}
	if addr.Is6() && addr.IsLinkLocalUnicast() && addr.Zone() == "" {
		return false, n.broken
	}
	for _, p := range n.nets[link] {
		if p.Contains(addr.WithZone("")) {
			return true, n.broken
		}
	}
	return false, n.broken
}

func (n *network) addresses() (all []netinfo.Address, err error) {
	n.asked++
	for _, l := range n.links {
		for _, p := range n.nets[l.Name] {
			all = append(all, netinfo.Address{Link: l.Name, Addr: p.Addr()})
		}
	}
	return all, n.broken
}

var errBroken = errors.New("the kernel does not answer")
