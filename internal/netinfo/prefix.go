package netinfo

import (
	"net"
	"net/netip"
	"slices"
)

// fewestBits is the shortest prefix that still counts as a network. VPNs split the default route into halves
// (0.0.0.0/1 and 128.0.0.0/1), IPv6 uplinks come as 2000::/3: such a route says "everything", not "this network", and
// counting it would leave no address for a tunnel. The shortest prefix that anybody is given is a /8 (RFC 1918: 10/8).
const fewestBits = 8

// unmapped turns what net and netlink hand out into our form; the zero Addr stands for anything that is no address.
func unmapped(ip net.IP) netip.Addr {
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}

// isNetwork tells the prefixes that Networks reports from those that every host has.
func isNetwork(p netip.Prefix) bool {
	addr := p.Addr()
	return p.IsValid() && p.Bits() >= fewestBits &&
		!addr.IsLoopback() && !addr.IsMulticast() && !addr.IsLinkLocalUnicast() && !addr.IsUnspecified()
}

// sorted orders and removes what is there twice, so that equal worlds give equal answers.
func sorted(ps []netip.Prefix) []netip.Prefix {
	slices.SortFunc(ps, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits()
	})
	return slices.Compact(ps)
}
