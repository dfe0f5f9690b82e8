package vantage

import (
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// phoneLook is a report and all that is needed to judge it.
type phoneLook struct {
	phoneTask
	results   []PhoneResult // complete
	facts     health.Facts  // as they are now
	homeAfter homeassistant.Fingerprint
	stayed    bool   // the phone is where it was when it began, and away
	from      string // what people call the phone
	now       time.Time
}

// judge is pure. It believes that our Home Assistant was reached when the phone read a greeting with its version, unless the
// phone was at home or says so of a port that nobody has opened. It believes everything else only where every control held.
func (l phoneLook) judge() (PhoneOutcome, []health.Observation) {
	c := l.readControls()
	switch {
	case c.lied:
		return PhoneDoubted, l.untested(health.ReportDoubted)
	case c.inside:
		return PhoneNotAway, l.untested(health.NotAway)
	case !l.stayed:
		return PhoneMoved, l.untested(health.NotAway)
	}
	if seen, doubted := l.reached(c); len(seen) > 0 {
		return PhoneExposed, seen
	} else if doubted {
		return PhoneDoubted, l.untested(health.ReportDoubted)
	}
	if !l.homeAfter.Matches(l.home) {
		return PhoneHomeDown, nil
	}
	return l.rest(c)
}

// reached are the targets at which our Home Assistant greeted. doubted: another one did at some.
func (l phoneLook) reached(c phoneControls) (seen []health.Observation, doubted bool) {
	for i, t := range l.tries {
		if t.sort != phoneIsTarget {
			continue
		}
		for _, r := range l.of(i) {
			version := greeted(r.Message)
			switch {
			case version == "" || !c.believes(t):
				continue
			case version != l.home.Version && version != l.homeAfter.Version:
				doubted = true
				continue
			}
			o := l.observe(t, c)
			o.State, o.Identity, o.Why = health.PortOpen, health.OurHome, health.Connected
			seen = append(seen, o)
			break
		}
	}
	return seen, doubted
}

// rest is about who else answers, and that nobody does. Each target is judged by itself; the outcome is that of the worst.
func (l phoneLook) rest(c phoneControls) (PhoneOutcome, []health.Observation) {
	worst := PhoneNothing
	var seen []health.Observation
	current := phoneTargets(l.facts)
	for i, t := range l.tries {
		if t.sort != phoneIsTarget {
			continue
		}
		outcome, o := l.target(i, t, c, current)
		if slices.Index(phoneWorse, outcome) < slices.Index(phoneWorse, worst) {
			worst = outcome
		}
		if o.State != health.Untested || o.Why != "" {
			seen = append(seen, o)
		}
	}
	return worst, seen
}

// phoneTLSPorts are those behind which one expects TLS. It answers a plain question with a reset, which a browser takes for a
// refusal; only silence says that nobody is there.
var phoneTLSPorts = []uint16{443, 8443}

// phoneWorse is which outcome is told where targets differ: the first.
var phoneWorse = []PhoneOutcome{
	PhoneChanged, PhoneAnswers, PhoneUnproven, PhoneMiddlebox, PhoneBlocked, PhoneRelayed, PhoneBlind, PhoneNothing,
}

func (l phoneLook) target(i int, t phoneTry, c phoneControls, current []phoneTry) (PhoneOutcome, health.Observation) {
	o := l.observe(t, c)
	there := slices.ContainsFunc(current, func(n phoneTry) bool { return n.address == t.address && n.port == t.port })
	results := l.of(i)
	nobody := !slices.ContainsFunc(results, func(r PhoneResult) bool { return !r.Seen.nobody() })
	silent := !slices.ContainsFunc(results, func(r PhoneResult) bool { return r.Seen != PhoneSilence })
	switch {
	case !there:
		o.Why = health.AddressChanged
		return PhoneChanged, o
	case !c.tried && !nobody:
		return PhoneAnswers, o // it may be a captive portal that answers: nothing is kept
	case !c.tried:
		return PhoneUnproven, o
	case c.middlebox:
		o.Why = health.PhoneNetwork
		return PhoneMiddlebox, o
	case !c.held[t.family]:
		o.Why = health.PhoneNetwork
		return PhoneBlocked, o
	case !c.direct:
		o.Why = health.PhoneNetwork
		return PhoneRelayed, o
	case !nobody:
		o.State, o.Identity, o.Why = health.PortOpen, health.Something, health.Connected
		return PhoneAnswers, o
	case !silent && (l.home.TLS != "" || slices.Contains(phoneTLSPorts, t.port)):
		return PhoneBlind, o
	default:
		// A refusal looks like a port that speaks something else, so that it is no PortClosed.
		o.State, o.Why = health.PortFiltered, health.NoAnswer
		return PhoneNothing, o
	}
}

// observe is an observation of a target: untested until its state is set.
func (l phoneLook) observe(t phoneTry, c phoneControls) health.Observation {
	o := health.Observation{
		Round: l.round, Kind: health.Phone, Seat: l.peer, From: l.from, Family: t.family, Address: t.address, Port: t.port,
		Began: l.began, At: l.now,
		Controls: health.Controls{
			HomeBefore: health.Held, HomeAfter: health.HeldIf(l.homeAfter.Matches(l.home)),
			Address: health.Held, Outside: health.Held, // an address that is not ours any more makes no other observation
		},
	}
	if c.tried {
		o.Controls.Decoy = health.HeldIf(!c.middlebox)
		// A network that lets 8123 out, which stands on no list of usual ports, has no such list.
		o.Controls.Reach = health.HeldIf(c.held[t.family])
	}
	return o
}

// untested says of each family why nothing was seen.
func (l phoneLook) untested(why health.Code) (out []health.Observation) {
	for _, family := range health.Families {
		if !slices.ContainsFunc(l.tries, func(t phoneTry) bool { return t.sort == phoneIsTarget && t.family == family }) {
			continue
		}
		out = append(out, health.Observation{
			Round: l.round, Kind: health.Phone, Seat: l.peer, From: l.from, Family: family, Why: why, Began: l.began, At: l.now,
		})
	}
	return out
}

// of is what became of a try, one result for each run.
func (l phoneLook) of(try int) (out []PhoneResult) {
	for _, r := range l.results {
		if r.Try == try {
			out = append(out, r)
		}
	}
	return out
}
