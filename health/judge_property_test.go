package health

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// chance draws households and what was seen of them.
type chance struct{ *rand.Rand }

func pick[T any](c chance, from ...T) T { return from[c.IntN(len(from))] }

func (c chance) facts() Facts {
	f := pick(c, household(), dualStack())
	f.Public[IPv4] = Public{Standing: pick(c, Known, Known, Known, Unknown, Ambiguous), Address: pub4, Shared: c.IntN(6) == 0}
	f.Seats = f.Seats[:c.IntN(len(f.Seats)+1)]
	if c.IntN(3) == 0 {
		f.Seats = append(slices.Clone(f.Seats), Seat{Witness, "lake", true})
	}
	if c.IntN(4) == 0 {
		f.Seats = append(slices.Clone(f.Seats), Seat{Globalping, "globalping", c.IntN(2) == 0})
	}
	f.Canary = c.IntN(5) == 0
	if c.IntN(4) == 0 {
		f.Changed = map[Family]Change{pick(c, Families...): {noon.Add(-time.Duration(c.IntN(40)) * time.Hour), "gateway"}}
	}
	if c.IntN(8) == 0 {
		f.Known = []uint16{443}
	}
	return f
}

func (c chance) observation() Observation {
	at := noon.Add(-time.Duration(c.Int64N(int64(40 * time.Hour))))
	family := pick(c, Families...)
	o := Observation{
		Round: fmt.Sprint(c.IntN(5)), Kind: pick(c, Witness, Witness, Witness, Globalping, Phone, PortCheck, Router, Hairpin, InternetDB, Notices),
		Seat: pick(c, "tower", "tower", "lake", "globalping"), From: "somewhere", Family: family,
		Address: pick(c, pub4, pub4, pub4, lan4), Port: pick[uint16](c, 8123, 8123, 80, 443, 8443, 51821, 1880),
		State: pick(c, Untested, PortOpen, PortClosed, PortFiltered, PortFiltered), Why: pick(c, NoAnswer, Refused, Mapped, MappingIdle, NothingThere, VantageSilent),
		Identity: pick(c, Nobody, Something, SomeHome, OurHome), Began: at.Add(-30 * time.Second), At: at,
	}
	if family == IPv6 {
		o.Address = pick(c, home6, home6, own6)
	}
	o.Controls = held()
	for _, control := range []*Control{
		&o.Controls.HomeBefore, &o.Controls.HomeAfter, &o.Controls.PathBefore, &o.Controls.PathAfter, &o.Controls.Canary, &o.Controls.Reach,
		&o.Controls.Decoy, &o.Controls.Address, &o.Controls.Outside,
	} {
		if c.IntN(12) == 0 {
			*control = pick(c, NotTried, Failed)
		}
	}
	return o
}

// scene is a household and what was seen; often a whole closed round is part of it, so that closed is not a rarity.
func (c chance) scene() (Facts, []Observation, Past) {
	f := c.facts()
	var seen []Observation
	for range c.IntN(12) {
		seen = append(seen, c.observation())
	}
	for _, s := range f.Seats {
		for range c.IntN(3) {
			ago := time.Duration(c.Int64N(int64(30 * time.Hour)))
			seen = append(seen, allClosed(f, ago, by(s.Name), func(o *Observation) { o.Kind = s.Kind })...)
		}
	}
	var past Past
	if c.IntN(5) == 0 {
		at := noon.Add(-time.Duration(c.IntN(50)) * time.Hour)
		past = Past{{pick(c, Families...), pick[uint16](c, 8123, 443)}: {Since: at, Last: at, Kinds: []Kind{Witness}}}
	}
	return f, seen, past
}

// always draws scenes and tells how often the property was really put to the test.
func always(t *testing.T, atLeast int, property func(c chance, f Facts, seen []Observation, past Past, r Report) (tested bool)) {
	t.Helper()
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	tested := 0
	for n := range uint64(4_000) {
		c := chance{rand.New(rand.NewPCG(seed, n))}
		f, seen, past := c.scene()
		if property(c, f, seen, past, Judge(noon, f, seen, past)) {
			tested++
		}
		if t.Failed() {
			t.Fatalf("seed %d, scene %d: %+v\n%+v\n%+v", seed, n, f, seen, past)
		}
	}
	if tested < atLeast {
		t.Errorf("only %d of the scenes said anything", tested)
	}
}

// TestNeverClosedWithoutOutsideAndControls: for every door of a closed report, every vantage whose word is needed looked, from
// outside, at each address, with every control, not too long ago.
func TestNeverClosedWithoutOutsideAndControls(t *testing.T) {
	always(t, 60, func(_ chance, f Facts, seen []Observation, _ Past, r Report) bool {
		if r.Verdict != Closed {
			return false
		}
		for _, family := range r.Families {
			for _, d := range family.Doors {
				if !family.Applies || !d.counts() {
					continue
				}
				for _, s := range f.able() {
					for _, a := range f.targets(family.Family, d.Role) {
						if !slices.ContainsFunc(seen, func(o Observation) bool { return vouches(f, o, s, d.Door, a) }) {
							t.Errorf("%v at %v is closed although %s has not seen it so", d.Door, a, s.Name)
						}
					}
				}
				if len(f.able()) == 0 || len(f.targets(family.Family, d.Role)) == 0 {
					t.Errorf("%v is closed, and nobody could look", d.Door)
				}
			}
		}
		return true
	})
}

