package health

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// closed is until when a door is closed, and by whom; or, with a zero time, why it is not.
func (j *judge) closed(d DoorReport) (until time.Time, why []Reason) {
	able := j.facts.able()
	switch {
	case j.facts.Home.Port == 0:
		return time.Time{}, []Reason{because(HomeUnknown)}
	case len(able) == 0:
		return time.Time{}, append([]Reason{because(NoVantage)}, j.answers(d, time.Time{})...)
	case len(d.Addresses) == 0:
		return time.Time{}, j.noTarget(d)
	}
	var by []Reason
	var since time.Time // when the earliest of the looks that found nobody began
	for _, address := range d.Addresses {
		for _, s := range able {
			end, o, reason := j.closedBy(s, d, address)
			if end.IsZero() {
				why = append(why, reason)
				continue
			}
			if until.IsZero() || end.Before(until) {
				until = end
			}
			if since.IsZero() || o.Began.Before(since) {
				since = o.Began // and not At: who saw somebody in the same round has contradicted, and not been followed
			}
			by = append(by, because(ClosedBy, "from", o.From, "at", stamp(o.At)))
		}
	}
	// Whoever looks beside those whose word is needed can still see somebody who answers. Their word counts until those have
	// looked again.
	why = append(why, j.answers(d, since)...)
	if len(why) > 0 {
		return time.Time{}, distinct(why)
	}
	return until, distinct(by)
}

// closedBy is until when one seat's last look at one address counts as closed, and that look; or why it does not.
func (j *judge) closedBy(s Seat, d DoorReport, address netip.Addr) (until time.Time, o Observation, why Reason) {
	o, ok := j.last(s, d.Door, address)
	if !ok {
		return time.Time{}, o, j.unseen(s, d.Door)
	}
	if objections := j.objections(o, address); len(objections) > 0 {
		return time.Time{}, o, objections[0]
	}
	if until = j.renewed(o); until.Before(j.now) {
		return time.Time{}, o, because(Stale)
	}
	return until, o, Reason{}
}

// last is the last look of a seat at one address of a door from which something came.
func (j *judge) last(s Seat, door Door, address netip.Addr) (found Observation, ok bool) {
	for _, o := range j.seen {
		if o.Kind == s.Kind && o.Seat == s.Name && o.door() == door && o.Address == address && o.State != Untested {
			found, ok = o, true
		}
	}
	return found, ok
}

// objections are why an observation does not show that nobody is there; none: it does.
func (j *judge) objections(o Observation, target netip.Addr) (out []Reason) {
	object := func(really bool, code Code, pairs ...string) {
		if really {
			out = append(out, because(code, pairs...))
		}
	}
	port := strconv.Itoa(int(o.Port))
	c, change := o.Controls, j.facts.Changed[o.Family]
	object(!change.At.IsZero() && o.Began.Before(change.At), Changed, "what", string(change.What))
	object(c.HomeBefore != Held || c.HomeAfter != Held, HomeDown)
	object(c.Outside == Failed, VantageInside, "from", o.From)
	object(c.Address == Failed && o.Why == WrongTarget || o.Address != target, WrongTarget, "from", o.From, "address", o.Address.String())
	object(c.Address == Failed && o.Why != WrongTarget, AddressChanged)
	if o.Kind == Globalping && c.PathBefore == NotTried {
		object(true, PathInferred, "from", o.From)
	} else {
		object(c.PathBefore != Held, PathLostBefore, "from", o.From)
		object(c.PathAfter != Held, PathLostAfter, "from", o.From)
	}
	// Over IPv6 few routers let a port be opened; there the canary is a control where it is to be had.
	object(c.Canary == Failed, CanaryLost, "from", o.From)
	object(c.Canary == NotTried && j.facts.Canary && o.Family == IPv4, CanaryNone)
	object(c.Decoy == Failed, AnswersAll)
	object(c.Reach == Failed, ReachBlocked, "from", o.From, "port", port)
	if o.State == PortOpen && !j.known(o) {
		out = append(out, j.stranger(o))
	}
	return out
}

// known tells whether what answers is what the owner said it is: something that is not Home Assistant. Our own page is known by
// itself, where nobody else can be meant. At Home Assistant's own port and IPv6 address it is Home Assistant, whatever anybody said.
func (j *judge) known(o Observation) bool {
	if o.Family == IPv6 && o.Port == j.facts.Home.Port && slices.Contains(j.facts.Home.Global6, o.Address) {
		return false
	}
	named := slices.Contains(j.facts.Known, o.Port) || o.Port == j.facts.Page && (j.roleOf(o.Port) == RolePage || j.onlyOurs(o.Address))
	return named && o.Identity <= Something
}

// onlyOurs tells whether an address is this machine's and not Home Assistant's.
func (j *judge) onlyOurs(a netip.Addr) bool {
	return slices.Contains(j.facts.Own6, a) && !slices.Contains(j.facts.Home.Global6, a)
}

