package lab

import "fmt"

// homeRules is the router of a household as it comes out of the box, with one port mapping: masquerading for IPv4,
// nothing for IPv6 but the same idea of a door that opens outward. wan and lan are its links; %[1]s and %[2]s the
// appliance's addresses, %[3]s the WAN address. Without neighbour discovery IPv6 does not work at all (RFC 4890, 4.4.1).
const homeRules = `table inet home {
	chain mappings {
		type nat hook prerouting priority dstnat
		iifname "wan" ip daddr %[3]s udp dport 51820 dnat ip to %[1]s
	}
	chain sharing {
		type nat hook postrouting priority srcnat
		oifname "wan" meta nfproto ipv4 masquerade
	}
	chain through {
		type filter hook forward priority filter; policy drop
		ct state established,related accept
		iifname "lan" accept
		iifname "wan" ct status dnat accept
		iifname "wan" ip6 daddr %[2]s udp dport 51820 accept
	}
	chain inward {
		type filter hook input priority filter; policy drop
		ct state established,related accept
		iifname { "lo", "lan" } accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
	}
}
`

// protect puts the rules in force, once the appliance is there to be named.
func (l *Lab) protect() error {
	rules := fmt.Sprintf(homeRules, l.Appliance.Addr4, l.Appliance.Addr6, l.WAN4)
	return l.Router.feed(rules, "nft", "-f", "-")
}