func vouches(f Facts, o Observation, s Seat, door Door, a netip.Addr) bool {
	c := o.Controls
	nobody := o.State == PortClosed || o.State == PortFiltered || o.State == PortOpen && o.Identity <= Something && slices.Contains(f.Known, o.Port)
	return o.Kind.Outside() && o.Kind == s.Kind && o.Seat == s.Name && o.door() == door && o.Address == a && nobody &&
		c.HomeBefore == Held && c.HomeAfter == Held && c.PathBefore == Held && c.PathAfter == Held && c.Outside != Failed && c.Address != Failed &&
		c.Reach != Failed && c.Decoy != Failed && c.Canary != Failed && (c.Canary == Held || !f.Canary || door.Family == IPv6) &&
		!o.Began.Before(f.Changed[o.Family].At) && noon.Sub(o.At) <= 7*24*time.Hour
}

// TestOneSightingBeatsEverything: a sighting from outside that is newer than what others saw makes it exposed.
func TestOneSightingBeatsEverything(t *testing.T) {
	always(t, 2_000, func(c chance, f Facts, seen []Observation, past Past, _ Report) bool {
		if f.Public[IPv4].Shared {
			return false
		}
		sighting := nobody(0, pick[uint16](c, 8123, 443, 1880, 51821), open(OurHome), func(o *Observation) { o.Kind = pick(c, Witness, Globalping, Phone) })
		if r := Judge(noon, f, append(seen, sighting), past); r.Verdict != Exposed {
			t.Errorf("it is %v", r.Verdict)
		}
		return true
	})
}

// TestMoreExposureIsNeverBetter: one more observation that somebody sees it open never makes the verdict better.
func TestMoreExposureIsNeverBetter(t *testing.T) {
	always(t, 400, func(c chance, f Facts, seen []Observation, past Past, r Report) bool {
		o := c.observation()
		o.State, o.Identity = PortOpen, pick(c, Something, SomeHome, OurHome, OurHome)
		worse := Judge(noon, f, append(slices.Clone(seen), o), past)
		if r.Verdict.worse(worse.Verdict) {
			t.Errorf("%v became %v by %+v", r.Verdict, worse.Verdict, o)
		}
		return r.Verdict != Unverified
	})
}

// TestTimeOnlyMakesClosedUnverified: as time goes by and nobody looks, closed ends after its time, and nothing becomes closed.
func TestTimeOnlyMakesClosedUnverified(t *testing.T) {
	always(t, 60, func(c chance, f Facts, seen []Observation, past Past, r Report) bool {
		later := noon.Add(time.Duration(c.IntN(60)) * time.Hour)
		then := Judge(later, f, seen, r.Past)
		if then.Verdict == Closed && r.Verdict != Closed {
			t.Errorf("%v became closed by waiting", r.Verdict)
		}
		if then.Verdict == Closed && later.After(r.Until) {
			t.Errorf("closed until %v, and still at %v", r.Until, later)
		}
		if r.Verdict == Exposed && then.Verdict != Exposed {
			t.Errorf("exposed became %v by waiting", then.Verdict)
		}
		return r.Verdict == Closed
	})
}

// TestHomeAssistantDownIsNeverClosed, whatever else is seen.
func TestHomeAssistantDownIsNeverClosed(t *testing.T) {
	always(t, 400, func(c chance, f Facts, seen []Observation, past Past, _ Report) bool {
		for i := range seen {
			if c.IntN(2) == 0 {
				seen[i].Controls.HomeBefore = Failed
			} else {
				seen[i].Controls.HomeAfter = pick(c, Failed, NotTried)
			}
		}
		if r := Judge(noon, f, seen, past); r.Verdict == Closed {
			t.Error("it is closed")
		}
		return len(seen) > 10
	})
}

// TestOrderDoesNotMatter: the same observations in another order, and once more, give the same report.
func TestOrderDoesNotMatter(t *testing.T) {
	always(t, 2_000, func(c chance, f Facts, seen []Observation, past Past, r Report) bool {
		shuffled := append(slices.Clone(seen), seen...)
		c.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if again := Judge(noon, f, shuffled, past); again.Verdict != r.Verdict || !again.Until.Equal(r.Until) {
			t.Errorf("%v until %v became %v until %v", r.Verdict, r.Until, again.Verdict, again.Until)
		}
		return true
	})
}

// TestJudgingAgainChangesNothing: what a report hands on as its past does not change the next one of the same moment.
func TestJudgingAgainChangesNothing(t *testing.T) {
	always(t, 400, func(_ chance, f Facts, seen []Observation, past Past, r Report) bool {
		if again := Judge(noon, f, seen, r.Past); again.Verdict != r.Verdict {
			t.Errorf("%v became %v", r.Verdict, again.Verdict)
		}
		return r.Verdict != Unverified
	})
}
