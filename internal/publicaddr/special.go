package publicaddr

import "net/netip"

// special are the prefixes that the internet does not route to a household: IANA's special-purpose registries (RFC 6890 and its
// additions). 6to4 and Teredo are in them although they are routed here and there: what answers is a relay.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("224.0.0.0/3"), // multicast, class E, broadcast
	netip.MustParsePrefix("2001::/23"),   // Teredo, benchmarking, ORCHID and the like
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"),
}

// unicast6 is all that has ever been given out of IPv6 for the internet (RFC 4291, section 2.4, and IANA's registry).
var unicast6 = netip.MustParsePrefix("2000::/3")

// IsPublic tells whether a can be the address of a household on the internet.
func IsPublic(a netip.Addr) bool {
	if !a.IsValid() || a.Is4In6() || a.Zone() != "" || a.Is6() && !unicast6.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
