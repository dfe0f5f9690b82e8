package netinfo

import (
	"errors"
	"net"
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// IsOwn tells whether a packet to addr would come back to this host: an address of ours, any of 127.0.0.0/8, an
// address that a local route hands to us, a broadcast. It does not matter whether addr is written as IPv4 or
// IPv4-mapped. When the kernel cannot be asked it is an error, which a caller that guards something must take as a yes.
func IsOwn(addr netip.Addr) (bool, error) {
	addr = addr.Unmap()
	if addr.IsUnspecified() {
		return true, nil // connect(2) takes 0.0.0.0 and :: for this host
	}
	return ask("the route to "+addr.String(), func(c *rtnetlink.Conn) (bool, error) {
		if addr.IsLinkLocalUnicast() {
			return ownLinkLocal(c, addr) // its route depends on the link, so the routing table cannot say
		}
		found, err := lookup(c, addr, 0, 0)
		if unreachable(err) {
			return false, nil
		}
		return comesHere(found.Type), err
	})
}

// comesHere names the kinds of address at which this host itself listens; a broadcast or an anycast reaches others, and
// us as well.
func comesHere(kind uint8) bool {
	return kind == unix.RTN_LOCAL || kind == unix.RTN_BROADCAST || kind == unix.RTN_ANYCAST
}

// ownLinkLocal compares with our addresses, and whatever the zone says: an address that is ours on another link is
// still suspicious enough to be called ours.
func ownLinkLocal(c *rtnetlink.Conn, addr netip.Addr) (bool, error) {
	messages, err := c.Address.List()
	if err != nil {
		return false, err
	}
	for _, m := range messages {
		if unmapped(ownIP(m.Attributes)) == addr.WithZone("") {
			return true, nil
		}
	}
	return false, nil
}

// OnLink tells whether addr lies on a directly connected network, and on which link: the kernel would hand a packet to
// it straight to the link, with no gateway in between. Our own addresses are on-link too. What only a default route
// covers is not, even where that route has no gateway. A link-local IPv6 address needs its zone.
func OnLink(addr netip.Addr) (link string, ok bool, err error) {
	index := uint32(0)
	if zone := addr.Zone(); zone != "" {
		ifi, err := net.InterfaceByName(zone)
		if err != nil {
			return "", false, nil //nolint:nilerr // a link that is not there has no neighbours: an answer, not a failure
		}
		index = uint32(ifi.Index)
	}
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() || addr.IsMulticast() || addr.IsUnspecified() || addr.IsLinkLocalUnicast() && addr.Is6() && index == 0 {
		return "", false, nil
	}
	found, err := ask("the route to "+addr.String(), func(c *rtnetlink.Conn) (rtnetlink.RouteMessage, error) {
		found, err := lookup(c, addr, index, unix.RTM_F_FIB_MATCH)
		if unreachable(err) {
			return rtnetlink.RouteMessage{}, nil
		}
		return found, err
	})
	if err != nil || !direct(found) {
		return "", false, err
	}
	link, ok = linkName(found.Attributes.OutIface)
	return link, ok, nil
}

// direct tells a route that ends on its link from one that goes on. rtnetlink does not decode RTA_VIA, an IPv6 gateway
// for IPv4; the scope gives such a route away, because only a route without any gateway has link scope (ip-route(8)).
// IPv6 routes have no scope.
func direct(m rtnetlink.RouteMessage) bool {
	if m.Type == unix.RTN_LOCAL {
		return true
	}
	return m.Type == unix.RTN_UNICAST && m.DstLength >= fewestBits &&
		m.Attributes.Gateway == nil && len(m.Attributes.Multipath) == 0 &&
		(m.Family == unix.AF_INET6 || m.Scope == unix.RT_SCOPE_LINK)
}

// lookup asks which route a packet to addr would take, through the link with that index unless it is 0. With
// RTM_F_FIB_MATCH the kernel answers with the route as it stands in the table instead of with its result (Linux 4.13).
func lookup(c *rtnetlink.Conn, addr netip.Addr, index uint32, flags uint32) (rtnetlink.RouteMessage, error) {
	messages, err := c.Route.Get(&rtnetlink.RouteMessage{
		Family:     family(addr),
		DstLength:  uint8(addr.BitLen()),
		Flags:      flags,
		Attributes: rtnetlink.RouteAttributes{Dst: addr.AsSlice(), OutIface: index},
	})
	if err != nil {
		return rtnetlink.RouteMessage{}, err
	}
	if len(messages) == 0 {
		return rtnetlink.RouteMessage{}, unix.ENETUNREACH
	}
	return messages[0], nil
}

// unreachable tells the kernel's "there is no way" from a question that failed.
func unreachable(err error) bool {
	for _, no := range []error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}
