package surroundings

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/netinfo"
)

const (
	// stateEvery is how often the finder's word is looked at, which costs nothing.
	stateEvery = 5 * time.Second

	// askEvery is how often the router and the witnesses are asked for our address when nothing else happens.
	askEvery = 10 * time.Minute

	// lookEvery is how often the kernel is looked at where it does not tell by itself, or had something to say that was lost.
	lookEvery = time.Minute
)

// Run tells, through Watch, of what may have changed, until ctx ends.
func (s *Surroundings) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all.Go(func() {
		err := s.kernel.watch(ctx, func(netinfo.Change) { s.peek() })
		if err != nil && !errors.Is(err, netinfo.ErrUnsupported) {
			s.cfg.Log.Warn("the kernel is asked once a minute what changed in the network", "error", err)
		}
	})
	states, asks, looks := time.NewTicker(stateEvery), time.NewTicker(askEvery), time.NewTicker(lookEvery)
	defer states.Stop()
	defer asks.Stop()
	defer looks.Stop()
	was := outlineOf(s.cfg.Finder())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-asks.C:
			s.changed()
		case <-looks.C:
			s.peek()
		case <-states.C:
			if is := outlineOf(s.cfg.Finder()); is != was {
				was = is
				s.changed()
			}
		}
	}
}

// outlineOf is what of Home Assistant's state makes a look worth while. A new version is one.
func outlineOf(state homeassistant.State) string {
	return fmt.Sprintf("%t %s %s %s", state.Phase == homeassistant.Found, state.Target, state.UUID, state.Version)
}

// outline is what of the network makes a look worth while. Neighbours come and go all day, and routers announce the same
// addresses every few minutes: only Home Assistant's and the gateways' count, and only when they are others.
type outline string

// peek tells when the network looks other than when it was last looked at.
func (s *Surroundings) peek() {
	n, err := s.kernel.network()
	if err != nil {
		return // the look once a minute tries again
	}
	s.mu.Lock()
	is := n.outline(s.place)
	news := is != s.outline
	s.outline = is
	s.mu.Unlock()
	if news {
		s.changed()
	}
}

// watchOver notes what a look has found, against which peek compares.
func (s *Surroundings) watchOver(p picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place, s.outline = p.place, p.network.outline(p.place)
}

func (n network) outline(p place) outline {
	var lines []string
	for _, a := range n.assigned {
		if !a.Tentative && !a.Prefix.Addr().IsLoopback() {
			lines = append(lines, a.Link+" "+a.Prefix.String())
		}
	}
	for _, r := range n.route {
		macs, _ := n.macsOf(r.Gateway.WithZone(r.Link))
		lines = append(lines, fmt.Sprint("way ", r.Link, r.Gateway, macs))
	}
	for _, e := range n.neighbours {
		ofHome := e.Addr == p.address || slices.Contains(p.macs, e.MAC) && e.Link == p.link
		if e.State == netinfo.NeighbourKnown && ofHome {
			lines = append(lines, fmt.Sprint("home ", e.Addr, e.MAC))
		}
	}
	lines = append(lines, fmt.Sprint(n.onLink6, n.up))
	slices.Sort(lines)
	return outline(fmt.Sprint(lines))
}
