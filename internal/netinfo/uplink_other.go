//go:build !linux

// This file answers, where the kernel does not speak rtnetlink, what the page's door asks. There are no routes in what
// the standard library knows, and who develops on such a machine does not route with it.

package netinfo

import (
	"net"
	"net/netip"
	"syscall"
)

// Addresses lists the addresses of this host with their links.
func Addresses() ([]Address, error) {
	var all []Address
	err := eachAddress(func(ifi net.Interface, p netip.Prefix) {
		all = append(all, Address{Link: ifi.Name, Addr: p.Addr()})
	})
	return all, err
}

// DefaultLinks knows the link of the one default route that can be told.
func DefaultLinks() (ipv4, ipv6 []string, err error) {
	if route, err := DefaultRoute(); err == nil {
		return []string{route.Link}, []string{route.Link}, nil
	}
	return nil, nil, nil
}

// Forwards cannot be asked here; people's own computers do not.
func Forwards() (ipv4, ipv6 bool, err error) { return false, false, nil }

// ArrivedOn is not known here.
func ArrivedOn(syscall.Conn) (link string, known bool, err error) { return "", false, nil }

// OnLinkThrough compares with the networks of that link.
func OnLinkThrough(addr netip.Addr, link string) (bool, error) {
	found, ok, err := OnLink(addr)
	return ok && found == link, err
}
