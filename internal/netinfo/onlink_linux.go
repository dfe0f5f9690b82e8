package netinfo

import (
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
)

// OnLinkNetworks lists the networks that are directly connected, each with its link: what the kernel hands to a link without a
// gateway in between. Defaults and halves of them are left out.
func OnLinkNetworks() (map[netip.Prefix][]string, error) {
	return ask("routes", func(c *rtnetlink.Conn) (map[netip.Prefix][]string, error) {
		messages, err := c.Route.List()
		if err != nil {
			return nil, err
		}
		out := make(map[netip.Prefix][]string)
		for _, m := range messages {
			if !carries(m) || !direct(m) {
				continue
			}
			if link, ok := linkName(m.Attributes.OutIface); ok && destination(m).IsValid() {
				out[destination(m)] = append(out[destination(m)], link)
			}
		}
		return out, nil
	})
}
