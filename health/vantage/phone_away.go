package vantage

import (
	"net/netip"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// away gives where the phone is, if it is shown to be away: its packets come from an address of the internet that is not the
// home's, and it has shaken hands lately, so that the address is where it is now.
func (p *Phone) away(peerID string, f health.Facts) (netip.AddrPort, error) {
	endpoint, shaken := p.cfg.Endpoint(peerID)
	age := p.cfg.Now().Sub(shaken)
	if shaken.IsZero() || age > phoneHandshake || !outside(endpoint.Addr(), f) {
		return netip.AddrPort{}, PhoneRefusal(PhoneNotAway)
	}
	return endpoint, nil
}

// outside tells whether an address is shown not to be the home's: one of the internet, in a family in which it is known what
// is the home's.
func outside(a netip.Addr, f health.Facts) bool {
	a = a.Unmap()
	if !publicaddr.IsPublic(a) {
		return false
	}
	if a.Is4() {
		four := f.Public[health.IPv4]
		return four.Standing == health.Absent || four.Standing == health.Known && four.Address.Unmap() != a
	}
	ours := ourSix(f)
	if len(ours) == 0 {
		return f.Home.IPv6 == health.Absent
	}
	for _, own := range ours {
		if near(own, a, homePrefix) {
			return false
		}
	}
	return true
}

// homePrefix is what providers give to a household at most in practice (RFC 6177: a /56, or a /48 to few).
const homePrefix = 56

func ourSix(f health.Facts) []netip.Addr {
	out := append([]netip.Addr{}, f.Own6...)
	out = append(out, f.Home.Global6...)
	if six := f.Public[health.IPv6]; six.Standing == health.Known {
		out = append(out, six.Address)
	}
	return out
}

func near(a, b netip.Addr, bits int) bool {
	p, err := a.Prefix(bits)
	return err == nil && p.Contains(b)
}

// sameNetwork tells whether two addresses may be those of one phone at one moment. A carrier's NAT spreads one phone over
// the addresses of a pool (RFC 6888, REQ-2, asks it not to); a phone has several IPv6 addresses in one /64 (RFC 8981).
func sameNetwork(a, b netip.Addr) bool {
	if a.Is4() {
		return b.Is4() && near(a, b, 24)
	}
	return b.Is6() && near(a, b, 64)
}

func familyOf(a netip.Addr) health.Family {
	if a.Is4() {
		return health.IPv4
	}
	return health.IPv6
}
