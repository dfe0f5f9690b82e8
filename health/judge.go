package health

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// closedGap is how far apart the two looks are after which an exposure is over (facts: doors that open by a schedule, or that a
	// router opens again by itself).
	closedGap = 10 * time.Minute

	// renewable is how long a phone's word can prolong what a witness saw: it renews a closed, and never makes one.
	renewable = 7 * 24 * time.Hour
)

// Judge reduces what was seen to a verdict. It is a pure function: seen may be in any order and may hold what is too old or of
// no use; past is the Past of the report before, and what it says stood exposed stays so until it was seen closed twice.
//
// For each door, in this order: one sighting of our Home Assistant makes it exposed, whoever says otherwise; what stood exposed
// stays exposed until cleared; a look that does not count, or somebody who answers and is not known, makes it unverified; and
// closed it is only when every vantage whose word is needed saw nobody there, with all its controls, at the right address, not
// longer ago than 26 hours, and with nothing changed since.
func Judge(now time.Time, f Facts, seen []Observation, past Past) Report {
	j := &judge{now: now, facts: f, past: past, next: Past{}}
	for _, o := range seen {
		if age := now.Sub(o.At); age <= j.memory(o) && age >= -maxSkew && !o.Began.After(o.At) {
			j.seen = append(j.seen, o)
		}
	}
	slices.SortStableFunc(j.seen, func(a, b Observation) int { return a.At.Compare(b.At) })
	r := Report{JudgedAt: now, Reasons: []Reason{}, Findings: []Reason{}}
	for _, family := range Families {
		r.Families = append(r.Families, j.family(family))
	}
	j.overall(&r)
	r.Findings = append(r.Findings, j.findings(r.Families)...)
	r.CheckedAt, r.From = j.looked()
	r.Past = j.next
	return r
}

type judge struct {
	now   time.Time
	facts Facts
	seen  []Observation // in the order of time; what may still count
	past  Past
	next  Past
}

// memory is how long an observation is of use: what was seen from outside longer than it would count by itself, because it may
// be renewed, or show that a door was cleared, or that somebody answered after the last that found nobody.
func (j *judge) memory(o Observation) time.Duration {
	if o.Kind.Outside() && o.State != Untested {
		return renewable
	}
	return lifetimes[o.Kind]
}

func (j *judge) family(family Family) FamilyReport {
	r := FamilyReport{Family: family, Applies: j.facts.applies(family), Reasons: []Reason{}, Doors: []DoorReport{}}
	for _, w := range j.watched(family) {
		r.Doors = append(r.Doors, j.door(family, w))
	}
	counted := slices.DeleteFunc(slices.Clone(r.Doors), func(d DoorReport) bool { return !d.counts() })
	if !r.Applies && !slices.ContainsFunc(counted, func(d DoorReport) bool { return d.Verdict == Exposed }) {
		return r
	}
	r.Applies = true
	r.Verdict = Closed
	if why := j.blind(family); len(why) > 0 {
		r.Verdict, r.Reasons = Unverified, why
	}
	for _, d := range counted {
		if d.Verdict.worse(r.Verdict) {
			r.Verdict, r.Reasons = d.Verdict, nil
		}
		if d.Verdict == r.Verdict {
			r.Reasons = append(r.Reasons, d.Reasons...)
		}
	}
	r.Reasons = distinct(r.Reasons)
	return r
}

// counts tells whether a door is part of the verdict. Our own page's and the ports of other things are findings of their own,
// unless Home Assistant is behind them.
func (d DoorReport) counts() bool {
	return d.Role == RoleHome || d.Role == RoleDoor || d.Verdict == Exposed
}

