package netinfo

import (
	"fmt"
	"net"
	"net/netip"
)

// A Link is one of this host's.
type Link struct {
	Name         string
	Loopback     bool
	PointToPoint bool // it has one other end and no neighbours: a VPN, PPP, a mobile modem
}

// Links lists the links of this host, also those that are down.
func Links() ([]Link, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing links: %w", err)
	}
	links := make([]Link, 0, len(all))
	for _, ifi := range all {
		links = append(links, Link{
			Name:         ifi.Name,
			Loopback:     ifi.Flags&net.FlagLoopback != 0,
			PointToPoint: ifi.Flags&net.FlagPointToPoint != 0,
		})
	}
	return links, nil
}

// An Address is one of this host's, on one of its links. It carries no zone.
type Address struct {
	Link string
	Addr netip.Addr
}

// linkIndex is the kernel's number for a link.
func linkIndex(name string) (uint32, bool) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return 0, false
	}
	return uint32(ifi.Index), true
}
