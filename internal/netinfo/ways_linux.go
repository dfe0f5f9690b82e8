package netinfo

import (
	"os"
	"strings"

	"github.com/jsimonetti/rtnetlink/v2"
)

// DefaultRoutes says for each family how packets to the rest of the world leave, as [DefaultRoute] does for the first that
// there is. The zero value: no way out.
func DefaultRoutes() (ipv4, ipv6 Route, err error) {
	routes, err := ask("the default routes", func(c *rtnetlink.Conn) (routes [2]Route, err error) {
		messages, err := c.Route.List()
		if err != nil {
			return routes, err
		}
		for i, family := range families {
			if best, ok := bestDefault(messages, family); ok {
				routes[i] = describe(c, best)
			}
		}
		return routes, nil
	})
	return routes[0], routes[1], err
}

// HearsRouters tells whether the kernel would take a link's IPv6 network from a router's announcement, as far as it is the
// kernel that listens: one that forwards does not, unless it is told to twice (accept_ra in the kernel's ip-sysctl). Where
// it was told not to listen at all, some program does in its place, and that is a yes.
func HearsRouters(link string) bool {
	read := func(key string) string {
		if strings.ContainsAny(link, "/") || link == "" || link[0] == '.' {
			return ""
		}
		value, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + link + "/" + key)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(value))
	}
	off := read("disable_ipv6")
	return off == "0" && (read("accept_ra") != "1" || read("forwarding") == "0")
}