// watched are the ports that every round looks at, those behind which Home Assistant was seen, and those that stood exposed.
func (j *judge) watched(family Family) []Watched {
	out := j.facts.Ports()
	add := func(port uint16) {
		if port != 0 && !slices.ContainsFunc(out, func(w Watched) bool { return w.Port == port }) {
			out = append(out, Watched{port, RoleOther})
		}
	}
	for _, o := range j.seen {
		if o.Family == family && j.exposes(o) {
			add(o.Port)
		}
	}
	for _, door := range slices.SortedFunc(maps.Keys(j.past), func(a, b Door) int { return cmp.Compare(a.Port, b.Port) }) {
		if door.Family == family {
			add(door.Port)
		}
	}
	return out
}

// blind is why a whole family cannot be judged, whatever was seen at its doors; empty: it can.
func (j *judge) blind(family Family) []Reason {
	switch {
	case j.facts.Home.Port == 0:
		return []Reason{because(HomeUnknown)}
	case len(j.facts.able()) == 0:
		return []Reason{because(NoVantage)}
	case family == IPv6 && len(j.facts.Not6) > 0:
		return []Reason{because(OtherPrefix, "addresses", join(j.facts.Not6))}
	case family == IPv6 && len(j.facts.Home.Global6) == 0:
		return []Reason{because(NoHomeAddress)}
	default:
		return nil
	}
}

func (j *judge) door(family Family, w Watched) DoorReport {
	d := DoorReport{
		Door: Door{family, w.Port}, Role: w.Role, Addresses: j.facts.targets(family, w.Role), Reasons: []Reason{},
		Known: slices.Contains(j.facts.Known, w.Port),
	}
	for _, o := range j.seen {
		if o.door() == d.Door && o.Kind.Outside() && o.State != Untested {
			d.CheckedAt, d.Open = o.At, o.State == PortOpen
		}
	}
	if e, stands := j.standing(d.Door); stands {
		j.next[d.Door] = e
		d.Verdict, d.Open = Exposed, true
		d.Reasons = append(d.Reasons, j.sightings(d.Door, e)...)
		return d
	}
	d.Until, d.Reasons = j.closed(d)
	if !d.Until.IsZero() {
		d.Verdict = Closed
	}
	return d
}

// exposes tells whether one observation, for itself, makes its door exposed.
func (j *judge) exposes(o Observation) bool {
	if o.State != PortOpen || o.Identity != OurHome || j.now.Sub(o.At) > lifetimes[o.Kind] {
		return false
	}
	public := j.facts.Public[o.Family]
	switch o.Kind {
	case Witness, Globalping, Phone, PortCheck:
		// At an address that others share, or that is not shown to be ours, a Home Assistant of the same make may be somebody else's,
		// unless the line is shown to be ours. Who stands inside reaches what nobody outside can.
		ours := o.Controls.PathBefore == Held || o.Controls.PathAfter == Held || o.Controls.Canary == Held
		return o.Controls.Outside != Failed && (ours || !public.Shared && o.Controls.Address != Failed)
	case Router:
		// A mapping on a router that is not itself on the internet opens nothing there.
		return o.Why == Mapped && !public.Shared && (public.Standing != Known || !o.Address.IsValid() || o.Address == public.Address)
	case Hairpin:
		return !public.Shared
	case Notices:
		return true
	default:
		return false
	}
}

// standing is what is known of an exposed door: from now, or from before and not cleared since.
func (j *judge) standing(door Door) (e Exposure, stands bool) {
	e, stands = j.past[door]
	if e.Last.After(j.now.Add(maxSkew)) { // the clock was put right
		e.Last = j.now
	}
	for _, o := range j.seen {
		if o.door() != door || !j.exposes(o) {
			continue
		}
		if !stands {
			e, stands = Exposure{Since: o.At, Inside: true}, true
		}
		if !o.At.Before(e.Last) {
			e.Last, e.Reason = o.At, sighting(o)
		}
		if !slices.Contains(e.Kinds, o.Kind) {
			e.Kinds = append(slices.Clone(e.Kinds), o.Kind)
		}
		e.Inside = e.Inside && !o.Kind.Outside()
	}
	if j.facts.applies(door.Family) {
		e.Absent = time.Time{}
	} else if e.Absent.IsZero() || e.Absent.After(j.now) {
		e.Absent = j.now
	}
	return e, stands && !j.cleared(door, e)
}

