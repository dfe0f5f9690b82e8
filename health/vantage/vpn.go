package vantage

import (
	"net/netip"

	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// overVPN tells whether what is sent from an address of this machine leaves it through a VPN: the address is not one of the internet, and
// stands on a link without neighbours. A line by PPP that ends here has a public address; behind a provider's NAT it has not, and
// then nobody could reach us by it anyway.
func overVPN(local netip.Addr) bool {
	if !local.IsValid() || publicaddr.IsPublic(local) {
		return false
	}
	addresses, err := netinfo.Addresses()
	if err != nil {
		return false
	}
	links, err := netinfo.Links()
	if err != nil {
		return false
	}
	on := make(map[string]bool)
	for _, a := range addresses {
		if a.Addr == local {
			on[a.Link] = true
		}
	}
	for _, l := range links {
		if on[l.Name] && l.PointToPoint {
			return true
		}
	}
	return false
}
