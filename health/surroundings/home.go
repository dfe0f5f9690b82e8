package surroundings

import (
	"cmp"
	"net"
	"net/netip"
	"slices"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// Origin is where an IPv6 address of Home Assistant is known from, the surer the earlier.
type origin int

const (
	fromKernel    origin = iota // Home Assistant is on this machine, and the address is this machine's
	fromItself                  // Home Assistant said so, over its API
	fromNeighbour               // the kernel's neighbour table has it with Home Assistant's MAC
	fromHearsay                 // mDNS
)

// most6 is how many addresses are looked at: as many as a witness lets itself be told.
const most6 = 8

// place is where Home Assistant is on the network.
type place struct {
	found   bool
	here    bool // on this machine
	address netip.Addr
	port    uint16
	link    string   // on which it is a neighbour; empty: it is none, or it is not known
	macs    []string // of the neighbour
}

// network is what the kernel knows, at one moment.
type network struct {
	assigned   []netinfo.Assigned
	neighbours []netinfo.NeighbourEntry
	route      [2]netinfo.Route // the ways out over IPv4 and IPv6; zero: none
	listeners  []netinfo.Listener
	onLink6    []netip.Prefix // global IPv6 networks that are directly connected
	deaf       bool           // this machine would not hear if there were IPv6 on Home Assistant's link
	up         bool           // one of the links of the ways out is up
}

// macsOf are the link-layer addresses of a neighbour, and its link.
func (n network) macsOf(addr netip.Addr) (macs []string, link string) {
	for _, e := range n.neighbours {
		if e.Addr == addr.WithZone("") && e.State == netinfo.NeighbourKnown && (addr.Zone() == "" || addr.Zone() == e.Link) {
			macs, link = append(macs, e.MAC), e.Link
		}
	}
	return macs, link
}

// own6 are this machine's global IPv6 addresses, those first that stay: stable before temporary, in use before deprecated.
func (n network) own6(not []netip.Prefix) (out []netip.Addr) {
	var some []netinfo.Assigned
	for _, a := range n.assigned {
		addr := a.Prefix.Addr()
		if addr.Is6() && publicaddr.IsPublic(addr) && !a.Tentative && !within(addr, not) {
			some = append(some, a)
		}
	}
	rank := func(a netinfo.Assigned) int {
		return value(a.Deprecated)*2 + value(a.Temporary)
	}
	slices.SortStableFunc(some, func(a, b netinfo.Assigned) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.Prefix.Addr().Compare(b.Prefix.Addr()))
	})
	for _, a := range some {
		out = append(out, a.Prefix.Addr())
	}
	return out
}

// doors are the ports behind which Home Assistant often stands, besides its own.
var doors = []uint16{health.HomePort, 80, 443, 8443}

// listening are those of this machine's addresses at which Home Assistant's port, or a door before it, takes connections. Where nobody
// on this machine listens at the port, as when the kernel passes it on to a container, nothing is known, and all are.
func (n network) listening(own []netip.Addr, port uint16) (out []netip.Addr) {
	if !slices.ContainsFunc(n.listeners, func(l netinfo.Listener) bool { return l.Port == port }) {
		return own
	}
	for _, addr := range own {
		if slices.ContainsFunc(n.listeners, func(l netinfo.Listener) bool {
			everywhere := l.Addr.Is6() && l.Addr.IsUnspecified()
			return (l.Port == port || slices.Contains(doors, l.Port)) && (everywhere || l.Addr == addr)
		}) {
			out = append(out, addr)
		}
	}
	return out
}

func value(b bool) int {
	if b {
		return 1
	}
	return 0
}

func within(a netip.Addr, all []netip.Prefix) bool {
	return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(a) })
}

// said is an address and who says that it is Home Assistant's.
type said struct {
	addr netip.Addr
	by   origin
}

// sort6 picks, of what is said, the addresses on the internet: those in this machine's own networks, at which a witness may look for us,
// at most eight with the surest first, and the others.
func sort6(all []said, own []netip.Addr, not []netip.Prefix) (near, far []netip.Addr) {
	slices.SortStableFunc(all, func(a, b said) int { return cmp.Compare(a.by, b.by) })
	for _, s := range all {
		addr := s.addr.WithZone("")
		if !addr.Is6() || addr.Is4In6() || !publicaddr.IsPublic(addr) || within(addr, not) || slices.Contains(near, addr) || slices.Contains(far, addr) {
			continue
		}
		mine := slices.ContainsFunc(own, func(o netip.Addr) bool { return same(o, addr) })
		switch {
		case mine && len(near) < most6:
			near = append(near, addr)
		case len(far) < most6:
			far = append(far, addr) // also those that are too many, so that they are told
		}
	}
	slices.SortFunc(near, netip.Addr.Compare)
	slices.SortFunc(far, netip.Addr.Compare)
	return near, far
}