// sighting says in a reason how an observation makes its door exposed.
func sighting(o Observation) Reason {
	port := strconv.Itoa(int(o.Port))
	switch o.Kind {
	case Router, Hairpin, Notices:
		r := Reason{Code: o.Why, Args: maps.Clone(o.Args)}
		if r.Args == nil {
			r.Args = Args{}
		}
		for name, value := range map[string]string{"address": o.Address.String(), "port": port, "external": port} {
			if _, ok := r.Args[name]; !ok {
				r.Args[name] = value
			}
		}
		return r
	default:
		return because(SeenOpen, "from", o.From, "address", o.Address.String(), "port", port)
	}
}

// sightings are the reasons of an exposed door: who sees it open now, or since when it is thought to be.
func (j *judge) sightings(door Door, e Exposure) (out []Reason) {
	latest := make(map[string]Observation)
	for _, o := range j.seen {
		if o.door() == door && (o.State != Untested || o.Kind == Router || o.Kind == Notices) {
			latest[string(o.Kind)+"\x00"+o.Seat] = o
		}
	}
	for _, key := range slices.Sorted(maps.Keys(latest)) {
		if o := latest[key]; j.exposes(o) && !j.lookedSince(o) {
			out = append(out, sighting(o))
		}
	}
	if len(out) == 0 {
		if e.Reason.Code != "" {
			out = append(out, e.Reason)
		}
		out = append(out, because(NotYetClosed, "since", stamp(e.Since)))
	}
	return distinct(out)
}

// lookedSince tells whether an inside source was asked again after an observation and did not repeat it.
func (j *judge) lookedSince(o Observation) bool {
	return slices.ContainsFunc(j.seen, func(p Observation) bool {
		return p.Kind == o.Kind && p.Seat == o.Seat && p.speaksOf(o.Family) && p.At.After(o.At) && p.Why == NothingThere
	})
}

// cleared tells whether a door that was exposed has been seen closed twice since, closedGap apart, and by two vantages where
// two that can prove it are set up. Where none is, two looks of whoever saw it, that find it gone, end the exposure; what
// follows is unverified, because a closed it cannot be. And it is over when the household has had no address of that family in as
// many looks of anybody: then there is nothing to be reached, and nobody who could look.
func (j *judge) cleared(door Door, e Exposure) bool {
	if !e.Absent.IsZero() {
		return apart(slices.DeleteFunc(slices.Clone(j.seen), func(o Observation) bool {
			return o.Kind == Phone || o.Began.Before(e.Absent) || !o.At.After(e.Last)
		}))
	}
	role := j.roleOf(door.Port)
	able := j.ableAt(door, role)
	if len(able) == 0 || e.Inside && !j.triedBy(able, door) {
		return j.gone(door, e)
	}
	var runs []Observation
	for _, s := range able {
		runs = append(runs, j.runs(s, door, role, e.Last)...)
	}
	if !apart(runs) {
		return false
	}
	who := make(map[string]bool)
	for _, o := range runs {
		who[string(o.Kind)+o.Seat] = true
	}
	return len(able) < 2 || len(who) >= 2
}

// ableAt are the seats whose looks can clear a door: all witnesses, and public probes that have looked at all of its addresses in
// one round. They look at few ports, and at one IPv6 address only; what they never do nobody must wait for.
func (j *judge) ableAt(door Door, role Role) (out []Seat) {
	for _, s := range j.facts.Seats {
		if s.Able && (s.Kind == Witness || j.triesAll(s, door, role)) {
			out = append(out, s)
		}
	}
	return out
}

