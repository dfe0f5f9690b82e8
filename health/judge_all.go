package health

import (
	"slices"
	"strconv"
	"time"
)

// overall is the worst of the families that apply.
func (j *judge) overall(r *Report) {
	r.Verdict = Closed
	applies := false
	for _, f := range r.Families {
		if !f.Applies {
			continue
		}
		if !applies || f.Verdict.worse(r.Verdict) {
			r.Verdict, r.Reasons = f.Verdict, nil
		}
		if applies = true; f.Verdict == r.Verdict {
			r.Reasons = append(r.Reasons, f.Reasons...)
		}
		for _, d := range f.Doors {
			if d.Verdict == Closed && d.counts() && (r.Until.IsZero() || d.Until.Before(r.Until)) {
				r.Until = d.Until
			}
		}
	}
	if !applies {
		r.Verdict, r.Reasons = Unverified, []Reason{because(PublicUnknown)}
	}
	if r.Reasons = distinct(r.Reasons); r.Reasons == nil {
		r.Reasons = []Reason{}
	}
	if r.Verdict != Closed {
		r.Until = time.Time{}
	}
	for _, e := range j.next {
		if r.Since.IsZero() || e.Since.Before(r.Since) {
			r.Since = e.Since
		}
	}
	for _, reason := range r.Reasons {
		if r.Next = reason.Next(); r.Next != "" {
			break
		}
	}
	switch {
	case r.Verdict == Closed:
		r.Next = ""
	case slices.ContainsFunc(r.Reasons, func(reason Reason) bool { return reason.Next() == DeleteMapping }):
		r.Next = DeleteMapping // which Hearthgate can do itself
	case r.Next == WaitForLook && len(j.facts.able()) == 0:
		r.Next = AddVantage // nobody would come to look
	}
}

// findings are what is worth knowing and no part of the verdict.
func (j *judge) findings(families []FamilyReport) (out []Reason) {
	for _, o := range j.seen {
		if j.now.Sub(o.At) > lifetimes[o.Kind] {
			continue
		}
		// Whether it was said anew is asked last: it means going through everything, and most has nothing to tell.
		switch o.Why {
		case MappingIdle, MappingInner, MappingOther, FirewallOff, Suspected:
			if !j.superseded(o) {
				out = append(out, Reason{o.Why, withFrom(o)})
			}
		default:
			if o.Kind.Outside() && o.State == PortOpen && !j.superseded(o) {
				out = append(out, j.openElsewhere(o)...)
			}
		}
	}
	if j.facts.Cloud {
		out = append(out, because(CloudRemote))
	}
	if able := j.facts.able(); len(able) == 1 && able[0].Kind == Witness && !j.facts.Canary {
		out = append(out, because(LoneWitness))
	}
	return distinct(out)
}

// openElsewhere is what an open port says that is no door of the verdict.
func (j *judge) openElsewhere(o Observation) []Reason {
	port := strconv.Itoa(int(o.Port))
	switch role := j.roleOf(o.Port); {
	case role == RolePage, o.Port == j.facts.Page && j.onlyOurs(o.Address):
		return []Reason{because(PageOpen, "port", port)}
	case role == RoleOther:
		if _, exposed := j.next[o.door()]; !exposed {
			return []Reason{because(OtherOpen, "port", port, "what", Betrays(o.Port))}
		}
	}
	return nil
}

// superseded tells whether the same vantage was asked the same again later.
func (j *judge) superseded(o Observation) bool {
	return slices.ContainsFunc(j.seen, func(p Observation) bool {
		if p.Kind != o.Kind || p.Seat != o.Seat || p.Family != o.Family || !p.At.After(o.At) || p.Round == o.Round {
			return false
		}
		if o.Kind.Outside() {
			return p.door() == o.door() && p.Address == o.Address && p.State != Untested
		}
		return p.Why != NotSupported
	})
}

// looked is when somebody outside last saw anything, and who does.
func (j *judge) looked() (at time.Time, from []string) {
	for _, o := range j.seen {
		if !o.Kind.Outside() || o.State == Untested || j.now.Sub(o.At) > lifetimes[o.Kind] {
			continue
		}
		at = o.At
		if !slices.Contains(from, o.From) {
			from = append(from, o.From)
		}
	}
	return at, from
}
