//go:build !linux

// This file answers, where the kernel does not speak netlink, what the health room asks.

package netinfo

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// AssignedAddresses lists the addresses of this host; how they stand is not known here.
func AssignedAddresses() ([]Assigned, error) {
	var all []Assigned
	err := eachAddress(func(ifi net.Interface, p netip.Prefix) { all = append(all, Assigned{Link: ifi.Name, Prefix: p}) })
	return all, err
}

// Neighbours cannot be answered here.
func Neighbours() ([]NeighbourEntry, error) {
	return nil, fmt.Errorf("reading neighbours: %w", ErrUnsupported)
}

// Listeners cannot be answered here.
func Listeners() ([]Listener, error) {
	return nil, fmt.Errorf("reading listening sockets: %w", ErrUnsupported)
}

// DefaultRoutes knows what DefaultRoute does, which is one family.
func DefaultRoutes() (ipv4, ipv6 Route, err error) {
	route, err := DefaultRoute()
	switch {
	case err != nil:
		return Route{}, Route{}, nil //nolint:nilerr // no way out is an answer
	case route.Source.Is4():
		return route, Route{}, nil
	default:
		return Route{}, route, nil
	}
}

// Watch cannot be done here.
func Watch(context.Context, func(Change)) error {
	return fmt.Errorf("watching the network: %w", ErrUnsupported)
}

// HearsRouters is taken for granted on people's own computers.
func HearsRouters(string) bool { return true }
