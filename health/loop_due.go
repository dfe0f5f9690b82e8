package health

import (
	"net/netip"
	"slices"
	"time"
)

// This file is about when a vantage looks again, other than after its interval.

// looked tells whether a vantage looked, whatever it found: also what proves nothing, and makes no state, was a look.
func (o Observation) looked() bool {
	switch o.Why {
	case NothingThere, NotSupported, Suspected, MappingIdle, MappingInner, MappingOther, FirewallOff:
		return true
	default:
		return o.State != Untested
	}
}

// lookedAt is when a kind of vantage last looked. A service that is asked once a day or a week has been asked when it refused, too.
func lookedAt(seen []Observation, kind Kind) (at time.Time) {
	rationed := kind == PortCheck || kind == InternetDB
	for _, o := range seen {
		if o.Kind == kind && o.At.After(at) && (rationed || o.looked()) {
			at = o.At
		}
	}
	return at
}

// hasten lets those look soon whose word is worth nothing now: since they looked something changed, or Home Assistant got an IPv6
// address, or an update, after which it shows itself otherwise. mu is held.
func (l *Loop) hasten(now time.Time) {
	for _, v := range l.cfg.Vantages {
		kind := v.Kind()
		if l.due[kind].Sub(now) > v.Every()*5/4 { // the clock was put back
			l.due[kind] = now
		}
		if l.outdated(kind) {
			l.due[kind] = earlier(l.due[kind], l.notBefore(kind, now))
		}
	}
	if l.deepDue.Sub(now) > deep*5/4 {
		l.deepDue = now.Add(jitter(deep))
	}
}

func (l *Loop) outdated(kind Kind) bool {
	if !slices.ContainsFunc(l.facts.Seats, func(s Seat) bool { return s.Kind == kind }) {
		return false // nobody is set up
	}
	last := lookedAt(l.seen, kind)
	for _, family := range Families {
		if change := l.facts.Changed[family]; !change.At.IsZero() && last.Before(change.At) {
			return true
		}
	}
	proves := kind == Witness || kind == Globalping
	return proves && l.shown.IsHome() && l.home.IsHome() && !l.home.Matches(l.shown) ||
		kind == Witness && slices.ContainsFunc(l.facts.Home.Global6, l.unknown)
}

// unknown tells whether no witness was ever asked about an address; that it did not answer, or may not look, is known.
func (l *Loop) unknown(a netip.Addr) bool {
	return !slices.ContainsFunc(l.seen, func(o Observation) bool { return o.Kind == Witness && o.Address == a })
}

// quiet are the IPv6 addresses of Home Assistant at which nobody listens, as two looks from inside say, during which it answered
// elsewhere. When it was down, they are those of before: then all its addresses refuse.
func quiet(f Facts, before, after HomeLook, was []netip.Addr) (out []netip.Addr) {
	if !before.Fingerprint.IsHome() || !after.Fingerprint.IsHome() {
		return was
	}
	for _, a := range f.Home.Global6 {
		_, first := before.at(IPv6, a)
		_, second := after.at(IPv6, a)
		if first && second {
			out = append(out, a)
		}
	}
	return out
}

// without are the facts less the addresses at which nobody listens. If there are no others, nothing can be reached over IPv6.
func (f Facts) without(quiet []netip.Addr) Facts {
	if len(f.Home.Global6) == 0 {
		return f
	}
	f.Home.Global6 = slices.DeleteFunc(slices.Clone(f.Home.Global6), func(a netip.Addr) bool { return slices.Contains(quiet, a) })
	if len(f.Home.Global6) == 0 && len(f.Not6) == 0 {
		f.Home.IPv6 = Absent
	}
	return f
}
