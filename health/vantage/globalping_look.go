package vantage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// gpLook is one family's part of a run: the same probes throughout.
type gpLook struct {
	g      *Globalping
	r      health.Round
	family health.Family
	target netip.Addr
	doors  []gpDoor

	began  time.Time
	where  any       // the places, and later the id of the first measurement: the same probes again
	probes []gpProbe // in the order of its results
	canary gpCanary
	decoy  []gpSight // of a port that nobody has opened; nil: not tried
	found  []gpFound
}

// gpFound is what was found at a door.
type gpFound struct {
	gpDoor
	err    error // a trouble; then the rest is empty
	sights []gpSight
	shown  []homeassistant.Fingerprint
}

// A family has less time than its canary is open.
const gpPatience = 110 * time.Second

func (l *gpLook) run(ctx context.Context, withCanary bool) (seen []health.Observation) {
	ctx, cancel := context.WithTimeout(ctx, gpPatience)
	defer cancel()
	l.began = l.r.Now()
	l.places()
	if withCanary && l.g.open != nil {
		defer l.openCanary(ctx)()
	}
	stop := l.lookAtAll(ctx)
	if stop == nil {
		l.tryDecoy(ctx)
		l.canaryAfter(ctx)
	}
	for _, f := range l.found {
		seen = append(seen, l.observation(f))
	}
	return seen
}

// lookAtAll looks at the doors, Home Assistant's own one after the other, and then at once at those besides, for the canary does not
// live long. Who refuses, is busy or away is not asked again; that is what it returns.
func (l *gpLook) lookAtAll(ctx context.Context) (stop error) {
	stop = l.canary.err
	l.found = make([]gpFound, len(l.doors))
	var wg sync.WaitGroup
	for i, d := range l.doors {
		if l.found[i] = (gpFound{gpDoor: d, err: stop}); stop != nil {
			continue
		}
		l.r.Tell(health.Globalping, fmt.Sprintf("asks public probes for port %d over %s", d.port, l.family))
		if d.side && l.probes != nil {
			wg.Go(func() { l.found[i] = l.look(ctx, d) })
			continue
		}
		l.found[i] = l.look(ctx, d)
		stop = l.found[i].err
	}
	wg.Wait()
	for _, f := range l.found {
		if stop == nil {
			stop = f.err
		}
	}
	return stop
}

func (l *gpLook) places() {
	country := ""
	if l.g.public.Country != nil {
		country = l.g.public.Country()
	}
	if len(country) != 2 {
		country = ""
	}
	l.where = gpPlaces(country)
}

// ask makes a measurement with the probes of this look. The first chooses them, anywhere if there are none where they should be.
func (l *gpLook) ask(ctx context.Context, question func(where any) gpQuestion) ([]gpResult, error) {
	m, err := l.g.measure(ctx, l.r, question(l.where))
	if places, choosing := l.where.([]gpLocation); choosing && places[0].Country != "" && l.g.few(m, err) {
		l.where = gpPlaces("")
		m, err = l.g.measure(ctx, l.r, question(l.where))
	}
	if err != nil {
		return nil, err
	}
	if l.probes == nil {
		l.where = m.ID
		for _, r := range m.Results {
			l.probes = append(l.probes, r.Probe)
		}
	}
	out := make([]gpResult, len(l.probes)) // the zero result is one that is gone
	for i, r := range m.Results {
		if i < len(out) && r.Probe == l.probes[i] {
			out[i] = r.Result
		}
	}
	return out, nil
}

// few tells whether there were not enough probes where they should be.
func (g *Globalping) few(m gpMeasurement, err error) bool {
	if err == nil {
		return len(m.Results) < gpProbes
	}
	code, _ := g.service.why(err)
	return code == health.FewProbes
}

// look looks at one door: the ping, then the fetch if there is a test left for it or if somebody is there.
func (l *gpLook) look(ctx context.Context, d gpDoor) gpFound {
	at := netip.AddrPortFrom(l.target, d.port)
	f := gpFound{gpDoor: d}
	f.sights, f.err = l.ping(ctx, at)
	if f.err != nil || len(l.probes) == 0 {
		return f
	}
	f.shown = make([]homeassistant.Fingerprint, len(f.sights))
	if d.pair || anyOpen(f.sights) {
		if f.err = l.fetch(ctx, at, "HTTP", &f); f.err != nil && anyOpen(f.sights) {
			f.err = nil // somebody is there, whatever became of the question who
			return f
		}
	}
	if f.err == nil && anyOpen(f.sights) && !anyHome(f.shown) {
		_ = l.fetch(ctx, at, "HTTPS", &f) // only to learn who it is
	}
	return f
}

func (l *gpLook) ping(ctx context.Context, at netip.AddrPort) ([]gpSight, error) {
	results, err := l.ask(ctx, func(where any) gpQuestion { return gpPing(at, where) })
	sights := make([]gpSight, len(results))
	for i, r := range results {
		sights[i] = r.readPing(at.Addr())
	}
	return sights, err
}

func (l *gpLook) fetch(ctx context.Context, at netip.AddrPort, protocol string, f *gpFound) error {
	results, err := l.ask(ctx, func(where any) gpQuestion { return gpFetch(at, where, protocol) })
	for i, r := range results {
		sight, shown := r.readFetch(at.Addr())
		f.sights[i] = f.sights[i].both(sight)
		if shown.HTTP && !f.shown[i].IsHome() {
			f.shown[i] = shown
		}
	}
	return err
}

// tryDecoy tries a port that nobody has opened, if something was found open: something on the way may answer for everybody.
func (l *gpLook) tryDecoy(ctx context.Context) {
	for _, f := range l.found {
		if anyOpen(f.sights) {
			port := uint16(49152 + rand.IntN(16384)) //nolint:gosec // G404: any will do
			for port == l.canary.at.Port() {
				port--
			}
			if sights, err := l.ping(ctx, netip.AddrPortFrom(l.target, port)); err == nil {
				l.decoy = sights
			}
			return
		}
	}
}

func anyOpen(sights []gpSight) bool { return slices.Contains(sights, gpOpen) }

func anyHome(shown []homeassistant.Fingerprint) bool {
	return slices.ContainsFunc(shown, homeassistant.Fingerprint.IsHome)
}
