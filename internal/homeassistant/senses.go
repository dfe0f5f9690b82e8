package homeassistant

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// senses are what a Finder perceives the world with. Tests give it another world.
type senses struct {
	look    func(context.Context, Target) sight
	inspect func(context.Context, Target) inspection
	version func(context.Context, Target) string
	browse  func(context.Context) (Hearsay, error)
	resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	machine func(netip.Addr) machine
	onLink  func(netip.Addr) bool
}

func realSenses() senses {
	eyes, ears := newEyes(), mdns{onLink: directlyConnected, open: openVoices}
	return senses{
		look: eyes.look, inspect: eyes.inspect, version: eyes.version,
		browse: ears.browse, resolve: ears.lookUp,
		machine: machineAt, onLink: directlyConnected,
	}
}

// isLocalName tells the names that are resolved by mDNS (RFC 6762, section 3). The system's resolver mostly cannot, in
// a static binary.
func isLocalName(host string) bool { return strings.HasSuffix(host, ".local") }

// lookUp resolves any host: an address is itself, a .local name goes to the LAN, the rest to the system's resolver.
func (m mdns) lookUp(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	if isLocalName(host) {
		return m.resolve(ctx, host)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("resolving %q: %w", host, err)
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}
