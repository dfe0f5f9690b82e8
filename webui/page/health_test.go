package page

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/webui/words"
)

// TestEveryReasonHasASentence: each code and step of the health room is told in every language, and wants nothing that the
// room does not tell with it.
func TestEveryReasonHasASentence(t *testing.T) {
	keys := words.Keys()
	for _, code := range health.Codes() {
		key := "exposure.reason." + string(code)
		if !slices.Contains(keys, key) {
			t.Errorf("%s has no sentence", code)
			continue
		}
		told := placeholder.FindAllString(health.Reason{Code: code}.Text(), -1)
		for _, wanted := range placeholder.FindAllString(words.For(words.English).T(key), -1) {
			if !slices.Contains(told, wanted) {
				t.Errorf("%s wants %s, which comes with no such reason", key, wanted)
			}
		}
	}
	for _, step := range health.Steps() {
		if key := "exposure.next." + string(step); !slices.Contains(keys, key) {
			t.Errorf("the step %s has no sentence", step)
		}
	}
}

// TestNoReasonIsLeftOver: the room has said goodbye to what is not in its list.
func TestNoReasonIsLeftOver(t *testing.T) {
	for _, key := range words.Keys() {
		if code, ok := strings.CutPrefix(key, "exposure.reason."); ok && !slices.Contains(health.Codes(), health.Code(code)) {
			t.Errorf("%s is the sentence of no reason", key)
		}
		if step, ok := strings.CutPrefix(key, "exposure.next."); ok && !slices.Contains(health.Steps(), health.Step(step)) {
			t.Errorf("%s is the sentence of no step", key)
		}
	}
}

func TestAReasonIsToldInThePagesLanguage(t *testing.T) {
	at := time.Date(2026, time.May, 14, 12, 0, 0, 0, time.UTC)
	german := &view{Frame: Frame{Now: now}, Catalogue: words.For(words.German).In(time.UTC)}
	for _, c := range []struct {
		r    health.Reason
		want string
	}{
		{reason(health.NotYetClosed, "since", at.Format(time.RFC3339)), "14. Mai 2026"},
		{reason(health.Changed, "what", "gateway"), "dein Router oder der Weg zu ihm"},
		{reason(health.Changed, "what", "something else"), "<bdi>something else</bdi>"},
		{reason(health.OtherOpen, "port", "22", "what", "SSH"), "Port <bdi>22</bdi> (<bdi>SSH</bdi>) ist"},
		{reason(health.VantageSilent, "from", "router"), "Dein Router</bdi> hat nicht geantwortet"},
		{reason(health.VantageSilent, "from", "the router"), "Dein Router</bdi> hat nicht geantwortet"},
		{reason(health.VantageSilent, "from", hostile[0]), "&lt;script&gt;"},
		{reason(health.Mapped, "external", "0 (every port)", "internal", "x"), "Port <bdi>1–65535</bdi>"},
		{reason(health.Mapped), "The router passes port {external} on"}, // it brings less than the sentence wants
		{reason("never_heard_of"), "never_heard_of"},
	} {
		if got := string(german.Because(c.r)); !strings.Contains(got, c.want) || strings.Contains(got, "<script") {
			t.Errorf("%+v is %q, want %q in it", c.r, got, c.want)
		}
	}
}

// TestOnlyClosedIsGreen: grey is not green, and a rule that may lead in one day is amber.
func TestOnlyClosedIsGreen(t *testing.T) {
	v := testView()
	for _, c := range []struct {
		name string
		r    health.Report
		kind string
		says string
	}{
		{"nothing", health.Report{}, "quiet", "Not checked"},
		{"looked at, and not certain", unsureReport(), "quiet", "not certain"},
		{"closed", closedReport(), "good", "8123 is closed"},
		{"closed, with a rule", ruledReport(), "warn", "still has a rule for 8123"},
		{"open at another port", openReport(), "bad", "443 is open"},
		{"a verdict of tomorrow", health.Report{Verdict: 17}, "quiet", "Not checked"},
	} {
		if m := v.Lock(Exposure{Report: c.r, Port: 8123}); m.Kind != c.kind || !strings.Contains(m.Word, c.says) {
			t.Errorf("%s: %+v", c.name, m)
		}
	}
	both := openReport()
	both.Families[1].Doors[0].Verdict = health.Exposed
	if m := v.Lock(Exposure{Report: both, Port: 8123}); m.Word != v.T("exposure.open") {
		t.Errorf("several ports: %+v", m)
	}
}

