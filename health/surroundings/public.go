package surroundings

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

const (
	// sightingLife is how long a sighting counts: as long as a closed does.
	sightingLife = 26 * time.Hour

	// succession is how much older a sighting is than the newest when it is taken for what was true before it, and not for a
	// contradiction: a home with two lines at once contradicts itself sooner.
	succession = 15 * time.Minute
)

// claims are what is said of the home's address in one family.
type claims struct {
	own        []netip.Addr // this machine's public addresses
	router     netip.Addr   // what the router has outside, as it says
	routerSaid bool         // it said something about it, if only that it has none
	outside    []seen
	home       netip.Addr // Home Assistant's, where it is not this machine's
	noWay      bool       // this machine has no way into the internet over this family, and has one over the other
}

// seen is a sighting, and whether it is worth something alone. Public servers are not: it takes two (package publicaddr).
type seen struct {
	Sighting
	weak bool
}

// current drops what is too old, older than the last change, not of the family, or no address on the internet, and what a newer
// sighting has followed.
func current(all []seen, family health.Family, now, since time.Time) (out []seen) {
	var newest seen
	for _, s := range all {
		s.Address = s.Address.Unmap().WithZone("")
		if now.Sub(s.At) > sightingLife || s.At.Before(since) || !publicaddr.IsPublic(s.Address) || s.Address.Is4() != (family == health.IPv4) {
			continue
		}
		out = append(out, s)
		if s.At.After(newest.At) && !s.weak {
			newest = s
		}
	}
	return slices.DeleteFunc(out, func(s seen) bool {
		return newest.Address.IsValid() && !same(s.Address, newest.Address) && newest.At.Sub(s.At) > succession
	})
}

// same tells whether two addresses mean the same home: in IPv6 a machine has several in its network (RFC 8981).
func same(a, b netip.Addr) bool {
	if a.Is4() || b.Is4() {
		return a == b
	}
	return network64(a) == network64(b)
}

func network64(a netip.Addr) netip.Prefix {
	p, _ := a.Prefix(64)
	return p
}

// public4 says what the claims come to for IPv4. Any two that differ make it ambiguous. That the router has another address
// outside than the one by which the internet sees us, or a private one, or none, shows that somebody else stands in between.
func public4(c claims) health.Public {
	p := health.Public{Standing: health.Unknown}
	sure := c.own
	for _, a := range c.own {
		p.Said = append(p.Said, fmt.Sprintf("this machine has %s", a))
	}
	if c.routerSaid {
		p.Said = append(p.Said, routerSays(c.router))
		p.Shared = !publicaddr.IsPublic(c.router) && len(c.own) == 0
		if publicaddr.IsPublic(c.router) {
			sure = append(slices.Clone(sure), c.router)
		}
	}
	every := slices.Clone(sure)
	if publicaddr.IsPublic(c.home) { // no router stands before it, and what is looked at is somewhere else
		p.Said = append(p.Said, fmt.Sprintf("Home Assistant itself has %s", c.home))
		every = append(every, c.home)
	}
	for _, s := range c.outside {
		p.Said = append(p.Said, s.From+" sees "+s.Address.String())
		every = append(every, s.Address)
		if c.routerSaid && s.Address != c.router && !slices.Contains(c.own, s.Address) {
			p.Shared = true
		}
		if !s.weak {
			sure = append(slices.Clone(sure), s.Address)
		}
	}
	switch {
	case differ(every):
		p.Standing = health.Ambiguous
	case len(sure) > 0:
		p.Standing, p.Address = health.Known, sure[0]
	case c.noWay && !c.routerSaid && len(every) == 0:
		p.Standing = health.Absent
	}
	return p
}

func routerSays(a netip.Addr) string {
	if !a.IsValid() || a.IsUnspecified() {
		return "the router says that it has none"
	}
	return fmt.Sprintf("the router says %s", a)
}

func differ(all []netip.Addr) bool {
	return slices.ContainsFunc(all, func(a netip.Addr) bool { return !same(a, all[0]) })
}

// public6 says what the claims come to for IPv6, where the address is this machine's own and own's first is the one to show.
// Somebody outside who sees another network shows a translation, or a tunnel that takes our packets elsewhere.
func public6(c claims) health.Public {
	p := health.Public{Standing: health.Unknown}
	for _, a := range c.own {
		p.Said = append(p.Said, fmt.Sprintf("this machine has %s", a))
	}
	foreign := false
	for _, s := range c.outside {
		p.Said = append(p.Said, s.From+" sees "+s.Address.String())
		foreign = foreign || !slices.ContainsFunc(c.own, func(a netip.Addr) bool { return same(a, s.Address) })
	}
	switch {
	case foreign:
		p.Standing = health.Ambiguous
	case len(c.own) > 0:
		p.Standing, p.Address = health.Known, c.own[0]
	case c.noWay:
		p.Standing = health.Absent
	}
	return p
}
