package page

import (
	"net/netip"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

var (
	publicAddress = netip.MustParseAddr("203.0.113.7")
	homeAddress6  = netip.MustParseAddr("2001:db8:1::7")
)

func reason(code health.Code, pairs ...string) health.Reason {
	r := health.Reason{Code: code, Args: health.Args{}}
	for i := 0; i < len(pairs); i += 2 {
		r.Args[pairs[i]] = pairs[i+1]
	}
	return r
}

func door(family health.Family, port uint16, role health.Role, verdict health.Verdict, why ...health.Reason) health.DoorReport {
	return health.DoorReport{
		Door: health.Door{Family: family, Port: port}, Role: role, Verdict: verdict, Reasons: why, Addresses: []netip.Addr{publicAddress},
		CheckedAt: earlier, Until: now.Add(26 * time.Hour),
	}
}

func closedReport() health.Report {
	by := reason(health.ClosedBy, "from", "witness.example.org", "at", earlier.Format(time.RFC3339))
	return health.Report{
		Verdict: health.Closed, Reasons: []health.Reason{by}, CheckedAt: earlier, Until: now.Add(26 * time.Hour), From: []string{"witness.example.org"},
		Families: []health.FamilyReport{
			{Family: health.IPv4, Applies: true, Verdict: health.Closed, Reasons: []health.Reason{by}, Doors: []health.DoorReport{
				door(health.IPv4, 8123, health.RoleHome, health.Closed, by), door(health.IPv4, 443, health.RoleDoor, health.Closed, by),
			}},
			{Family: health.IPv6},
		},
		Findings: []health.Reason{reason(health.LoneWitness), reason(health.CloudRemote)},
	}
}

func ruledReport() health.Report {
	r := closedReport()
	r.Findings = []health.Reason{reason(health.MappingIdle, "external", "8123", "internal", "192.168.1.5:8123")}
	return r
}

func openReport() health.Report {
	seen := reason(health.SeenOpen, "from", hostile[0], "address", publicAddress.String(), "port", "443")
	return health.Report{
		Verdict: health.Exposed, Reasons: []health.Reason{
			seen, reason(health.Mapped, "external", "0 (every port)", "internal", "192.168.1.5:8123"),
			reason(health.NotYetClosed, "since", earlier.Format(time.RFC3339)), reason(health.HairpinOpen, "address", "203.0.113.7", "port", "443"),
		},
		Next: health.DeleteMapping, CheckedAt: earlier, Since: earlier, From: []string{"witness.example.org", "3 probes in DE, US"},
		Families: []health.FamilyReport{
			{Family: health.IPv4, Applies: true, Verdict: health.Exposed, Reasons: []health.Reason{seen}, Doors: []health.DoorReport{
				door(health.IPv4, 8123, health.RoleHome, health.Closed), door(health.IPv4, 443, health.RoleDoor, health.Exposed, seen),
			}},
			{Family: health.IPv6, Applies: true, Verdict: health.Closed, Doors: []health.DoorReport{door(health.IPv6, 8123, health.RoleHome, health.Closed)}},
		},
		Findings: []health.Reason{reason(health.FirewallOff), reason(health.OtherOpen, "port", "22", "what", "SSH")},
	}
}

func unsureReport() health.Report {
	answers := door(health.IPv4, 80, health.RoleDoor, health.Unverified, reason(health.SomethingAnswers, "port", "80"))
	answers.Open = true
	known := door(health.IPv4, 443, health.RoleDoor, health.Closed)
	known.Open, known.Known = true, true
	page := door(health.IPv4, 51821, health.RolePage, health.Unverified, reason(health.PageOpen, "port", "51821"))
	page.Open = true
	lost := reason(health.PathLostBefore, "from", "witness.example.org")
	return health.Report{
		Reasons: []health.Reason{lost, reason(health.SomethingAnswers, "port", "80")}, Next: health.OpenTunnel, CheckedAt: earlier, From: []string{hostile[9]},
		Families: []health.FamilyReport{
			{Family: health.IPv4, Applies: true, Reasons: []health.Reason{lost}, Doors: []health.DoorReport{
				door(health.IPv4, 8123, health.RoleHome, health.Unverified, lost), answers, known, page,
			}},
			{Family: health.IPv6, Applies: true, Reasons: []health.Reason{reason(health.OtherPrefix, "addresses", homeAddress6.String())}},
		},
		Findings: []health.Reason{reason(health.PageOpen, "port", "51821"), reason("never_heard_of")},
	}
}

func neverReport() health.Report {
	return health.Report{Reasons: []health.Reason{reason(health.NoVantage)}, Next: health.AddVantage}
}

func observed(kind health.Kind, seat, from string, port uint16, state health.State, identity health.Identity, why health.Code) health.Observation {
	return health.Observation{
		Round: "r1", Kind: kind, Seat: seat, From: from, Family: health.IPv4, Address: publicAddress, Port: port,
		State: state, Identity: identity, Why: why, Began: earlier, At: earlier,
		Controls: health.Controls{HomeBefore: health.Held, HomeAfter: health.Held, PathBefore: health.Held, PathAfter: health.Failed, Decoy: health.Held},
	}
}

var sights = []health.Observation{
	observed(health.Witness, "witness", "witness.example.org", 8123, health.PortFiltered, health.Nobody, health.NoAnswer),
	observed(health.Witness, "witness", "witness.example.org", 443, health.PortOpen, health.OurHome, health.Connected),
	observed(health.Witness, "witness", "witness.example.org", 80, health.PortOpen, health.Something, ""),
	observed(health.Globalping, "globalping", "3 probes in DE, US", 8123, health.Untested, health.Nobody, health.FewProbes),
	observed(health.Phone, "p1", hostile[0], 8123, health.PortOpen, health.SomeHome, health.Connected),
	observed(health.Router, "router", "the router", 0, health.Untested, health.Nobody, health.NothingThere),
	observed("of_tomorrow", "x", "", 8123, health.PortClosed, health.Nobody, "never_heard_of"),
}

var mappings = []MappingRow{
	{ID: "m1", Protocol: "tcp", External: "8123", Internal: "192.168.1.5:8123", Description: hostile[0], HomeAssistant: true, ExpiresAt: now.Add(time.Hour)},
	{ID: "m2", Protocol: "udp", External: "51820", Internal: "192.168.1.5:51820", Description: "Hearthgate", Ours: true},
	{ID: hostile[1], Protocol: "tcp", External: "0 (every port)", Internal: "192.168.1.9:0", Description: hostile[9], Off: true},
}

func weekly() (out []health.Observation) {
	for port := range uint16(20) {
		o := observed(health.Witness, "second", "second.example.org", 1000+port, health.PortFiltered, health.Nobody, health.NoAnswer)
		o.Family, o.Address = health.IPv6, homeAddress6
		o.Controls.PathAfter = health.Held
		out = append(out, o)
	}
	return out
}

func checked(r health.Report) Check {
	return Check{
		Exposure: Exposure{Report: r, Port: 8123, Check: true, Whole: true}, Seen: append(weekly(), sights...), Mappings: mappings, Older: 17,
		Past: []health.Entry{
			{Seq: 20, First: earlier, Last: earlier, Times: 1, Verdict: health.Exposed, Reasons: r.Reasons},
			{Seq: 19, First: now.Add(-48 * time.Hour), Last: earlier, Times: 12, Kind: health.Witness, Seen: sights[:3], Verdict: health.Closed},
			{Seq: 18, First: earlier, Last: earlier, Times: 1, Kind: health.Notices, Verdict: health.Closed},
			{Seq: 17, First: earlier, Last: earlier, Times: 1, Verdict: health.Unverified},
		},
	}
}

func running() Check {
	c := checked(unsureReport())
	c.Exposure.Running = true
	c.Progress = health.Progress{Running: true, Began: now, Steps: []health.Working{
		{Kind: health.Witness, Text: "asking"}, {Kind: health.Router, Text: "asked", Done: true}, {Kind: "of_tomorrow"},
	}}
	return c
}

var watching = Watch{
	Witnesses: []string{hostile[0]}, Lone: true, Globalping: true, InternetDB: true, Token: true, NotifyHome: true, Names: "home.example.org",
	Webhook: Told{Set: true, Host: "hooks.example.org", At: earlier}, MQTT: Told{Set: true, Host: "192.168.1.20:1883"}, Home: Told{Set: true, At: earlier},
}

func watchingWith(change func(*Watch)) Watch {
	w := watching
	change(&w)
	return w
}