// sayings gathers what everybody says of Home Assistant's addresses.
func sayings(p place, n network, own []netip.Addr, heard homeassistant.Hearsay, uuid string, places homeassistant.Places) (all []said) {
	add := func(by origin, addrs ...netip.Addr) {
		for _, a := range addrs {
			all = append(all, said{a, by})
		}
	}
	if p.here {
		add(fromKernel, n.listening(own, p.port)...)
	}
	add(fromItself, places.Addresses...)
	for _, e := range n.neighbours {
		if e.State == netinfo.NeighbourKnown && slices.Contains(p.macs, e.MAC) && e.Link == p.link {
			add(fromNeighbour, e.Addr)
		}
	}
	for _, a := range heard.Announcements {
		if announces(a, p, n, uuid) {
			add(fromHearsay, a.Addrs...)
		}
	}
	return all
}

// standing6 says how well Home Assistant's IPv6 addresses are known.
func standing6(p place, n network, near, far []netip.Addr, places homeassistant.Places) health.Standing {
	switch {
	case len(near) > 0:
		return health.Known
	case len(far) > 0 || !p.found:
		return health.Unknown
	case p.here || places.Adapters && slices.Contains(places.Addresses, p.address):
		// Who knows all of its addresses knows of none. In a container it knows only those inside, and not that it is reached at.
		return health.Absent
	case n.deaf || n.route[1].Link != "" || len(n.onLink6) > 0 || len(n.own6(nil)) > 0:
		return health.Unknown
	default:
		return health.Absent
	}
}

// eui64 are the addresses that a machine with these MACs gives itself in the networks when it makes them in the old way
// (RFC 4291, appendix A). Home Assistant OS does not by default, other systems do.
func eui64(macs []string, networks []netip.Prefix) (out []netip.Addr) {
	for _, text := range macs {
		mac, err := net.ParseMAC(text)
		if err != nil || len(mac) != 6 {
			continue
		}
		id := [8]byte{mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]}
		for _, p := range networks {
			if p.Bits() != 64 || !p.Addr().Is6() {
				continue
			}
			a := p.Masked().Addr().As16()
			copy(a[8:], id[:])
			out = append(out, netip.AddrFrom16(a))
		}
	}
	return out
}

// announces tells whether an announcement is the Home Assistant's that is pinned: it comes from its machine, and does not name
// another installation. Whoever is on the LAN can still say anything; what an address that is not Home Assistant's costs is a
// look at a neighbour of ours.
func announces(a homeassistant.Announcement, p place, n network, uuid string) bool {
	if uuid != "" && a.UUID != "" && a.UUID != uuid {
		return false
	}
	if a.Source.WithZone("") == p.address {
		return true
	}
	macs, _ := n.macsOf(a.Source)
	return slices.ContainsFunc(macs, func(mac string) bool { return slices.Contains(p.macs, mac) })
}

// own4 are this machine's public IPv4 addresses, on the links of its ways out.
func (n network) own4(not []netip.Prefix) (out []netip.Addr) {
	for _, a := range n.assigned {
		addr := a.Prefix.Addr()
		if addr.Is4() && publicaddr.IsPublic(addr) && !within(addr, not) && n.leadsOut(a.Link) {
			out = append(out, addr)
		}
	}
	return out
}

func (n network) leadsOut(link string) bool {
	return link == n.route[0].Link || link == n.route[1].Link
}

// lasting are this machine's addresses that stay, on the links of its ways out: to them a router passes things on.
func (n network) lasting() (out []netip.Addr) {
	for _, a := range n.assigned {
		addr := a.Prefix.Addr()
		if n.leadsOut(a.Link) && !a.Temporary && !a.Tentative && !a.Deprecated && !addr.IsLinkLocalUnicast() && !addr.IsLoopback() {
			out = append(out, addr)
		}
	}
	return out
}

// ownOn are this machine's IPv6 addresses on a link, one for each network: from these it asks who else is there.
func (n network) ownOn(link string) (out []netip.Addr) {
	for _, a := range n.assigned {
		addr := a.Prefix.Addr()
		known := slices.ContainsFunc(out, func(o netip.Addr) bool { return same(o, addr) })
		if a.Link == link && addr.Is6() && !a.Tentative && !a.Deprecated && !known && len(out) < most6 {
			out = append(out, addr)
		}
	}
	return out
}
