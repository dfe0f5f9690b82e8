//go:build !linux

package netinfo

import "net/netip"

// OnLinkNetworks is known on Linux only.
func OnLinkNetworks() (map[netip.Prefix][]string, error) { return nil, ErrUnsupported }