// triesAll tells whether a seat has, in one round, tried a door at all of its addresses; whatever it found.
func (j *judge) triesAll(s Seat, door Door, role Role) bool {
	tried := make(map[string]map[netip.Addr]bool)
	for _, o := range j.seen {
		if o.Kind == s.Kind && o.Seat == s.Name && o.door() == door && o.State != Untested {
			if tried[o.Round] == nil {
				tried[o.Round] = make(map[netip.Addr]bool)
			}
			tried[o.Round][o.Address] = true
		}
	}
	targets := j.facts.targets(door.Family, role)
	for _, addresses := range tried {
		if !slices.ContainsFunc(targets, func(a netip.Addr) bool { return !addresses[a] }) {
			return true
		}
	}
	return false
}

// triedBy tells whether one of the seats has ever tried a door: a witness tries only ports of a fixed list, and a mapping may be of any.
func (j *judge) triedBy(seats []Seat, door Door) bool {
	return slices.ContainsFunc(j.seen, func(o Observation) bool {
		return o.door() == door && o.State != Untested && slices.ContainsFunc(seats, func(s Seat) bool { return s.Kind == o.Kind && s.Name == o.Seat })
	})
}

// runs are the looks of one seat after a moment that found every address of a door closed, one observation for each.
func (j *judge) runs(s Seat, door Door, role Role, after time.Time) (out []Observation) {
	targets := j.facts.targets(door.Family, role)
	found := make(map[string]map[netip.Addr]bool)
	for _, o := range j.seen {
		if o.Kind != s.Kind || o.Seat != s.Name || o.door() != door || o.Began.Before(after) || len(j.objections(o, o.Address)) > 0 {
			continue
		}
		if found[o.Round] == nil {
			found[o.Round] = make(map[netip.Addr]bool)
		}
		found[o.Round][o.Address] = true
		if len(targets) > 0 && !slices.ContainsFunc(targets, func(a netip.Addr) bool { return !found[o.Round][a] }) {
			out = append(out, o)
		}
	}
	return out
}

// gone tells whether every kind of vantage that saw a door open has looked twice since, and not seen it again.
func (j *judge) gone(door Door, e Exposure) bool {
	for _, kind := range e.Kinds {
		var looks []Observation
		for _, o := range j.seen {
			if o.Kind == kind && o.speaksOf(door.Family) && o.At.After(e.Last) && foundGone(o, door) {
				looks = append(looks, o)
			}
		}
		if !apart(looks) {
			return false
		}
	}
	return true
}

// foundGone tells whether an observation says that nobody is behind a door any more, for what its vantage can say.
func foundGone(o Observation, door Door) bool {
	switch c := o.Controls; {
	case o.Kind == Phone:
		return o.door() == door && phoneHolds(o)
	case o.Kind.Outside(): // public probes without a canary, say, which make no closed but see what they saw gone
		return o.door() == door && o.nothingThere() && c.HomeBefore == Held && c.HomeAfter == Held && c.Address == Held &&
			c.Decoy != Failed && c.Reach != Failed
	}
	return (o.Port == 0 || o.Port == door.Port) && (o.Why == NothingThere || o.Why == MappingIdle || o.Why == MappingOther)
}

// apart tells whether two of the looks lie closedGap apart. They are those of one door.
func apart(looks []Observation) bool {
	if len(looks) < 2 {
		return false
	}
	first, last := looks[0].At, looks[0].At
	for _, o := range looks {
		if o.At.Before(first) {
			first = o.At
		}
		if o.At.After(last) {
			last = o.At
		}
	}
	return last.Sub(first) >= closedGap
}

func (j *judge) roleOf(port uint16) Role {
	for _, w := range j.facts.Ports() {
		if w.Port == port {
			return w.Role
		}
	}
	return RoleOther
}

func join(addrs []netip.Addr) string {
	words := make([]string, len(addrs))
	for i, a := range addrs {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