// TestWhatNobodySawIsNotGreen goes through what an observation can be.
func TestWhatNobodySawIsNotGreen(t *testing.T) {
	v := testView()
	for state := health.Untested - 1; state <= health.PortFiltered+1; state++ {
		for who := health.Nobody - 1; who <= health.OurHome+1; who++ {
			o := observed(health.Witness, "w", "w", 8123, state, who, "")
			if m := v.SeenMark(o); m.Kind == "good" {
				t.Errorf("%v, with a control that failed, is %+v", state, m)
			}
			o.Controls.PathAfter = health.Held
			m := v.SeenMark(o)
			for _, k := range []health.Kind{health.PortCheck, health.Router, health.Hairpin, health.InternetDB, health.Notices, "of_tomorrow"} {
				if o.Kind = k; v.SeenMark(o).Kind == "good" {
					t.Errorf("%s cannot know that %v means closed", k, state)
				}
			}
			closed := state == health.PortClosed || state == health.PortFiltered
			if (m.Kind == "good") != closed || (m.Kind == "bad") != (state == health.PortOpen && who == health.OurHome) {
				t.Errorf("%v by %v is %+v", state, who, m)
			}
		}
	}
}

// TestAControlThatFailedOnceIsTold even if it held for every other port.
func TestAControlThatFailedOnceIsTold(t *testing.T) {
	v := testView()
	good := observed(health.Witness, "w", "w", 8123, health.PortClosed, health.Nobody, health.Refused)
	good.Controls = health.Controls{HomeBefore: health.Held, HomeAfter: health.Held, Reach: health.Held}
	bad := good
	bad.Port, bad.Controls.HomeAfter = 443, health.Failed
	if held, failed := v.controls([]health.Observation{good}); len(held) != 2 || len(failed) != 0 {
		t.Errorf("%q, %q", held, failed)
	}
	if held, failed := v.controls([]health.Observation{good, bad}); len(held) != 1 || len(failed) != 1 {
		t.Errorf("%q, %q", held, failed)
	}
	if held, failed := v.controls([]health.Observation{{State: health.PortClosed}}); len(held) != 0 || len(failed) != 0 {
		t.Errorf("what nobody tried is told of: %q, %q", held, failed)
	}
}

// TestTheOwnerMaySayWhatAnswers, and not that what was shown to be Home Assistant is not.
func TestTheOwnerMaySayWhatAnswers(t *testing.T) {
	v := testView()
	for _, c := range []struct {
		d    health.DoorReport
		may  bool
		kind string
	}{
		{health.DoorReport{}, false, "quiet"},
		{health.DoorReport{Open: true, Role: health.RoleDoor}, true, "warn"},
		{health.DoorReport{Open: true, Known: true, Role: health.RoleDoor}, false, "quiet"},
		{health.DoorReport{Open: true, Verdict: health.Exposed}, false, "bad"},
		{health.DoorReport{Open: true, Role: health.RolePage}, false, "warn"},
		{health.DoorReport{Verdict: health.Closed}, false, "good"},
	} {
		if got := v.Answers(c.d); got != c.may || v.DoorMark(c.d).Kind != c.kind {
			t.Errorf("%+v: may %v, %+v", c.d, got, v.DoorMark(c.d))
		}
	}
}

// TestEveryStepOfOursLeadsSomewhereThatIsThere keeps links to pages and their parts whole.
func TestEveryStepOfOursLeadsSomewhereThatIsThere(t *testing.T) {
	v := testView()
	parts := map[string]string{"/check": "check", "/settings/watch": "watch", "/": "home", "/settings/address": "address"}
	for _, step := range health.Steps() {
		path, part, _ := strings.Cut(v.Leads(step), "#")
		if path == "" {
			continue
		}
		page := string(render(t, sampled(t, parts[path])))
		if part != "" && !strings.Contains(page, `id="`+part+`"`) {
			t.Errorf("%s leads to %s, where there is no %s", step, path, part)
		}
	}
}

