package publicaddr

import "net/netip"

// The addresses that are not of the public internet, by the IANA IPv4 and IPv6 Special-Purpose Address Registries
// (https://www.iana.org/assignments/iana-ipv4-special-registry and .../iana-ipv6-special-registry, RFC 6890 and RFC 8190), as of
// 2025, and multicast. Left out are also those that the registries call globally reachable and behind which no household is: anycast
// services and addresses that stand for others.
var special = prefixes(
	"0.0.0.0/8",       // this network: RFC 791, section 3.2
	"10.0.0.0/8",      // private use: RFC 1918
	"100.64.0.0/10",   // shared, carrier-grade NAT: RFC 6598
	"127.0.0.0/8",     // loopback: RFC 1122, section 3.2.1.3
	"169.254.0.0/16",  // link-local: RFC 3927
	"172.16.0.0/12",   // private use: RFC 1918
	"192.0.0.0/24",    // IETF protocols: RFC 6890, section 2.1
	"192.0.2.0/24",    // documentation: RFC 5737
	"192.31.196.0/24", // AS112: RFC 7535
	"192.52.193.0/24", // AMT: RFC 7450
	"192.88.99.0/24",  // 6to4 relays, deprecated: RFC 7526
	"192.168.0.0/16",  // private use: RFC 1918
	"192.175.48.0/24", // AS112: RFC 7534
	"198.18.0.0/15",   // benchmarks: RFC 2544
	"198.51.100.0/24", // documentation: RFC 5737
	"203.0.113.0/24",  // documentation: RFC 5737
	"224.0.0.0/4",     // multicast: RFC 5771
	"240.0.0.0/4",     // reserved, and the broadcast address: RFC 1112 section 4, RFC 919

	// Within 2000::/3, beyond which IANA has given out nothing as unicast: RFC 4291, section 2.4.
	"2001::/23",         // IETF protocols, with Teredo, ORCHIDv2 and benchmarks: RFC 2928, RFC 4380, RFC 7343
	"2001:db8::/32",     // documentation: RFC 3849
	"2002::/16",         // 6to4, which stands for an IPv4 address: RFC 3056
	"2620:4f:8000::/48", // AS112: RFC 7534
	"3fff::/20",         // documentation: RFC 9637
)

// unicast6 is all of global unicast. Outside lie loopback, the unspecified address, v4-mapped addresses, NAT64 (64:ff9b::/96 and
// 64:ff9b:1::/48), discard-only 100::/64, SRv6 5f00::/16, unique local fc00::/7, link-local fe80::/10 and multicast ff00::/8.
var unicast6 = netip.MustParsePrefix("2000::/3")

// IsPublic tells whether an address is one of the public internet behind which a household can be.
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

func prefixes(texts ...string) (out []netip.Prefix) {
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}
