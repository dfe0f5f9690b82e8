package surroundings

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// How old an answer may be before the same is asked again. The router is asked before and after every round; one that speaks
// nothing is not searched for each time. Witnesses have a budget, and say by themselves from where they see us with every
// look. A change makes all of them ask again.
const (
	routerAge  = 10 * time.Second
	silentAge  = 10 * time.Minute
	witnessAge = 5 * time.Minute
	publicAge  = 10 * time.Minute
	unsureAge  = time.Minute // where they contradict somebody: perhaps they are only late
	placesAge  = 10 * time.Minute
	heardAge   = 10 * time.Minute
	stirredAge = 10 * time.Minute

	askTime = 15 * time.Second // for all of them together
)

// answer is what somebody said, and when.
type answer[T any] struct {
	at    time.Time
	value T
	ok    bool // it is an answer, and not the lack of one
}

func (a answer[T]) older(now time.Time, than time.Duration) bool {
	age := now.Sub(a.at)
	return a.at.IsZero() || age > than || age < 0
}

// asks are the last answers.
type asks struct {
	router  answer[gateway.Picture]
	places  answer[homeassistant.Places]
	heard   answer[homeassistant.Hearsay]
	public  [2]answer[publicaddr.Result]
	asked   time.Time // the witnesses
	unsure  [2]bool   // the last look left the address ambiguous
	stirred time.Time
	met     netip.Addr // Home Assistant's address then; zero: it was no neighbour
}

// everybody asks all who may be asked and whose answer is old, at the same time.
func (s *Surroundings) everybody(ctx context.Context, setup health.Setup, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	a, c := &s.asks, s.cfg
	var all sync.WaitGroup
	defer all.Wait()
	routerLife := routerAge
	if len(a.router.value.Speaks) == 0 {
		routerLife = silentAge
	}
	if c.Router != nil && a.router.older(now, routerLife) {
		all.Go(func() {
			p, err := c.Router(ctx)
			if err != nil && errors.Is(ctx.Err(), context.Canceled) {
				return // nobody waits for it any more, which says nothing of the router
			}
			if a.router = (answer[gateway.Picture]{now, p, err == nil}); err != nil && !errors.Is(err, gateway.ErrNoGateway) {
				c.Log.Debug("the router did not say its address", "error", err)
			}
		})
	}
	if setup.HomeToken.IsZero() {
		a.places = answer[homeassistant.Places]{}
	} else if c.Places != nil && a.places.older(now, placesAge) {
		all.Go(func() {
			p, err := c.Places(ctx)
			if err != nil { // what it said before is more than nothing
				c.Log.Debug("asking home assistant for its addresses failed", "error", err)
				p = a.places.value
			}
			a.places = answer[homeassistant.Places]{now, p, err == nil}
		})
	}
	if c.Heard != nil && a.heard.older(now, heardAge) {
		all.Go(func() {
			h, err := c.Heard(ctx)
			if err != nil {
				h = a.heard.value
			}
			a.heard = answer[homeassistant.Hearsay]{now, h, err == nil}
		})
	}
	if c.Witness != nil && len(setup.Witnesses) > 0 && now.Sub(a.asked).Abs() > witnessAge {
		a.asked = now
		all.Go(func() { c.Witness.Addresses(ctx) })
	}
	for i, family := range health.Families {
		life := publicAge
		if a.unsure[i] {
			life = unsureAge
		}
		if !setup.Globalping && !setup.PortCheck && !setup.InternetDB {
			a.public[i] = answer[publicaddr.Result]{} // the household has changed its mind
		} else if c.Public != nil && a.public[i].older(now, life) {
			all.Go(func() { a.public[i] = answer[publicaddr.Result]{now, c.Public(ctx, family), true} })
		}
	}
}

// forget makes everybody be asked again.
func (s *Surroundings) forget() { s.asks = asks{} }

// outside is what those outside saw, in one family.
func (s *Surroundings) outside(i int, family health.Family, setup health.Setup) (all []seen) {
	if s.cfg.Witness != nil && len(setup.Witnesses) > 0 {
		if addr, at, from := s.cfg.Witness.LastSeen(family); addr.IsValid() {
			all = append(all, seen{Sighting: Sighting{from, addr, at}})
		}
	}
	if a := s.asks.public[i]; a.ok {
		all = append(all, fromPublic(a.value, a.at)...)
	}
	return all
}

// fromPublic turns what public servers said into sightings: one that counts where they agree, else one each, which can
// contradict and not confirm.
func fromPublic(r publicaddr.Result, at time.Time) (all []seen) {
	if r.Standing == publicaddr.Known {
		return []seen{{Sighting: Sighting{"public servers", r.Addr, at}}}
	}
	for _, said := range r.Said {
		if said.Err == nil && !said.Odd && said.Addr.IsValid() {
			all = append(all, seen{Sighting{said.By, said.Addr, at}, true})
		}
	}
	return all
}
