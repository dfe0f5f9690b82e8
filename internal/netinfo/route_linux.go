package netinfo

import (
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// Networks lists the networks that this host is connected to or has a route for, in every routing table, so that an
// address outside all of them collides with nothing that the host can reach today. Loopback, link-local and multicast
// ranges are left out, and so are default routes, also where a VPN wrote one as two halves.
func Networks() ([]netip.Prefix, error) {
	return ask("routes", func(c *rtnetlink.Conn) ([]netip.Prefix, error) {
		messages, err := c.Route.List()
		if err != nil {
			return nil, err
		}
		var ps []netip.Prefix
		for _, m := range messages {
			if p := destination(m); carries(m) && isNetwork(p) {
				ps = append(ps, p)
			}
		}
		own, err := ownPrefixes(c)
		if err != nil {
			return nil, err
		}
		return sorted(append(ps, own...)), nil
	})
}

// ownPrefixes lists the networks of our addresses. The kernel makes a route for nearly all of them; not for an address
// that was added with "noprefixroute", nor for one on a link that is down.
func ownPrefixes(c *rtnetlink.Conn) ([]netip.Prefix, error) {
	messages, err := c.Address.List()
	if err != nil {
		return nil, err
	}
	var ps []netip.Prefix
	for _, m := range messages {
		if m.Attributes == nil {
			continue
		}
		// IFA_ADDRESS is the network's side on a point-to-point link, and ours elsewhere; the prefix length is for it.
		addr := unmapped(m.Attributes.Address)
		if p, err := addr.Prefix(int(m.PrefixLength)); err == nil && isNetwork(p) {
			ps = append(ps, p)
		}
	}
	return ps, nil
}

// DefaultRoute says how packets to the rest of the world leave: by the IPv4 default route with the lowest metric, or
// the IPv6 one where there is no IPv4. Only the main table counts: what a policy rule diverts, a VPN say, is not the
// household's way out. It is [ErrNoDefaultRoute] when there is none.
func DefaultRoute() (Route, error) {
	route, err := ask("the default route", func(c *rtnetlink.Conn) (Route, error) {
		messages, err := c.Route.List()
		if err != nil {
			return Route{}, err
		}
		for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
			if best, ok := bestDefault(messages, family); ok {
				return describe(c, best), nil
			}
		}
		return Route{}, nil
	})
	if err == nil && route.Link == "" {
		err = ErrNoDefaultRoute
	}
	return route, err
}

func bestDefault(messages []rtnetlink.RouteMessage, family uint8) (best rtnetlink.RouteMessage, ok bool) {
	for _, m := range messages {
		if m.Family != family || m.DstLength != 0 || m.Attributes.Table != unix.RT_TABLE_MAIN || !carries(m) {
			continue
		}
		if !ok || m.Attributes.Priority < best.Attributes.Priority {
			best, ok = m, true
		}
	}
	return best, ok
}

// describe fills in what the route itself may leave open: the first way of several, and the source address, which the
// kernel chooses at the time of sending.
func describe(c *rtnetlink.Conn, m rtnetlink.RouteMessage) Route {
	index, gateway := m.Attributes.OutIface, m.Attributes.Gateway
	if hops := m.Attributes.Multipath; len(hops) > 0 {
		index, gateway = hops[0].Hop.IfIndex, hops[0].Gateway
	}
	link, ok := linkName(index)
	if !ok {
		return Route{} // the link went away while we were reading
	}
	route := Route{Link: link, Gateway: unmapped(gateway), Source: unmapped(m.Attributes.Src)}
	if !route.Source.IsValid() {
		// Asking for a route sends nothing, so any address far away will do; these are for documentation (RFC 5737, 3849).
		far := netip.MustParseAddr("203.0.113.1")
		if m.Family == unix.AF_INET6 {
			far = netip.MustParseAddr("2001:db8::1")
		}
		if found, err := lookup(c, far, index, 0); err == nil {
			route.Source = unmapped(found.Attributes.Src)
		}
	}
	return route
}

// carries tells a route that takes packets somewhere from one that refuses them, and from the clones that IPv6 keeps
// of a route for a single destination.
func carries(m rtnetlink.RouteMessage) bool {
	return m.Type == unix.RTN_UNICAST && m.Flags&unix.RTM_F_CLONED == 0
}

func destination(m rtnetlink.RouteMessage) netip.Prefix {
	addr := unmapped(m.Attributes.Dst)
	if !addr.IsValid() {
		return netip.Prefix{} // a default route has no destination
	}
	p, _ := addr.Prefix(int(m.DstLength))
	return p
}
