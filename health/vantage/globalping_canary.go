package vantage

import (
	"context"
	"net/netip"

	"github.com/hearthgate/hearthgate/health"
)

// FromCanaries lets Globalping use our canaries.
func FromCanaries(c *Canaries) GlobalpingOpener {
	return func(ctx context.Context, family health.Family) (OpenPort, error) {
		o, err := c.Open(ctx, family)
		if err != nil {
			return OpenPort{}, err
		}
		seen := func() int {
			o.mu.Lock()
			defer o.mu.Unlock()
			return len(o.seen)
		}
		return OpenPort{At: netip.AddrPortFrom(o.Address, o.Port), Sure: o.Sure, Seen: seen, Close: o.Close}, nil
	}
}

// gpCanary is the port that we opened so that the probes can show that they reach us. Its zero value: there is none.
type gpCanary struct {
	port   *OpenPort
	at     netip.AddrPort
	before []gpSight
	after  []gpSight // nil: not asked any more
	err    error     // a trouble of the service, while it chose the probes
}

// openCanary opens the port and has the probes see it; this also chooses them. Where no port can be opened there is no canary, and
// nothing will be closed. The function closes it.
func (l *gpLook) openCanary(ctx context.Context) func() {
	l.r.Tell(health.Globalping, "opens a port for a moment, so that the probes can show that they reach this home")
	port, err := l.g.open(ctx, l.family)
	if err != nil {
		return func() {}
	}
	at := port.At
	if l.family == health.IPv4 {
		at = netip.AddrPortFrom(l.target, at.Port()) // a router may name another one, if there is a second router behind it
	}
	l.canary = gpCanary{port: &port, at: at}
	// A second try, for probes that went away just now: they would make the whole look worthless.
	for range 2 {
		l.probes = nil
		l.places()
		l.canary.before, l.canary.err = l.ping(ctx, at)
		if l.canary.err != nil || l.enough(l.present()) {
			break
		}
	}
	return port.Close
}

// present are the probes that were there to look at the canary, whether they saw it or not.
func (l *gpLook) present() (at []int) {
	for i, s := range l.canary.before {
		if s != gpGone {
			at = append(at, i)
		}
	}
	return at
}

// canaryAfter has the probes see it again: what shut them out in between, an adaptive firewall for one, would look like closed.
func (l *gpLook) canaryAfter(ctx context.Context) {
	if l.canary.port != nil {
		if sights, err := l.ping(ctx, l.canary.at); err == nil {
			l.canary.after = sights
		}
	}
}

// controls says what held for the probes that count.
func (c gpCanary) controls(counted []int, into *health.Controls) {
	if c.port == nil {
		return
	}
	into.PathBefore = seenBy(c.before, counted)
	into.PathAfter = seenBy(c.after, counted)
	switch {
	case !c.port.Sure && into.PathBefore == health.Failed:
		into.PathBefore, into.PathAfter = health.NotTried, health.NotTried
	case into.PathBefore == health.Failed || into.PathAfter == health.Failed:
		into.Canary = health.Failed
	case into.PathBefore == health.Held && into.PathAfter == health.Held:
		// Whoever answers in our place makes the probes see a port at which nobody arrived.
		into.Canary = health.HeldIf(c.port.Seen() > 0)
	}
}

// seenBy is Held only if each of the probes saw it, and NotTried if nobody was asked.
func seenBy(sights []gpSight, counted []int) health.Control {
	if len(sights) == 0 || len(counted) == 0 {
		return health.NotTried
	}
	for _, i := range counted {
		if sights[i] != gpOpen {
			return health.Failed
		}
	}
	return health.Held
}
