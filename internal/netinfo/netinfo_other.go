//go:build !linux

// This file answers where the kernel does not speak rtnetlink: from what the standard library knows of the links and
// their addresses. There are no routes and no neighbours in that, and it says so.

package netinfo

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// OwnAddresses lists the addresses of this host, without zones; see the Linux file for the details.
func OwnAddresses() ([]netip.Addr, error) {
	var addrs []netip.Addr
	err := eachAddress(func(_ net.Interface, p netip.Prefix) { addrs = append(addrs, p.Addr()) })
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs), err
}

// Networks lists the networks that this host is connected to; those behind routes are not known here.
func Networks() ([]netip.Prefix, error) {
	var ps []netip.Prefix
	err := eachAddress(func(_ net.Interface, p netip.Prefix) {
		if p = p.Masked(); isNetwork(p) {
			ps = append(ps, p)
		}
	})
	return sorted(ps), err
}

// DefaultRoute knows only the source address, which the kernel picks when a UDP socket is connected; nothing is sent.
func DefaultRoute() (Route, error) {
	for _, far := range []string{"203.0.113.1:9", "[2001:db8::1]:9"} { // for documentation (RFC 5737, RFC 3849)
		conn, err := net.Dial("udp", far)
		if err != nil {
			continue
		}
		local, _ := netip.ParseAddrPort(conn.LocalAddr().String())
		_ = conn.Close()
		source := local.Addr().Unmap().WithZone("")
		if link, ok, err := OnLink(source); err == nil && ok {
			return Route{Link: link, Source: source}, nil
		}
	}
	return Route{}, ErrNoDefaultRoute
}

// Neighbour cannot be answered here.
func Neighbour(netip.Addr) (net.HardwareAddr, bool, error) {
	return nil, false, fmt.Errorf("reading neighbours: %w", ErrUnsupported)
}

// IsOwn compares with our addresses; local routes are not known here.
func IsOwn(addr netip.Addr) (bool, error) {
	addr = addr.Unmap().WithZone("")
	if addr.IsUnspecified() || addr.IsLoopback() {
		return true, nil
	}
	own, err := OwnAddresses()
	return slices.Contains(own, addr), err
}

// OnLink compares with the networks of our links.
func OnLink(addr netip.Addr) (link string, ok bool, err error) {
	bare := addr.Unmap().WithZone("")
	err = eachAddress(func(ifi net.Interface, p netip.Prefix) {
		here := addr.Zone() == ifi.Name || addr.Zone() == "" && !(bare.Is6() && bare.IsLinkLocalUnicast())
		if !ok && here && p.Bits() >= fewestBits && p.Contains(bare) {
			link, ok = ifi.Name, true
		}
	})
	return link, ok, err
}

func eachAddress(fn func(net.Interface, netip.Prefix)) error {
	links, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("listing links: %w", err)
	}
	for _, ifi := range links {
		addrs, err := ifi.Addrs()
		if err != nil {
			return fmt.Errorf("listing the addresses of %s: %w", ifi.Name, err)
		}
		for _, a := range addrs {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			bits, _ := n.Mask.Size()
			if addr := unmapped(n.IP); addr.IsValid() {
				fn(ifi, netip.PrefixFrom(addr, bits))
			}
		}
	}
	return nil
}