// stranger says who answers at an open port, as far as that is known.
func (j *judge) stranger(o Observation) Reason {
	port := strconv.Itoa(int(o.Port))
	switch {
	case o.Controls.Decoy == Failed:
		return because(AnswersAll)
	case j.facts.Public[o.Family].Shared && o.Identity >= SomeHome:
		return because(Neighbours)
	case o.Identity >= SomeHome:
		return because(OtherHome, "port", port)
	case o.Kind == PortCheck:
		return because(OpenReported, "port", port)
	default:
		return because(SomethingAnswers, "port", port)
	}
}

// answers are who answers at a door since a moment, as every vantage outside saw it last, where that is not known to be harmless.
// The word of one that looks by itself, at an address that is still ours, stands until it looks again, or until those who are needed
// have looked a day later than it: two who contradict each other day by day are no closed, and waiting alone makes none.
func (j *judge) answers(d DoorReport, since time.Time) (out []Reason) {
	latest := make(map[string]Observation)
	for _, o := range j.seen {
		// A port check that finds nobody does not say so of the port (it proves nothing), but it does not see somebody any more.
		if o.door() == d.Door && o.Kind.Outside() && (o.State != Untested || o.Kind == PortCheck && o.Why == NothingThere) {
			latest[string(o.Kind)+"\x00"+o.Seat+"\x00"+o.Address.String()] = o
		}
	}
	for _, o := range latest {
		if o.State != PortOpen || j.known(o) || o.Controls.Outside == Failed {
			continue
		}
		stands := o.Kind != Phone && j.seated(o) && since.Sub(o.At) <= lifetimes[o.Kind] && slices.Contains(d.Addresses, o.Address)
		if stands || !o.At.Before(since) {
			out = append(out, j.stranger(o))
		}
	}
	slices.SortFunc(out, func(a, b Reason) int { return compare(a, b) })
	return distinct(out)
}

// seated tells whether the vantage that saw it is still set up.
func (j *judge) seated(o Observation) bool {
	return slices.ContainsFunc(j.facts.Seats, func(s Seat) bool { return s.Kind == o.Kind && s.Name == o.Seat })
}

func compare(a, b Reason) int {
	switch x, y := string(a.Code)+a.Args["port"], string(b.Code)+b.Args["port"]; {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return 0
	}
}

// noTarget is why there is no address to look at.
func (j *judge) noTarget(d DoorReport) []Reason {
	if d.Family == IPv6 {
		return []Reason{because(NoHomeAddress)}
	}
	public := j.facts.Public[IPv4]
	if public.Standing == Ambiguous {
		return []Reason{because(PublicAmbiguous, "said", strings.Join(public.Said, "; "))}
	}
	for _, s := range j.facts.able() {
		if why := j.unseen(s, d.Door); why.Code != NotLooked {
			return []Reason{why}
		}
	}
	if public.Shared {
		return []Reason{because(Shared)}
	}
	return []Reason{because(NotLooked)}
}

// unseen is why a seat has seen nothing of a door: what it said last, or nothing yet.
func (j *judge) unseen(s Seat, door Door) Reason {
	why := because(NotLooked)
	for _, o := range j.seen {
		if o.Kind != s.Kind || o.Seat != s.Name || o.Family != door.Family || o.Port != 0 && o.Port != door.Port {
			continue
		}
		switch {
		case o.State == Untested && o.Why != "":
			why = Reason{o.Why, withFrom(o)}
		case o.State != Untested: // at another address
			if objections := j.objections(o, o.Address); len(objections) > 0 {
				why = objections[0]
			} else {
				why = because(WrongTarget, "from", o.From, "address", o.Address.String())
			}
		}
	}
	return why
}

func withFrom(o Observation) Args {
	out := Args{"from": o.From, "port": strconv.Itoa(int(o.Port)), "seat": o.Seat}
	maps.Copy(out, o.Args)
	return out
}

// renewed is until when a closed look counts: 26 hours, or as long after as a phone that was away found nothing either, each
// time before it had run out, and never longer than a week.
func (j *judge) renewed(o Observation) time.Time {
	until := o.At.Add(lifetimes[o.Kind])
	for _, p := range j.seen {
		if p.Kind == Phone && p.door() == o.door() && p.Address == o.Address && phoneHolds(p) && p.At.After(o.At) && !p.At.After(until) {
			if later := p.At.Add(lifetimes[Phone]); later.After(until) {
				until = later
			}
		}
	}
	if limit := o.At.Add(renewable); until.After(limit) {
		return limit
	}
	return until
}

// phoneHolds tells whether a phone found nobody, and its controls show that it would have.
func phoneHolds(p Observation) bool {
	c := p.Controls
	return p.nothingThere() && c.Outside == Held && c.Reach == Held && c.Decoy == Held && c.HomeBefore != Failed && c.HomeAfter != Failed &&
		c.Address != Failed
}
