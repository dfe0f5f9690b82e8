package netinfo

import (
	"cmp"
	"slices"

	"github.com/jsimonetti/rtnetlink/v2"
)

// Addresses lists the addresses of this host with the link that carries each, in both families, loopback and link-local
// ones too. What [OwnAddresses] says about its limits holds here as well.
func Addresses() ([]Address, error) {
	return ask("addresses", func(c *rtnetlink.Conn) ([]Address, error) {
		messages, err := c.Address.List()
		if err != nil {
			return nil, err
		}
		var all []Address
		for _, m := range messages {
			link, ok := linkName(m.Index)
			if addr := unmapped(ownIP(m.Attributes)); ok && addr.IsValid() {
				all = append(all, Address{Link: link, Addr: addr})
			}
		}
		slices.SortFunc(all, func(a, b Address) int {
			return cmp.Or(cmp.Compare(a.Link, b.Link), a.Addr.Compare(b.Addr))
		})
		return slices.Compact(all), nil
	})
}
