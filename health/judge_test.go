package health

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

var (
	noon  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	pub4  = netip.MustParseAddr("11.0.0.2")
	home6 = netip.MustParseAddr("2a77:db8:77::20")
	own6  = netip.MustParseAddr("2a77:db8:77::10")
	lan4  = netip.MustParseAddr("192.168.77.20")
)

// household is a home with IPv4 only and one witness.
func household() Facts {
	return Facts{
		Home:   Home{Found: true, Address: lan4, Port: 8123, IPv6: Absent},
		Public: map[Family]Public{IPv4: {Standing: Known, Address: pub4}, IPv6: {Standing: Absent}},
		Seats:  []Seat{{Witness, "tower", true}, {Phone, "", false}},
		Page:   51821,
	}
}

// dualStack is the same with IPv6.
func dualStack() Facts {
	f := household()
	f.Home.IPv6, f.Home.Global6, f.Own6 = Known, []netip.Addr{home6}, []netip.Addr{own6}
	f.Public[IPv6] = Public{Standing: Known, Address: own6}
	return f
}

// held are controls that show all that can be shown.
func held() Controls {
	return Controls{HomeBefore: Held, HomeAfter: Held, PathBefore: Held, PathAfter: Held, Canary: Held, Reach: Held, Decoy: Held, Address: Held, Outside: Held}
}

// nobody is what the witness tower saw of a port at which nobody was, some time ago.
func nobody(ago time.Duration, port uint16, with ...func(*Observation)) Observation {
	at := noon.Add(-ago)
	o := Observation{
		Round: at.String(), Kind: Witness, Seat: "tower", From: "tower", Family: IPv4, Address: pub4, Port: port, State: PortFiltered, Why: NoAnswer,
		Controls: held(), Began: at.Add(-30 * time.Second), At: at,
	}
	for _, change := range with {
		change(&o)
	}
	return o
}

// allClosed is a whole round of it.
func allClosed(f Facts, ago time.Duration, with ...func(*Observation)) (out []Observation) {
	for _, w := range f.Ports() {
		out = append(out, nobody(ago, w.Port, with...))
		for _, a := range f.targets(IPv6, w.Role) {
			if f.Home.IPv6 != Absent {
				out = append(out, nobody(ago, w.Port, append([]func(*Observation){over6(a)}, with...)...))
			}
		}
	}
	return out
}

func over6(a netip.Addr) func(*Observation) {
	return func(o *Observation) { o.Family, o.Address = IPv6, a }
}

func by(seat string) func(*Observation) {
	return func(o *Observation) { o.Seat, o.From = seat, seat }
}

func open(identity Identity) func(*Observation) {
	return func(o *Observation) { o.State, o.Why, o.Identity = PortOpen, Connected, identity }
}

func controls(change func(*Controls)) func(*Observation) {
	return func(o *Observation) { change(&o.Controls) }
}

func without(kind Kind, why Code) Observation {
	o := nobody(0, 0)
	o.Kind, o.Seat, o.State, o.Why, o.Controls = kind, string(kind), Untested, why, Controls{}
	return o
}

// mapping is what the router's table says.
func mapping(ago time.Duration, port uint16, address netip.Addr) Observation {
	o := nobody(ago, port, open(OurHome))
	o.Kind, o.Seat, o.From, o.Why, o.Address, o.Controls = Router, string(Router), "router", Mapped, address, Controls{}
	o.Args = Args{"external": "8123", "internal": "192.168.77.20:8123"}
	return o
}

func phone(ago time.Duration, with ...func(*Observation)) Observation {
	return nobody(ago, 8123, append([]func(*Observation){func(o *Observation) {
		o.Kind, o.Seat, o.From, o.Controls.PathBefore, o.Controls.PathAfter, o.Controls.Canary = Phone, "anna", "a phone", NotTried, NotTried, NotTried
	}}, with...)...)
}