func TestSightsAreToldByWhoSawThem(t *testing.T) {
	got := testView().Sights(sights)
	if len(got) != 5 || len(got[0].Ports) != 3 || got[0].From != "witness.example.org" || !got[0].Outside || got[3].Outside {
		t.Errorf("%+v", got)
	}
	if len(testView().Sights(nil)) != 0 {
		t.Error("something was seen by nobody")
	}
}

// TestDoorsOfWhichTheSameIsKnownShareALine, and those at which somebody answers do not.
func TestDoorsOfWhichTheSameIsKnownShareALine(t *testing.T) {
	v := testView()
	by := func(who string, ago time.Duration) health.Reason {
		return reason(health.ClosedBy, "from", who, "at", now.Add(-ago).UTC().Format(time.RFC3339))
	}
	lost := reason(health.PathLostBefore, "from", "tower")
	answers := door(health.IPv4, 80, health.RoleDoor, health.Unverified)
	answers.Open = true
	known := door(health.IPv4, 81, health.RoleDoor, health.Closed)
	known.Open, known.Known = true, true
	got := v.DoorLines(health.FamilyReport{Doors: []health.DoorReport{
		door(health.IPv4, 8123, health.RoleHome, health.Closed, by("tower", time.Minute)),
		door(health.IPv4, 443, health.RoleDoor, health.Closed, by("tower", 3*time.Minute)),
		door(health.IPv4, 8443, health.RoleDoor, health.Closed, by("lake", time.Minute)),
		door(health.IPv4, 82, health.RoleDoor, health.Unverified, lost), door(health.IPv4, 83, health.RoleDoor, health.Unverified, lost),
		answers, known, door(health.IPv4, 84, health.RoleDoor, health.Exposed), door(health.IPv4, 85, health.RoleDoor, health.Exposed),
	}})
	var lines []string
	for _, l := range got {
		lines = append(lines, l.Kind+" "+l.Ports)
		if (l.Port == 0) != strings.Contains(l.Ports, "and") {
			t.Errorf("%q has a button for %d", l.Ports, l.Port)
		}
	}
	want := []string{"bad Port 84", "bad Port 85", "warn Port 80", "quiet Ports 82 and 83", "quiet Port 81", "good Ports 443 and 8123", "good Port 8443"}
	if !slices.Equal(lines, want) {
		t.Errorf("%q, want %q", lines, want)
	}
	if first, oldest := got[5], string(v.Because(by("tower", 3*time.Minute))); len(first.Why) != 1 || string(first.Why[0]) != oldest || !first.CheckedAt.IsZero() {
		t.Errorf("%q, want only %q: what is claimed of all is what holds for each", first.Why, oldest)
	}
}

// TestWhatFadesIsNotCalledOpen: who has closed it is not told that anybody can get in.
func TestWhatFadesIsNotCalledOpen(t *testing.T) {
	v := testView()
	fading := openReport()
	fading.Reasons = []health.Reason{reason(health.NotYetClosed, "since", earlier.Format(time.RFC3339))}
	if m := v.Lock(Exposure{Report: fading}); m.Kind != "bad" || !strings.Contains(m.Word, "443 still counts as open") {
		t.Errorf("%+v", m)
	}
	if len(v.Shown(Exposure{Report: fading})) != 1 || v.Fading(openReport()) || v.Fading(health.Report{}) || v.Fading(health.Report{Verdict: health.Exposed}) {
		t.Error("it is told of wrongly")
	}
}

// TestWhatToDoFitsWhatWasFound: who has a firewall that is off is not told to remove a rule for Home Assistant.
func TestWhatToDoFitsWhatWasFound(t *testing.T) {
	v := testView()
	for code, want := range map[health.Code]string{
		health.FirewallOff: v.T("check.do_firewall"), health.OtherOpen: v.T("check.do_other"), health.MappingOther: v.T("check.do_other"),
		health.MappingIdle: v.T("exposure.next.delete_mapping"), health.PageOpen: v.T("exposure.next.close_page"), health.LoneWitness: "",
	} {
		if got := v.FindingNext(reason(code)); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}
