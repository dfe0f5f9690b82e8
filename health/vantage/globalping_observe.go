package vantage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// observation puts together what the probes found at a door.
func (l *gpLook) observation(f gpFound) health.Observation {
	g := l.g
	o := l.r.Observe(health.Globalping, string(health.Globalping), g.service.name, l.family, l.target, f.port)
	o.Began = l.began
	if f.err != nil {
		o.Why, o.Args = g.service.why(f.err)
		return o
	}
	counted := l.counted(f.sights)
	if len(counted) > 0 {
		o.From = l.from(counted)
	}
	o.Args = health.Args{"from": o.From}
	if anyOpen(f.sights) {
		o.State, o.Why, o.Identity = health.PortOpen, health.Connected, identify(f.shown, l.r.Home)
		o.Controls.Reach = health.Held
		o.Controls.Address = health.Held // the probes name the address to which they connected
		o.Controls.Decoy = l.decoyed(counted)
		o.Controls.Outside = health.HeldIf(l.networks(counted) >= gpNetworks)
		if o.Controls.Outside == health.Failed {
			o.Controls.Outside = health.NotTried // one network could be ours
		}
		l.canary.controls(counted, &o.Controls)
		return o
	}
	if !l.enough(counted) {
		o.Why = health.FewProbes
		return o
	}
	o.State, o.Why = nobodyThere(f.sights, counted)
	o.Controls.Address, o.Controls.Outside = health.Held, health.Held
	if o.Why == health.Refused {
		o.Controls.Reach = health.Held // the port of all others answered, with no
	}
	l.canary.controls(counted, &o.Controls)
	if o.Controls.Canary == health.NotTried { // there was none, or nobody knows whether it could be seen
		o.Why = health.PathInferred
	}
	return o
}

// counted are the probes whose word counts: who saw it open, and who was there for the door and for the canary.
func (l *gpLook) counted(sights []gpSight) (at []int) {
	for i, s := range sights {
		there := s != gpGone && s != gpVague && !gone(l.canary.before, i) && !gone(l.canary.after, i)
		if s == gpOpen || there {
			at = append(at, i)
		}
	}
	return at
}

func gone(sights []gpSight, i int) bool { return i < len(sights) && sights[i] == gpGone }

// enough tells whether the probes are three in two networks.
func (l *gpLook) enough(counted []int) bool {
	return len(counted) >= gpProbes && l.networks(counted) >= gpNetworks
}

func (l *gpLook) networks(counted []int) int {
	asns := map[int]bool{}
	for _, i := range counted {
		if l.probes[i].ASN > 0 {
			asns[l.probes[i].ASN] = true
		}
	}
	return len(asns)
}

// from is "3 probes in DE, US".
func (l *gpLook) from(counted []int) string {
	var countries []string
	for _, i := range counted {
		if c := l.probes[i].Country; len(c) == 2 {
			countries = append(countries, harmless(strings.ToUpper(c)))
		}
	}
	slices.Sort(countries)
	text := fmt.Sprintf("%d Globalping probes", len(counted))
	if len(counted) == 1 {
		text = "a Globalping probe"
	}
	if countries = slices.Compact(countries); len(countries) > 0 {
		text += " in " + strings.Join(countries, ", ")
	}
	return text
}

// nobodyThere is closed only where every probe was refused; otherwise it is filtered, and says what most of it was.
func nobodyThere(sights []gpSight, counted []int) (health.State, health.Code) {
	refused, rejected := 0, 0
	for _, i := range counted {
		switch sights[i] {
		case gpRefused:
			refused++
		case gpRejected:
			rejected++
		default:
		}
	}
	switch {
	case refused == len(counted):
		return health.PortClosed, health.Refused
	case refused+rejected == len(counted):
		return health.PortFiltered, health.Rejected
	default:
		return health.PortFiltered, health.NoAnswer
	}
}

func (l *gpLook) decoyed(counted []int) health.Control {
	if anyOpen(l.decoy) {
		return health.Failed
	}
	for _, i := range counted {
		if i >= len(l.decoy) || l.decoy[i] == gpGone {
			return health.NotTried
		}
	}
	return health.Held
}

// identify says who answered, by the best that any of them showed.
func identify(shown []homeassistant.Fingerprint, home homeassistant.Fingerprint) health.Identity {
	best := health.Something
	for _, fp := range shown {
		switch {
		case fp.Matches(home):
			return health.OurHome
		case fp.IsHome():
			best = health.SomeHome
		}
	}
	return best
}