// TestJudge is the table of what is said when: the conditions of the facts' section I3 in our three words.
func TestJudge(t *testing.T) {
	const hour = time.Hour
	two := func(f Facts) Facts {
		f.Seats = append(slices.Clone(f.Seats), Seat{Witness, "lake", true})
		return f
	}
	with := func(f Facts, change func(*Facts)) Facts { change(&f); return f }
	f4, f6 := household(), dualStack()
	replace := func(seen []Observation, port uint16, o Observation) []Observation {
		return append(slices.DeleteFunc(slices.Clone(seen), func(p Observation) bool { return p.Port == port && p.Family == o.Family }), o)
	}
	shared := with(household(), func(f *Facts) { f.Public = map[Family]Public{IPv4: {Standing: Known, Address: pub4, Shared: true}} })
	globalping := func(o *Observation) { o.Kind, o.Seat, o.From = Globalping, "globalping", "3 probes" }
	probes := func(canary bool) Facts {
		return with(household(), func(f *Facts) { f.Seats, f.Canary = []Seat{{Globalping, "globalping", canary}}, canary })
	}
	probed := with(household(), func(f *Facts) { f.Seats = append(f.Seats, Seat{PortCheck, "port_check", false}) })
	reported := func(ago time.Duration, state State) Observation {
		return nobody(ago, 8123, func(o *Observation) {
			o.Kind, o.Seat, o.State, o.Why = PortCheck, "port_check", state, OpenReported
			if state == Untested {
				o.Why = NothingThere
			}
		})
	}
	witnessAndProbes := with(household(), func(f *Facts) { f.Seats = append(f.Seats, Seat{Globalping, "globalping", true}) })
	for _, c := range []struct {
		name  string
		facts Facts
		seen  []Observation
		past  Past
		want  Verdict
		why   Code // among the reasons
	}{
		{"nothing at all", Facts{}, nil, nil, Unverified, HomeUnknown},
		{"nobody is set up to look", with(household(), func(f *Facts) { f.Seats = nil }), nil, nil, Unverified, NoVantage},
		{"nobody has looked", f4, nil, nil, Unverified, NotLooked},
		{"closed", f4, allClosed(f4, hour), nil, Closed, ClosedBy},
		{"closed over both", f6, allClosed(f6, hour), nil, Closed, ClosedBy},
		{"refused is closed, too", f4, allClosed(f4, hour, func(o *Observation) { o.State, o.Why = PortClosed, Refused }), nil, Closed, ClosedBy},
		{"25 hours and 59 minutes", f4, allClosed(f4, 26*hour-time.Minute), nil, Closed, ClosedBy},
		{"26 hours and a minute", f4, allClosed(f4, 26*hour+time.Minute), nil, Unverified, Stale},
		{"from the future", f4, allClosed(f4, -3*time.Minute), nil, Unverified, NotLooked},
		{"something changed since", with(household(), func(f *Facts) { f.Changed = map[Family]Change{IPv4: {noon.Add(-hour), "gateway"}} }), allClosed(f4, hour), nil, Unverified, Changed},
		{"something changed before", with(household(), func(f *Facts) { f.Changed = map[Family]Change{IPv4: {noon.Add(-2 * hour), "gateway"}} }), allClosed(f4, hour), nil, Closed, ClosedBy},
		{"IPv6 was not looked at", f6, allClosed(f4, hour), nil, Unverified, NotLooked},
		{"Home Assistant's IPv6 addresses are unknown", with(dualStack(), func(f *Facts) { f.Home.Global6, f.Home.IPv6 = nil, Unknown }), allClosed(f4, hour), nil, Unverified, NoHomeAddress},
		{"another of its IPv6 addresses", with(dualStack(), func(f *Facts) { f.Home.Global6 = append(f.Home.Global6, own6) }), allClosed(f6, hour), nil, Unverified, WrongTarget},
		{"an IPv6 address elsewhere", with(dualStack(), func(f *Facts) { f.Not6 = []netip.Addr{own6} }), allClosed(f6, hour), nil, Unverified, OtherPrefix},

		{"Home Assistant was down before", f4, allClosed(f4, hour, controls(func(c *Controls) { c.HomeBefore = Failed })), nil, Unverified, HomeDown},
		{"Home Assistant was down after", f4, allClosed(f4, hour, controls(func(c *Controls) { c.HomeAfter = Failed })), nil, Unverified, HomeDown},
		{"nobody asked whether it was up", f4, allClosed(f4, hour, controls(func(c *Controls) { c.HomeBefore = NotTried })), nil, Unverified, HomeDown},
		{"the path was not there", f4, allClosed(f4, hour, controls(func(c *Controls) { c.PathBefore = Failed })), nil, Unverified, PathLostBefore},
		{"the path was not tried", f4, allClosed(f4, hour, controls(func(c *Controls) { c.PathBefore = NotTried })), nil, Unverified, PathLostBefore},
		{"the path broke", f4, allClosed(f4, hour, controls(func(c *Controls) { c.PathAfter = Failed })), nil, Unverified, PathLostAfter},
		{"the address changed", f4, allClosed(f4, hour, controls(func(c *Controls) { c.Address = Failed })), nil, Unverified, AddressChanged},
		{"at an old address", f4, allClosed(f4, hour, func(o *Observation) { o.Address = lan4 }), nil, Unverified, WrongTarget},
		{"from inside", f4, allClosed(f4, hour, controls(func(c *Controls) { c.Outside = Failed })), nil, Unverified, VantageInside},
		{"the canary was not seen", f4, allClosed(f4, hour, controls(func(c *Controls) { c.Canary = Failed })), nil, Unverified, CanaryLost},
		{"no canary, none wanted", f4, allClosed(f4, hour, controls(func(c *Controls) { c.Canary = NotTried })), nil, Closed, ClosedBy},
		{"no canary, but wanted", with(household(), func(f *Facts) { f.Canary = true }), allClosed(f4, hour, controls(func(c *Controls) { c.Canary = NotTried })), nil, Unverified, CanaryNone},
		{"its network blocks the port", f4, allClosed(f4, hour, controls(func(c *Controls) { c.Reach = Failed })), nil, Unverified, ReachBlocked},
		{"everything answers", f4, allClosed(f4, hour, open(Something), controls(func(c *Controls) { c.Decoy = Failed })), nil, Unverified, AnswersAll},
		{"the witness is silent", f4, []Observation{func() Observation { o := without(Witness, VantageSilent); o.Seat = "tower"; return o }()}, nil, Unverified, VantageSilent},
		{"the witness is silent today", f4, append(allClosed(f4, hour), func() Observation { o := without(Witness, VantageSilent); o.Seat = "tower"; return o }()), nil, Closed, ClosedBy},
		{"a newer look that does not count", f4, append(allClosed(f4, 2*hour), allClosed(f4, hour, controls(func(c *Controls) { c.HomeAfter = Failed }))...), nil, Unverified, HomeDown},
		{"443 was not looked at", f4, slices.DeleteFunc(allClosed(f4, hour), func(o Observation) bool { return o.Port == 443 }), nil, Unverified, NotLooked},

		{"open", f4, replace(allClosed(f4, hour), 8123, nobody(hour, 8123, open(OurHome))), nil, Exposed, SeenOpen},
		{"behind 443", f4, replace(allClosed(f4, hour), 443, nobody(hour, 443, open(OurHome))), nil, Exposed, SeenOpen},
		{"open over IPv6 only", f6, replace(allClosed(f6, hour), 8123, nobody(hour, 8123, over6(home6), open(OurHome))), nil, Exposed, SeenOpen},
		{"open although Home Assistant was down a moment later", f4, []Observation{nobody(hour, 8123, open(OurHome), controls(func(c *Controls) { *c = Controls{} }))}, nil, Exposed, SeenOpen},
		{"one of two sees it", two(f4), append(allClosed(f4, hour, by("lake")), nobody(hour, 8123, open(OurHome))), nil, Exposed, SeenOpen},
		{"somebody answers", f4, replace(allClosed(f4, hour), 443, nobody(hour, 443, open(Something))), nil, Unverified, SomethingAnswers},
		{"somebody known answers", with(household(), func(f *Facts) { f.Known = []uint16{443} }), replace(allClosed(f4, hour), 443, nobody(hour, 443, open(Something))), nil, Closed, ClosedBy},
		{"known, and Home Assistant all the same", with(household(), func(f *Facts) { f.Known = []uint16{443} }), replace(allClosed(f4, hour), 443, nobody(hour, 443, open(OurHome))), nil, Exposed, SeenOpen},
		{"another Home Assistant", f4, replace(allClosed(f4, hour), 8123, nobody(hour, 8123, open(SomeHome))), nil, Unverified, OtherHome},
		{"a neighbour's behind one address", shared, replace(allClosed(f4, hour), 8123, nobody(hour, 8123, open(OurHome), controls(func(c *Controls) { c.PathBefore, c.PathAfter, c.Canary = Failed, Failed, NotTried }))), nil, Unverified, Neighbours},
		{"ours behind a shared address", shared, replace(allClosed(f4, hour), 8123, nobody(hour, 8123, open(OurHome))), nil, Exposed, SeenOpen},
		{"our page is open", f4, replace(allClosed(f4, hour), 51821, nobody(hour, 51821, open(Something))), nil, Closed, ClosedBy},
		{"our page's port leads to Home Assistant", f4, replace(allClosed(f4, hour), 51821, nobody(hour, 51821, open(OurHome))), nil, Exposed, SeenOpen},

		{"two, and one has not looked", two(f4), allClosed(f4, hour), nil, Unverified, NotLooked},
		{"two, and both looked", two(f4), append(allClosed(f4, hour), allClosed(f4, hour, by("lake"))...), nil, Closed, ClosedBy},
		{"public probes without a canary", probes(false), allClosed(f4, hour, globalping), nil, Unverified, NoVantage},
		{"public probes with a canary", probes(true), allClosed(f4, hour, globalping), nil, Closed, ClosedBy},
		{"public probes, path inferred", probes(true), allClosed(f4, hour, globalping, controls(func(c *Controls) { c.PathBefore, c.PathAfter, c.Canary = NotTried, NotTried, NotTried })), nil, Unverified, PathInferred},

		{"a mapping", f4, append(allClosed(f4, hour), mapping(time.Minute, 8123, pub4)), nil, Exposed, Mapped},
		{"a mapping of another port", f4, append(allClosed(f4, hour), mapping(time.Minute, 18123, pub4)), nil, Exposed, Mapped},
		{"a mapping, and the address is unknown", with(household(), func(f *Facts) { f.Public = nil }), []Observation{mapping(time.Minute, 8123, pub4)}, nil, Exposed, Mapped},
		{"a mapping on a router behind another", f4, append(allClosed(f4, hour), mapping(time.Minute, 8123, lan4)), nil, Closed, ClosedBy},
		{"an empty table", f4, []Observation{without(Router, NothingThere)}, nil, Unverified, NotLooked},
		{"a failed sign-in from outside", f4, append(allClosed(f4, hour), func() Observation { o := mapping(hour, 8123, pub4); o.Kind, o.Why = Notices, SignInSeen; return o }()), nil, Exposed, SignInSeen},
		{"a failed sign-in two days ago", f4, append(allClosed(f4, hour), func() Observation { o := mapping(48*hour, 8123, pub4); o.Kind, o.Why = Notices, SignInSeen; return o }()), nil, Closed, ClosedBy},
		{"the hairpin leads in", f4, append(allClosed(f4, hour), func() Observation { o := mapping(hour, 8123, pub4); o.Kind, o.Why = Hairpin, HairpinOpen; return o }()), nil, Exposed, HairpinOpen},
		{"a scanner's suspicion", f4, append(allClosed(f4, hour), func() Observation { o := without(InternetDB, Suspected); o.Port = 8123; return o }()), nil, Closed, ClosedBy},
		{"a public check says open", f4, append(allClosed(f4, hour), nobody(0, 8123, open(Nobody), func(o *Observation) { o.Kind, o.Seat, o.Why = PortCheck, "port_check", OpenReported })), nil, Unverified, OpenReported},

		{"a phone alone", f4, []Observation{phone(hour)}, nil, Unverified, NotLooked},
		{"a phone renews", f4, append(allClosed(f4, 30*hour), phone(10*hour)), nil, Unverified, Stale}, // 8123 alone: nobody renews 443
		{"a phone sees it", f4, append(allClosed(f4, hour), phone(time.Minute, open(OurHome))), nil, Exposed, SeenOpen},

		{"it stood exposed", f4, allClosed(f4, hour), Past{{IPv4, 8123}: {Since: noon.Add(-3 * hour), Last: noon.Add(-2 * hour), Reason: because(SeenOpen), Kinds: []Kind{Witness}}}, Exposed, NotYetClosed},
		{"closed twice since, too soon", f4, append(allClosed(f4, hour), allClosed(f4, hour-9*time.Minute)...), Past{{IPv4, 8123}: {Last: noon.Add(-2 * hour), Kinds: []Kind{Witness}}}, Exposed, NotYetClosed},
		{"closed twice since", f4, append(allClosed(f4, hour), allClosed(f4, hour-10*time.Minute)...), Past{{IPv4, 8123}: {Last: noon.Add(-2 * hour), Kinds: []Kind{Witness}}}, Closed, ClosedBy},
		{"closed twice since, by one of two", two(f4), append(allClosed(f4, hour), allClosed(f4, hour-10*time.Minute)...), Past{{IPv4, 8123}: {Last: noon.Add(-2 * hour), Kinds: []Kind{Witness}}}, Exposed, NotYetClosed},
		{"closed by both since", two(f4), append(allClosed(f4, hour), allClosed(f4, hour-10*time.Minute, by("lake"))...), Past{{IPv4, 8123}: {Last: noon.Add(-2 * hour), Kinds: []Kind{Witness}}}, Closed, ClosedBy},
		{"closed twice before", f4, append(allClosed(f4, 2*hour), allClosed(f4, hour)...), Past{{IPv4, 8123}: {Last: noon.Add(-time.Minute), Kinds: []Kind{Witness}}}, Exposed, NotYetClosed},
		{"exposed years ago", f4, nil, Past{{IPv4, 8123}: {Last: noon.Add(-3000 * hour), Reason: because(SeenOpen), Kinds: []Kind{Witness}}}, Exposed, NotYetClosed},
		{
			"a mapping is gone, and nobody outside", with(household(), func(f *Facts) { f.Seats = nil }),
			[]Observation{routerSaysNothing(30 * time.Minute), routerSaysNothing(15 * time.Minute)},
			Past{{IPv4, 8123}: {Last: noon.Add(-hour), Inside: true, Kinds: []Kind{Router}}},
			Unverified, NoVantage,
		},
		{
			"a mapping is gone for the first time", with(household(), func(f *Facts) { f.Seats = nil }),
			[]Observation{routerSaysNothing(15 * time.Minute)},
			Past{{IPv4, 8123}: {Last: noon.Add(-hour), Inside: true, Kinds: []Kind{Router}}},
			Exposed, NotYetClosed,
		},
		{
			"a mapping of a port that no witness tries is gone", f4,
			append(allClosed(f4, hour), routerSaysNothing(30*time.Minute), routerSaysNothing(15*time.Minute)),
			Past{{IPv4, 18123}: {Last: noon.Add(-hour), Inside: true, Kinds: []Kind{Router}}},
			Closed, ClosedBy,
		},
		{
			"a mapping is gone, but the witness has not seen it closed twice", f4,
			append(allClosed(f4, 2*time.Minute), routerSaysNothing(30*time.Minute), routerSaysNothing(15*time.Minute)),
			Past{{IPv4, 8123}: {Last: noon.Add(-hour), Inside: true, Kinds: []Kind{Router}}},
			Exposed, NotYetClosed,
		},

		{"the page stands on port 80, and 80 was not looked at", with(household(), func(f *Facts) { f.Page = 80 }), slices.DeleteFunc(allClosed(f4, hour), func(o Observation) bool { return o.Port == 80 }), nil, Unverified, NotLooked},
		{"the page stands on port 80, and somebody answers there", with(household(), func(f *Facts) { f.Page = 80 }), replace(allClosed(f4, hour), 80, nobody(hour, 80, open(Something))), nil, Unverified, SomethingAnswers},
		{"the page stands on port 443, and nobody looked at Home Assistant's over IPv6", with(dualStack(), func(f *Facts) { f.Page = 443 }), slices.DeleteFunc(allClosed(f6, hour), func(o Observation) bool { return o.Port == 443 && o.Address == home6 }), nil, Unverified, NotLooked},
		{"the page stands on port 80 of this machine, and is open over IPv6", with(dualStack(), func(f *Facts) { f.Page = 80 }), append(allClosed(f6, hour), nobody(hour, 80, over6(own6), open(Something))), nil, Closed, ClosedBy},
		{"what is known answers at Home Assistant's own IPv6 address and port", with(dualStack(), func(f *Facts) { f.Known = []uint16{8123} }), append(slices.DeleteFunc(allClosed(f6, hour), func(o Observation) bool { return o.Port == 8123 && o.Address == home6 }), nobody(hour, 8123, over6(home6), open(Something))), nil, Unverified, SomethingAnswers},

		{"a witness in our own network reaches it", f6, replace(allClosed(f6, hour), 8123, nobody(hour, 8123, over6(home6), open(OurHome), controls(func(c *Controls) { c.Outside = Failed }))), nil, Unverified, VantageInside},
		{"a Home Assistant like ours at an address that is not", f4, replace(allClosed(f4, hour), 8123, nobody(hour, 8123, open(OurHome), controls(func(c *Controls) { c.Address, c.PathBefore, c.PathAfter, c.Canary = Failed, Failed, Failed, NotTried }))), nil, Unverified, AddressChanged},
		{"ours, while the address changed", f4, replace(allClosed(f4, hour), 8123, nobody(hour, 8123, open(OurHome), controls(func(c *Controls) { c.Address = Failed }))), nil, Exposed, SeenOpen},

		{"a public check says open, and the witness closed a moment later", probed, append(allClosed(f4, hour), reported(hour+10*time.Second, PortOpen)), nil, Unverified, OpenReported},
		{"a public check said open this morning, the witness closed since", probed, append(allClosed(f4, hour), reported(5*hour, PortOpen)), nil, Unverified, OpenReported},
		{"a public check said open, and does not any more", probed, append(allClosed(f4, hour), reported(5*hour, PortOpen), reported(4*hour, Untested)), nil, Closed, ClosedBy},
		{"a public check that is switched off said open", f4, append(allClosed(f4, hour), reported(5*hour, PortOpen)), nil, Closed, ClosedBy},
		{"a public check said open of another address", probed, append(allClosed(f4, hour), func() Observation { o := reported(5*hour, PortOpen); o.Address = lan4; return o }()), nil, Closed, ClosedBy},

		{"exposed at a port that public probes never try, closed twice since", witnessAndProbes, append(append(allClosed(f4, hour), allClosed(f4, hour-10*time.Minute)...), nobody(hour, 1880), nobody(hour-10*time.Minute, 1880)), Past{{IPv4, 1880}: {Last: noon.Add(-2 * hour), Kinds: []Kind{Witness}}}, Closed, ClosedBy},
		{"exposed at one that they do try, closed twice since by the witness alone", witnessAndProbes, append(append(allClosed(f4, hour), allClosed(f4, hour-10*time.Minute)...), allClosed(f4, 3*hour, globalping)...), Past{{IPv4, 8123}: {Last: noon.Add(-2 * hour), Kinds: []Kind{Witness}}}, Exposed, NotYetClosed},
		{"exposed, and the clock was put right since", f4, append(allClosed(f4, hour), allClosed(f4, hour-10*time.Minute)...), Past{{IPv4, 8123}: {Last: noon.Add(300 * hour), Kinds: []Kind{Witness}}}, Exposed, NotYetClosed},
		{"IPv6 was exposed and is switched off", f4, append(allClosed(f4, hour), routerSaysNothing(30*time.Minute), routerSaysNothing(15*time.Minute)), Past{{IPv6, 8123}: {Last: noon.Add(-2 * hour), Absent: noon.Add(-40 * time.Minute), Kinds: []Kind{Witness}}}, Closed, ClosedBy},
		{"IPv6 was exposed and was switched off just now", f4, append(allClosed(f4, hour), routerSaysNothing(15*time.Minute)), Past{{IPv6, 8123}: {Last: noon.Add(-2 * hour), Absent: noon.Add(-20 * time.Minute), Kinds: []Kind{Witness}}}, Exposed, NotYetClosed},
		{
			"a sign-in over IPv6 was seen, and nobody outside", with(household(), func(f *Facts) { f.Seats, f.Home.IPv6 = nil, Unknown }),
			[]Observation{noticesSayNothing(30 * time.Minute), noticesSayNothing(15 * time.Minute)},
			Past{{IPv6, 8123}: {Last: noon.Add(-hour), Inside: true, Kinds: []Kind{Notices}}},
			Unverified, NoVantage,
		},

		{
			"public probes without a canary see it gone", lone(Globalping), append(allClosed(f4, 12*time.Minute, byProbes), allClosed(f4, 0, byProbes)...),
			Past{{IPv4, 8123}: {Last: noon.Add(-hour), Kinds: []Kind{Globalping}}},
			Unverified, NoVantage,
		},
		{
			"public probes see it gone once", lone(Globalping), allClosed(f4, 0, byProbes),
			Past{{IPv4, 8123}: {Last: noon.Add(-hour), Kinds: []Kind{Globalping}}},
			Exposed, NotYetClosed,
		},
		{
			"public probes see it gone while home assistant is down", lone(Globalping),
			append(allClosed(f4, 12*time.Minute, byProbes, homeDown), allClosed(f4, 0, byProbes, homeDown)...),
			Past{{IPv4, 8123}: {Last: noon.Add(-hour), Kinds: []Kind{Globalping}}},
			Exposed, NotYetClosed,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Judge(noon, c.facts, c.seen, c.past)
			if r.Verdict != c.want {
				t.Errorf("it is %v, want %v; %v", r.Verdict, c.want, r.Reasons)
			}
			if !slices.ContainsFunc(r.Reasons, func(reason Reason) bool { return reason.Code == c.why }) {
				t.Errorf("the reasons are %v, want %s", r.Reasons, c.why)
			}
			for _, reason := range r.Reasons {
				if reason.Text() == "" {
					t.Errorf("%s has no sentence", reason.Code)
				}
			}
			if (r.Verdict == Closed) != (!r.Until.IsZero()) || (r.Verdict == Exposed) != (len(r.Past) > 0) {
				t.Errorf("%v, until %v, exposed %v", r.Verdict, r.Until, r.Past)
			}
		})
	}
}

