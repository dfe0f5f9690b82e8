package vantage

import (
	"net/netip"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/health/witness"
)

// controls are those that all results of one answer have in common. why is WrongTarget where the witness looked at somebody else's
// address.
func (l *witnessLook) controls(a witness.Answer, ex witness.Exchange, path *witnessPath) (c health.Controls, why health.Code) {
	if path.port != 0 {
		// A datagram that came from elsewhere shows nothing of the way from where the witness looks.
		c.PathBefore = health.HeldIf(path.from[0] == ex.Witness)
		c.PathAfter = health.HeldIf(path.from[1] == ex.Witness)
	}
	c.Outside = health.HeldIf(!l.w.inside(ex))
	if a.Decoy.State != health.Untested {
		c.Decoy = health.HeldIf(a.Decoy.State != health.PortOpen)
	}
	c.Address = l.ours(a.Address, c)
	if l.w.cfg.elsewhere(ex.Local) {
		c.Address = health.Failed
	}
	if c.Address == health.Failed {
		why = health.WrongTarget
	}
	return c, why
}

// ours tells whether the address at which was looked is this home's. For IPv4 the witness is often the only one who knows; then a
// datagram that it sent there and that came here shows it.
func (l *witnessLook) ours(target netip.Addr, c health.Controls) health.Control {
	if l.family == health.IPv6 {
		return health.HeldIf(slices.Contains(l.r.Facts.Own6, target))
	}
	if public := l.r.Facts.Public[health.IPv4]; public.Standing == health.Known {
		return health.HeldIf(public.Address == target)
	}
	if c.PathBefore == health.Held && c.PathAfter == health.Held {
		return health.Held
	}
	return health.NotTried
}

// witnessCodes are the reasons that a witness gives (witness.Result). Any other is none: it would be kept for a year, shown to people,
// and could stand for what only others can know.
var witnessCodes = []health.Code{"", health.Connected, health.Refused, health.Rejected, health.NoAnswer, health.NoRoute}

// read makes an observation of a result.
func (l *witnessLook) read(result witness.Result, controls health.Controls, why health.Code, began time.Time) health.Observation {
	o := l.observe(result.Address, result.Port)
	if !slices.Contains(witnessCodes, result.Why) {
		o.Began, o.Why = began, health.VantageBroken
		return o
	}
	o.Began = began
	o.State, o.Why, o.Controls = result.State, result.Why, controls
	o.Controls.Reach = result.Reach
	if why != "" {
		o.Why, o.Args = why, health.Args{"address": result.Address.String()}
	}
	if o.State == health.Untested && o.Why == "" {
		o.Why = health.VantageSilent
	}
	if o.State == health.PortOpen {
		o.Identity = health.Something
		for _, shown := range result.Shows {
			o.Identity = max(o.Identity, l.who(shown))
		}
	}
	return o
}

func (l *witnessLook) who(s witness.Shown) health.Identity {
	switch {
	case s.Matches(l.r.Home):
		return health.OurHome
	case s.IsHome():
		return health.SomeHome
	default:
		return health.Something
	}
}
