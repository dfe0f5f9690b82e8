package homeassistant

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// The groups of multicast DNS (RFC 6762, section 3).
var (
	group4 = net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}
	group6 = net.UDPAddr{IP: net.ParseIP("ff02::fb"), Port: 5353}
)

// mostLinks is for machines with a crowd of virtual ones, such as a Docker host.
const mostLinks = 16

// openVoices opens a socket for each family on every link where a Home Assistant could be: up, with multicast, and
// with a private address of ours. Point-to-point links and the virtual ones of containers have none.
func openVoices() ([]*voice, error) {
	links, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing links: %w", err)
	}
	var voices []*voice
	used := 0
	for _, link := range links {
		const want = net.FlagUp | net.FlagMulticast
		if link.Flags&want != want || link.Flags&net.FlagLoopback != 0 || used == mostLinks {
			continue
		}
		v4, v6 := families(link)
		if !v4 && !v6 {
			continue
		}
		used++
		if v4 {
			voices = appendVoice(voices, open4, link)
		}
		if v6 {
			voices = appendVoice(voices, open6, link)
		}
	}
	if len(voices) == 0 {
		return nil, errNoLink
	}
	return voices, nil
}

// appendVoice leaves out a link that went away or has a family switched off.
func appendVoice(voices []*voice, open func(net.Interface) (*voice, error), link net.Interface) []*voice {
	if v, err := open(link); err == nil {
		voices = append(voices, v)
	}
	return voices
}

func families(link net.Interface) (v4, v6 bool) {
	addrs, err := link.Addrs()
	if err != nil {
		return false, false
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && isPrivate(p.Addr().Unmap()) {
			v4 = v4 || p.Addr().Unmap().Is4()
			v6 = v6 || p.Addr().Is6()
		}
	}
	return v4, v6
}

// Both: answers come back to the port that asked, to whichever address, so the socket is bound to no address. A TTL of
// 255 is what responders may look for (RFC 6762, section 11). Our own machine must hear the question too, since Home
// Assistant may be here.

func open4(link net.Interface) (*voice, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{})
	if err != nil {
		return nil, err
	}
	p := ipv4.NewPacketConn(conn)
	for _, err := range []error{p.SetMulticastInterface(&link), p.SetMulticastTTL(255), p.SetMulticastLoopback(true)} {
		if err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	group := group4
	return &voice{conn, &group}, nil
}

func open6(link net.Interface) (*voice, error) {
	conn, err := net.ListenUDP("udp6", &net.UDPAddr{})
	if err != nil {
		return nil, err
	}
	p := ipv6.NewPacketConn(conn)
	for _, err := range []error{p.SetMulticastInterface(&link), p.SetMulticastHopLimit(255), p.SetMulticastLoopback(true)} {
		if err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	group := group6
	group.Zone = link.Name
	return &voice{conn, &group}, nil
}

// isPrivate: the ranges that households use at home (RFC 1918, RFC 4193, RFC 3927). Public addresses are not, nor are
// those of providers (100.64.0.0/10).
func isPrivate(addr netip.Addr) bool {
	return addr.IsPrivate() || addr.Is4() && addr.IsLinkLocalUnicast()
}

// usable keeps, of the addresses that somebody named, the private ones that are directly connected, IPv4 first: every
// Home Assistant listens on IPv4, and a unique local address is the other one that lasts (RFC 4193).
func usable(addrs []netip.Addr, onLink func(netip.Addr) bool) []netip.Addr {
	var good []netip.Addr
	for _, addr := range addrs {
		if isPrivate(addr) && !slices.Contains(good, addr) && onLink(addr) {
			good = append(good, addr)
		}
	}
	slices.SortStableFunc(good, func(a, b netip.Addr) int { return cmp.Compare(a.BitLen(), b.BitLen()) })
	return good
}