// lone is a household where only one kind of vantage is set up, and cannot prove closed.
func lone(kind Kind) Facts {
	f := household()
	f.Seats = []Seat{{kind, string(kind), false}}
	return f
}

// byProbes are public ones, without a canary.
func byProbes(o *Observation) {
	o.Kind, o.Seat, o.From = Globalping, "globalping", "3 probes"
	o.Controls.PathBefore, o.Controls.PathAfter, o.Controls.Canary = NotTried, NotTried, NotTried
}

func homeDown(o *Observation) { o.Controls.HomeBefore = Failed }

func routerSaysNothing(ago time.Duration) Observation {
	o := without(Router, NothingThere)
	o.At, o.Round = noon.Add(-ago), noon.Add(-ago).String()
	o.Began = o.At
	return o
}

func noticesSayNothing(ago time.Duration) Observation {
	o := routerSaysNothing(ago)
	o.Kind, o.Seat, o.Address = Notices, string(Notices), netip.Addr{}
	return o
}

func TestZeroReportIsUnverified(t *testing.T) {
	var r Report
	if r.Verdict != Unverified || r.Verdict.String() != "unverified" || Verdict(77).String() != "unverified" {
		t.Error("the zero value says something else")
	}
}

// TestAPhoneRenewsAndNeverCreates: what a phone saw prolongs what a witness saw, time and again, for a week at most.
func TestAPhoneRenewsAndNeverCreates(t *testing.T) {
	f := household()
	j := func(witness time.Duration, phones ...time.Duration) bool {
		judge := &judge{now: noon, facts: f}
		o := nobody(witness, 8123)
		judge.seen = []Observation{o}
		for _, ago := range phones {
			judge.seen = append(judge.seen, phone(ago))
		}
		return judge.renewed(o).After(noon)
	}
	for _, c := range []struct {
		name    string
		witness time.Duration
		phones  []time.Duration
		want    bool
	}{
		{"no phone", 30 * time.Hour, nil, false},
		{"in time", 30 * time.Hour, []time.Duration{10 * time.Hour}, true},
		{"too late", 60 * time.Hour, []time.Duration{10 * time.Hour}, false},
		{"in a chain", 60 * time.Hour, []time.Duration{40 * time.Hour, 20 * time.Hour}, true},
		{"a chain of more than a week", 169 * time.Hour, []time.Duration{150 * time.Hour, 130 * time.Hour, 110 * time.Hour, 90 * time.Hour, 70 * time.Hour, 50 * time.Hour, 30 * time.Hour, 10 * time.Hour}, false},
	} {
		if got := j(c.witness, c.phones...); got != c.want {
			t.Errorf("%s: closed %v", c.name, got)
		}
	}
}

func TestFindings(t *testing.T) {
	f := household()
	f.Cloud = true
	seen := append(allClosed(f, time.Hour), nobody(time.Hour, 51821, open(Something)), nobody(time.Hour, 1880, open(Something)),
		func() Observation {
			o := mapping(time.Minute, 80, pub4)
			o.State, o.Why, o.Identity = Untested, MappingIdle, Nobody
			return o
		}())
	r := Judge(noon, f, seen, nil)
	var codes []Code
	for _, reason := range r.Findings {
		codes = append(codes, reason.Code)
	}
	for _, want := range []Code{PageOpen, OtherOpen, MappingIdle, CloudRemote, LoneWitness} {
		if !slices.Contains(codes, want) {
			t.Errorf("the findings are %v, %s is missing", codes, want)
		}
	}
	if r.Verdict != Closed {
		t.Errorf("findings made it %v: %v", r.Verdict, r.Reasons)
	}
}
