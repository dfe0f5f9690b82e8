package lab

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// homeRules is the router of a household as it comes out of the box, with one port mapping: masquerading for IPv4,
// nothing for IPv6 but the same idea of a door that opens outward. wan and lan are its links; %[1]s and %[2]s are the
// appliance's addresses, %[3]s the home's IPv4 network. Without neighbour discovery IPv6 does not work at all (RFC 4890,
// 4.4.1). What a test opens are elements of forwards, hairpins and pinholes.
const homeRules = `table inet home {
	map forwards {
		type inet_service : ipv4_addr . inet_service
	}
	map hairpins {
		type inet_service : ipv4_addr . inet_service
	}
	set pinholes {
		type ipv6_addr . inet_service
	}
	chain mappings {
		type nat hook prerouting priority dstnat
		iifname "wan" meta nfproto ipv4 fib daddr type local udp dport 51820 dnat ip to %[1]s
		iifname "wan" meta nfproto ipv4 fib daddr type local dnat ip to tcp dport map @forwards
		iifname "lan" ip daddr != %[3]s fib daddr type local dnat ip to tcp dport map @hairpins
	}
	chain sharing {
		type nat hook postrouting priority srcnat
		oifname "wan" meta nfproto ipv4 masquerade
		oifname "lan" ip saddr %[3]s ct status dnat masquerade
	}
	chain through {
		type filter hook forward priority filter; policy drop
		ct state established,related accept
		iifname "lan" accept
		iifname "wan" ct status dnat accept
		iifname "wan" ip6 daddr %[2]s udp dport 51820 accept
		iifname "wan" ip6 daddr . tcp dport @pinholes accept
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
	return l.Router.load(homeRules, l.Appliance.Addr4, l.Appliance.Addr6, l.LAN4)
}

// An Opening is a way through the household's router that somebody has made: a [Forward] or a [Pinhole6].
type Opening interface {
	fmt.Stringer
	elements() []string // what it adds to the router's rules, as nft(8) writes elements
}

// A Forward passes a TCP port of the router's WAN address on to a port of a host at home, as one sets it on a router's
// page. No protocol of the LAN tells of it.
type Forward struct {
	External uint16
	To       *Host
	Port     uint16
	Hairpin  bool // from the LAN, too; many routers do not
}

func (f Forward) String() string {
	return fmt.Sprintf("%d/tcp to %s:%d", f.External, f.To.Name, f.Port)
}

func (f Forward) elements() []string {
	all := []string{fmt.Sprintf("forwards { %d : %s . %d }", f.External, f.To.Addr4, f.Port)}
	if f.Hairpin {
		all = append(all, fmt.Sprintf("hairpins { %d : %s . %d }", f.External, f.To.Addr4, f.Port))
	}
	return all
}

// A Pinhole6 lets TCP from the internet through to a port of a host's global IPv6 address.
type Pinhole6 struct {
	To      *Host
	Port    uint16
	Address netip.Addr // if it is not the host's own Addr6
}

func (p Pinhole6) String() string { return fmt.Sprintf("IPv6 pinhole to %s:%d", p.To.Name, p.Port) }

func (p Pinhole6) elements() []string {
	to := p.To.Addr6
	if p.Address.IsValid() {
		to = p.Address
	}
	return []string{fmt.Sprintf("pinholes { %s . %d }", to, p.Port)}
}

// Open opens the router. The function that it returns closes what was opened, and not the connections that came through
// it; an opening that is not closed goes with the lab.
func (l *Lab) Open(t testing.TB, o Opening) (closeIt func()) {
	t.Helper()
	change := func(how string) {
		t.Helper()
		var script strings.Builder
		for _, element := range o.elements() {
			fmt.Fprintf(&script, "%s element inet home %s\n", how, element)
		}
		if err := l.Router.load("%s", script.String()); err != nil {
			t.Errorf("%s %v: %v", how, o, err)
		}
	}
	change("add")
	return func() { t.Helper(); change("delete") }
}
