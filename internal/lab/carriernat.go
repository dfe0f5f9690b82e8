package lab

import "net/netip"

// sharingRules is a provider's NAT with two customers: what they send comes from one address, and one of them has had a
// port of it passed on to itself, as customers ask for by PCP (RFC 6887) where the provider allows it.
const sharingRules = `table inet shared {
	chain mappings {
		type nat hook prerouting priority dstnat
		iifname "wan" meta nfproto ipv4 fib daddr type local tcp dport 8123 dnat ip to %[1]s
	}
	chain sharing {
		type nat hook postrouting priority srcnat
		oifname "wan" meta nfproto ipv4 masquerade
	}
}
`

// carrierNAT builds what stands between the internet and a home without an IPv4 address of its own: the provider's NAT
// (RFC 6888) with addresses of RFC 6598 behind it, and the neighbours, of whom only their one machine is there.
func (l *Lab) carrierNAT() error {
	outside := end{nil, "wan", l.Public4, netip.MustParseAddr("2a77:db8:b::2")}
	home := end{nil, "home", numbered(l.WAN4, 1), numbered(l.WAN6, 1)}
	next := end{nil, "nextdoor", netip.MustParseAddr("100.64.8.1"), netip.MustParseAddr("2a77:db8:a8::1")}
	var err error
	if l.CarrierNAT, err = l.raise("carriernat", home.addr4, home.addr6); err != nil {
		return err
	}
	outside.host, home.host, next.host = l.CarrierNAT, l.CarrierNAT, l.CarrierNAT
	l.NextDoor, err = l.raise("nextdoor", numbered(next.addr4, 2), numbered(next.addr6, 2))
	if err != nil {
		return err
	}
	if err := l.join(end{l.Internet, "home", numbered(l.Public4, 1), numbered(outside.addr6, 1)}, outside); err != nil {
		return err
	}
	if err := l.join(home, end{l.Router, "wan", l.WAN4, l.WAN6}); err != nil {
		return err
	}
	if err := cable(next, end{l.NextDoor, "eth0", l.NextDoor.Addr4, l.NextDoor.Addr6}); err != nil {
		return err
	}
	if err := l.NextDoor.defaultRoute(next.addr4, next.addr6); err != nil {
		return err
	}
	if err := l.Internet.ip("route add 2a77:db8:a0::/44 via %s", outside.addr6); err != nil {
		return err
	}
	if err := l.CarrierNAT.forward(); err != nil {
		return err
	}
	return l.CarrierNAT.load(sharingRules, l.NextDoor.Addr4)
}
