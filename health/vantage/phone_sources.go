package vantage

import (
	"net/netip"
	"net/url"
	"slices"
)

// Sources are what a Content-Security-Policy has to name for the task: exactly the hosts and ports that are tried, over HTTP and
// WebSocket. Its grammar has no IPv6 addresses (CSP Level 3, section 2.3.1, host-part); there a port of any host is the least
// that can be said.
func (t PhoneTask) Sources() []string {
	var out []string
	for _, one := range t.Tries {
		for _, text := range []string{one.HTTP, one.WS} {
			if u, err := url.Parse(text); err == nil {
				out = append(out, u.Scheme+"://"+sourceHost(u))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func sourceHost(u *url.URL) string {
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && a.Is6() {
		return "*:" + u.Port()
	}
	return u.Host
}
