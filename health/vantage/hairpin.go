package vantage

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// Hairpin asks the home's own public IPv4 address from inside. What it proves, and what it does not:
//
// Our own Home Assistant behind that address proves that the router passes the port on to it, because nothing else leads there.
// Everything else proves nothing (facts/exposure.md C, measured): a router that forwards only what comes from outside refuses
// the very port that is open to the internet, and shows its own pages, which nobody outside can see, on others. IPv6 has no
// address to turn around at, so it is not asked. Neither is an address that this machine has, or that lies in a network of its
// own: that way does not lead over the router.
type Hairpin struct {
	dial   homeassistant.Dial
	nearby func(netip.Addr) bool
}

// NewHairpin makes the vantage.
func NewHairpin() *Hairpin {
	return &Hairpin{dial: (&net.Dialer{Timeout: hairpinDial}).DialContext, nearby: isNearby}
}

var _ health.Vantage = (*Hairpin)(nil)

const (
	hairpinEvery = 6 * time.Hour
	hairpinDial  = 4 * time.Second // the router is near: a SYN that was lost twice is sent again after 3 s
	hairpinTries = 3               // at a time: some routers' tables are small
	hairpinName  = "this machine"
)

// Kind is Hairpin.
func (h *Hairpin) Kind() health.Kind { return health.Hairpin }

// Every is six hours.
func (h *Hairpin) Every() time.Duration { return hairpinEvery }

// Look asks at each port behind which Home Assistant may stand.
func (h *Hairpin) Look(ctx context.Context, r health.Round) []health.Observation {
	public := r.Facts.Public[health.IPv4]
	address := public.Address.Unmap()
	if public.Standing != health.Known || !address.Is4() || address == r.Facts.Home.Address || h.nearby(address) {
		return nil
	}
	r.Tell(health.Hairpin, "Asking the home's own public address from inside")
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		seen  []health.Observation
		tries = make(chan struct{}, hairpinTries)
	)
	for _, w := range r.Ports {
		if w.Role != health.RoleHome && w.Role != health.RoleDoor {
			continue
		}
		all.Go(func() {
			tries <- struct{}{}
			defer func() { <-tries }()
			o := h.try(ctx, r, address, w)
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, o)
		})
	}
	all.Wait()
	return seen
}

func (h *Hairpin) try(ctx context.Context, r health.Round, address netip.Addr, w health.Watched) health.Observation {
	at, open := netip.AddrPortFrom(address, w.Port), false
	if r.Home.IsHome() {
		open = h.leadsHome(ctx, r, at, w.Role)
	}
	o := r.Observe(health.Hairpin, string(health.Hairpin), hairpinName, health.IPv4, address, w.Port)
	switch {
	case open:
		o.State, o.Identity, o.Why = health.PortOpen, health.OurHome, health.HairpinOpen
	case !r.Home.IsHome():
		o.Why = health.HomeDown
	case ctx.Err() != nil: // it was not asked to the end
		o.Why, o.Args = health.VantageSilent, health.Args{"from": hairpinName}
	default:
		o.Why, o.Args = health.NothingThere, health.Args{"from": hairpinName}
	}
	return o
}

// leadsHome tells whether our Home Assistant answers there, to the address or, on the ports of reverse proxies, to one of its
// names.
func (h *Hairpin) leadsHome(ctx context.Context, r health.Round, at netip.AddrPort, role health.Role) bool {
	names := []string{""}
	if role == health.RoleDoor {
		names = append(names, r.Facts.Names...)
	}
	for _, name := range names {
		fp, err := homeassistant.TakeFingerprint(ctx, h.dial, at.String(), name)
		if fp.Matches(r.Home) {
			return true
		}
		if err != nil && name == "" || ctx.Err() != nil {
			return false // nothing listens there
		}
	}
	return false
}
