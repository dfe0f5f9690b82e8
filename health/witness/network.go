package witness

import "net/netip"

// network is the part of an address that one household or one provider's customer has: a /64, or a /24.
func network(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the bits suit the family
	return p
}
