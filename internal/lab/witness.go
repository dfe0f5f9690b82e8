package lab

import (
	"fmt"
	"net/netip"
	"testing"
)

// AddWitness adds a server on the internet, as somebody has who rents one: on a network of its own behind its provider's
// router, so that what it sends crosses two routers, the provider's and the internet, before it comes to the home.
func (l *Lab) AddWitness(t testing.TB, name string) *Host {
	t.Helper()
	n := len(l.providers) + 1
	uplink4 := netip.AddrFrom4([4]byte{11, 0, byte(32 + n), 1})
	uplink6 := netip.MustParseAddr(fmt.Sprintf("2a77:db8:e%d::1", n))
	here4 := netip.AddrFrom4([4]byte{11, 0, byte(16 + n), 1})
	here6 := netip.MustParseAddr(fmt.Sprintf("2a77:db8:d%d::1", n))
	provider, err := l.raise(fmt.Sprintf("provider%d", n), here4, here6)
	if err != nil {
		t.Fatalf("adding %s: %v", name, err)
	}
	network := &segment{provider, "hosting", here4, here6}
	near := end{provider, "up", numbered(uplink4, 2), numbered(uplink6, 2)}
	for _, step := range []func() error{
		provider.forward,
		network.up,
		func() error { return cable(end{l.Internet, provider.Name, uplink4, uplink6}, near) },
		func() error { return provider.defaultRoute(uplink4, uplink6) },
		func() error {
			return l.Internet.ip("route add %s/24 via %s\nroute add %s/64 via %s",
				numbered(here4, 0), near.addr4, numbered(here6, 0), near.addr6)
		},
	} {
		if err := step(); err != nil {
			t.Fatalf("adding %s: %v", name, err)
		}
	}
	witness := l.add(t, network, name, 10)
	l.providers[witness] = provider
	return witness
}

// Provider is the router between a witness and the internet; links "hosting" to the witness and "up". It passes on what
// comes, and [Host.Rules] make it one that does not.
func (l *Lab) Provider(witness *Host) *Host { return l.providers[witness] }
