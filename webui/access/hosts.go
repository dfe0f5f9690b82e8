package access

import (
	"net/http"
	"net/netip"
	"slices"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// Hosts passes on requests for one of our names, at any port: this machine's addresses, its host name, that in .local,
// hearthgate.local, localhost, and the configured ones. It answers all others itself, with 421 (RFC 9110, section
// 15.5.20). That is what holds DNS rebinding off: a page of evil.example may make its name point here, but the browser
// still asks for evil.example.
func (d *Door) Hosts(next http.Handler) http.Handler {
	return onlyFor(next, func(name string, addr netip.Addr) bool {
		if addr.IsValid() {
			return d.hasAddr(addr)
		}
		return d.names.has(name)
	})
}

// Inside is Hosts for what is reached through the tunnel: exactly the given addresses, and no names.
func Inside(addrs ...netip.Addr) func(next http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return onlyFor(next, func(_ string, addr netip.Addr) bool {
			return addr.IsValid() && slices.Contains(addrs, addr)
		})
	}
}

// hasAddr takes no answer of the kernel for a no.
func (d *Door) hasAddr(addr netip.Addr) bool {
	if addr.IsLoopback() || d.names.addrs[addr] {
		return true
	}
	own, err := d.own.get()
	return err == nil && slices.ContainsFunc(own, func(a netinfo.Address) bool { return a.Addr == addr })
}

func onlyFor(next http.Handler, ours func(name string, addr netip.Addr) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, addr, ok := parseHost(r.Host)
		if !ok || r.Method == http.MethodConnect || !ours(name, addr) {
			misdirected(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
