package vantage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

const (
	phoneHome    = "11.0.0.2"  // the home's public address
	phoneThere   = "11.0.1.11" // the phone's
	phoneHome6   = "2a77:db8:77::20"
	phoneThere6  = "2a77:db8:c::11"
	phoneVersion = "2026.5.0"
)

// phoneWorld is what a phone's browser would find, and how it would lie.
type phoneWorld struct {
	t        *testing.T
	now      time.Time
	facts    health.Facts
	home     homeassistant.Fingerprint
	endpoint netip.AddrPort
	shaken   time.Time
	controls []PhoneControl
	added    []health.Observation
	log      strings.Builder

	// The answer to each try; nil: the honest browser of a phone that is away from a closed home.
	answer func(run int, url string) (PhoneSeen, string)
	echo   string // the address that controls say; empty: phoneThere
	*Phone
}

func newPhoneWorld(t *testing.T) *phoneWorld {
	t.Helper()
	w := &phoneWorld{
		t: t, now: time.Date(2026, 5, 14, 14, 0, 0, 0, time.UTC),
		home:     homeassistant.Fingerprint{HTTP: true, Status: 200, Manifest: "m", Version: phoneVersion},
		endpoint: netip.AddrPortFrom(netip.MustParseAddr(phoneThere), 40000),
		controls: []PhoneControl{{"witness.example.org", 8123}},
		facts: health.Facts{
			Home:   health.Home{Found: true, Port: 8123, IPv6: health.Absent},
			Public: map[health.Family]health.Public{health.IPv4: {Standing: health.Known, Address: netip.MustParseAddr(phoneHome)}},
			Page:   51821,
		},
	}
	w.shaken = w.now.Add(-time.Minute)
	w.Phone = NewPhone(PhoneConfig{
		Controls:    func() []PhoneControl { return w.controls },
		Facts:       func() health.Facts { return w.facts },
		Fingerprint: func(context.Context) homeassistant.Fingerprint { return w.home },
		Endpoint:    func(string) (netip.AddrPort, time.Time) { return w.endpoint, w.shaken },
		Name:        func(string) string { return "Anna" },
		Add:         func(seen ...health.Observation) { w.added = append(w.added, seen...) },
		Now:         func() time.Time { return w.now },
		Log:         slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	return w
}

// browse does what the script of the page does.
func (w *phoneWorld) browse(task PhoneTask) PhoneReport {
	r := PhoneReport{Nonce: task.Nonce}
	for run := range task.Runs {
		for n, try := range task.Tries {
			seen, message := PhoneSilence, ""
			switch {
			case w.answer != nil:
				seen, message = w.answer(run, try.HTTP)
			case try.Read:
				seen = PhoneMessage
			}
			if seen == PhoneMessage && message == "" && try.Read {
				message = fmt.Sprintf(`{"address":%q,"nonce":%q}`, or(w.echo, phoneThere), task.Nonce)
			}
			r.Results = append(r.Results, PhoneResult{Run: run, Try: n, Seen: seen, Message: message})
		}
	}
	return r
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (w *phoneWorld) begin() PhoneTask {
	w.t.Helper()
	task, err := w.Begin(w.t.Context(), "anna", true)
	if err != nil {
		w.t.Fatal(err)
	}
	return task
}

// look is a whole look of Anna's phone.
func (w *phoneWorld) look() PhoneOutcome {
	w.t.Helper()
	return w.Report(w.t.Context(), "anna", w.browse(w.begin()))
}

// at answers at one place, and elsewhere as a closed home and an honest witness do.
func at(place string, seen PhoneSeen, message string) func(int, string) (PhoneSeen, string) {
	return func(_ int, url string) (PhoneSeen, string) {
		switch {
		case strings.HasPrefix(url, "http://"+place+"/"):
			return seen, message
		case strings.Contains(url, "/control?"):
			return PhoneMessage, ""
		default:
			return PhoneSilence, ""
		}
	}
}

func greetingOf(version string) string {
	return `{"type":"auth_required","ha_version":"` + version + `"}`
}

// said says what the observations are, one word each: the state, the identity or the reason.
func said(seen []health.Observation) string {
	var out []string
	for _, o := range seen {
		word := o.State.String()
		if o.State == health.Untested {
			word = string(o.Why)
		}
		out = append(out, fmt.Sprintf("%s:%d=%s", o.Family, o.Port, word))
	}
	return strings.Join(out, " ")
}

func TestWhatComesOfAPhonesReport(t *testing.T) {
	t.Parallel()
	open := phoneHome + ":8123"
	for _, c := range []struct {
		name    string
		set     func(*phoneWorld) // before it begins
		during  func(*phoneWorld) // while the browser looks
		outcome PhoneOutcome
		port    int // whose state is told
		state   health.State
	}{
		{"nobody anywhere", nil, nil, PhoneNothing, 8123, health.PortFiltered},
		{"our Home Assistant", func(w *phoneWorld) { w.answer = at(open, PhoneMessage, greetingOf(phoneVersion)) }, nil, PhoneExposed, 8123, health.PortOpen},
		{"our Home Assistant behind 443", func(w *phoneWorld) { w.answer = at(phoneHome+":443", PhoneMessage, greetingOf(phoneVersion)) }, nil, PhoneExposed, 443, health.PortOpen},
		{"in one run only", func(w *phoneWorld) {
			yes := at(open, PhoneMessage, greetingOf(phoneVersion))
			w.answer = func(run int, url string) (PhoneSeen, string) {
				if run == 0 && strings.Contains(url, open) {
					return PhoneSilence, ""
				}
				return yes(run, url)
			}
		}, nil, PhoneExposed, 8123, health.PortOpen},
		{"another version", func(w *phoneWorld) { w.answer = at(open, PhoneMessage, greetingOf("2020.1.0")) }, nil, PhoneDoubted, 0, health.Untested},
		{"updated meanwhile", func(w *phoneWorld) { w.answer = at(open, PhoneMessage, greetingOf("2026.6.0")) }, func(w *phoneWorld) { w.home.Version = "2026.6.0" }, PhoneExposed, 8123, health.PortOpen},
		{"a message that is no greeting", func(w *phoneWorld) { w.answer = at(open, PhoneMessage, "hello") }, nil, PhoneAnswers, 8123, health.PortOpen},
		{"something that answers", func(w *phoneWorld) { w.answer = at(open, PhoneAnswer, "") }, nil, PhoneAnswers, 8123, health.PortOpen},
		{"refused", func(w *phoneWorld) { w.answer = at(open, PhoneError, "") }, nil, PhoneNothing, 8123, health.PortFiltered},
		{"refused where TLS is usual", func(w *phoneWorld) { w.answer = at(phoneHome+":443", PhoneError, "") }, nil, PhoneBlind, 443, health.Untested},
		{"Home Assistant speaks TLS", func(w *phoneWorld) { w.home.TLS = "cert"; w.answer = at(open, PhoneError, "") }, nil, PhoneBlind, 8123, health.Untested},

		{"no witness, nobody", func(w *phoneWorld) { w.controls = nil }, nil, PhoneUnproven, 8123, health.Untested},
		{"no witness, ours", func(w *phoneWorld) { w.controls = nil; w.answer = at(open, PhoneMessage, greetingOf(phoneVersion)) }, nil, PhoneExposed, 8123, health.PortOpen},
		{"no witness, something", func(w *phoneWorld) { w.controls = nil; w.answer = at(open, PhoneAnswer, "") }, nil, PhoneAnswers, 8123, health.Untested},
		{"the network stops the control", func(w *phoneWorld) { w.answer = at("nowhere", PhoneSilence, ""); blind(w, 0, 1) }, nil, PhoneBlocked, 8123, health.Untested},
		{"it stops it in one run", func(w *phoneWorld) { blind(w, 1) }, nil, PhoneBlocked, 8123, health.Untested},
		{"it stops it, and ours is reached", func(w *phoneWorld) {
			w.answer = func(_ int, url string) (PhoneSeen, string) {
				if strings.Contains(url, open) {
					return PhoneMessage, greetingOf(phoneVersion)
				}
				return PhoneSilence, ""
			}
		}, nil, PhoneExposed, 8123, health.PortOpen},
		{"a captive portal", func(w *phoneWorld) { w.answer = func(int, string) (PhoneSeen, string) { return PhoneAnswer, "" } }, nil, PhoneMiddlebox, 8123, health.Untested},
		{"the control answers another question", func(w *phoneWorld) {
			w.answer = func(_ int, url string) (PhoneSeen, string) {
				if strings.Contains(url, "/control?") {
					return PhoneMessage, `{"address":"11.0.1.11","nonce":"another"}`
				}
				return PhoneSilence, ""
			}
		}, nil, PhoneBlocked, 8123, health.Untested},

		{"full tunnel at home's end", func(w *phoneWorld) { w.echo = phoneHome }, nil, PhoneNotAway, 0, health.Untested},
		{"full tunnel, hairpin", func(w *phoneWorld) { w.echo = phoneHome; w.answer = at(open, PhoneMessage, greetingOf(phoneVersion)) }, nil, PhoneNotAway, 0, health.Untested},
		{"a relay, nobody", func(w *phoneWorld) { w.echo = "17.0.0.9" }, nil, PhoneRelayed, 8123, health.Untested},
		{"a relay, something", func(w *phoneWorld) { w.echo = "17.0.0.9"; w.answer = at(open, PhoneAnswer, "") }, nil, PhoneRelayed, 8123, health.Untested},
		{"a relay, ours", func(w *phoneWorld) { w.echo = "17.0.0.9"; w.answer = at(open, PhoneMessage, greetingOf(phoneVersion)) }, nil, PhoneExposed, 8123, health.PortOpen},
		{"a carrier's pool", func(w *phoneWorld) { w.echo = "11.0.1.77" }, nil, PhoneNothing, 8123, health.PortFiltered},

		{"it came home", nil, func(w *phoneWorld) { w.endpoint = netip.MustParseAddrPort("192.168.1.7:40000") }, PhoneMoved, 0, health.Untested},
		{"it went elsewhere", nil, func(w *phoneWorld) { w.endpoint = netip.MustParseAddrPort("17.0.0.9:40000") }, PhoneMoved, 0, health.Untested},
		{"another port of the same NAT", nil, func(w *phoneWorld) { w.endpoint = netip.AddrPortFrom(w.endpoint.Addr(), 41111) }, PhoneNothing, 8123, health.PortFiltered},
		{"the home's address changed", nil, func(w *phoneWorld) {
			w.facts.Public = map[health.Family]health.Public{health.IPv4: {Standing: health.Known, Address: netip.MustParseAddr("11.0.0.99")}}
		}, PhoneChanged, 8123, health.Untested},
		{"Home Assistant stopped", nil, func(w *phoneWorld) { w.home = homeassistant.Fingerprint{} }, PhoneHomeDown, 0, health.Untested},
		{"its report came late", nil, func(w *phoneWorld) { w.now = w.now.Add(6 * time.Minute); w.shaken = w.now }, PhoneTooLate, 0, health.Untested},

		{"a liar who says yes to everything", func(w *phoneWorld) {
			w.answer = func(int, string) (PhoneSeen, string) { return PhoneMessage, greetingOf(phoneVersion) }
		}, nil, PhoneDoubted, 0, health.Untested},
		{"a liar who says no to everything", func(w *phoneWorld) {
			w.answer = func(int, string) (PhoneSeen, string) { return PhoneSilence, "" }
		}, nil, PhoneBlocked, 8123, health.Untested},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newPhoneWorld(t)
			if c.set != nil {
				c.set(w)
			}
			task := w.begin()
			report := w.browse(task)
			w.now = w.now.Add(30 * time.Second)
			if c.during != nil {
				c.during(w)
			}
			if got := w.Report(t.Context(), "anna", report); got != c.outcome {
				t.Errorf("the outcome is %s, want %s (%s)", got, c.outcome, said(w.added))
			}
			w.check(c.port, c.state)
		})
	}
}

// blind stops the control in some runs.
func blind(w *phoneWorld, runs ...int) {
	w.answer = func(run int, url string) (PhoneSeen, string) {
		if slices.Contains(runs, run) {
			return PhoneSilence, ""
		}
		return at("nowhere", PhoneSilence, "")(run, url)
	}
}

// check looks for the state of one port, and that nothing is believed of which the phone shows nothing.
func (w *phoneWorld) check(port int, want health.State) {
	w.t.Helper()
	got := health.Untested
	for _, o := range w.added {
		if int(o.Port) == port {
			got = o.State
		}
		c := o.Controls
		if o.State == health.PortFiltered && (c.Reach != health.Held || c.Decoy != health.Held || c.Outside != health.Held ||
			c.HomeBefore != health.Held || c.HomeAfter != health.Held || o.Identity != health.Nobody) {
			w.t.Errorf("%d is said to be closed with controls %+v", o.Port, c)
		}
		if o.State == health.PortOpen && o.Identity == health.OurHome && c.Outside != health.Held {
			w.t.Errorf("%d is said to be exposed with controls %+v", o.Port, c)
		}
		if o.Kind != health.Phone || o.Seat != "anna" || o.From != "Anna" || o.Round == "" || o.Began.After(o.At) || o.At.IsZero() {
			w.t.Errorf("%+v", o)
		}
	}
	if got != want {
		w.t.Errorf("port %d is %s, want %s (%s)", port, got, want, said(w.added))
	}
}

func TestWhoMayNotLook(t *testing.T) {
	t.Parallel()
	from := func(a string) func(*phoneWorld) {
		return func(w *phoneWorld) { w.endpoint = netip.AddrPortFrom(netip.MustParseAddr(a), 40000) }
	}
	for _, c := range []struct {
		name string
		set  func(*phoneWorld)
		want PhoneOutcome
	}{
		{"on the home's Wi-Fi", from("192.168.1.7"), PhoneNotAway},
		{"behind a carrier's NAT of its own", from("100.64.0.9"), PhoneNotAway},
		{"from the home's own public address", from(phoneHome), PhoneNotAway},
		{"the same, mapped", from("::ffff:" + phoneHome), PhoneNotAway},
		{"on the home's Wi-Fi over IPv6", func(w *phoneWorld) {
			w.facts.Home.IPv6, w.facts.Own6 = health.Known, []netip.Addr{netip.MustParseAddr("2a77:db8:77::10")}
			from("2a77:db8:77:1::9")(w)
		}, PhoneNotAway},
		{"link-local", from("fe80::9"), PhoneNotAway},
		{"over IPv6, and it is not known which is ours", func(w *phoneWorld) { w.facts.Home.IPv6 = health.Unknown; from(phoneThere6)(w) }, PhoneNotAway},
		{"never seen", func(w *phoneWorld) { w.endpoint = netip.AddrPort{} }, PhoneNotAway},
		{"no handshake", func(w *phoneWorld) { w.shaken = time.Time{} }, PhoneNotAway},
		{"an old handshake", func(w *phoneWorld) { w.shaken = w.now.Add(-181 * time.Second) }, PhoneNotAway},
		{"our address is not known", func(w *phoneWorld) { w.facts.Public = nil }, PhoneNoTarget},
		{"our address is not known, and over IPv6 there would be something to try", func(w *phoneWorld) {
			w.facts.Public = nil
			w.facts.Home.IPv6, w.facts.Home.Global6 = health.Known, []netip.Addr{netip.MustParseAddr(phoneHome6)}
		}, PhoneNotAway},
		{"we have no address", func(w *phoneWorld) {
			w.facts.Public = map[health.Family]health.Public{health.IPv4: {Standing: health.Absent}}
		}, PhoneNoTarget},
		{"Home Assistant does not answer", func(w *phoneWorld) { w.home = homeassistant.Fingerprint{} }, PhoneHomeDown},
	} {
		w := newPhoneWorld(t)
		c.set(w)
		if _, err := w.Begin(t.Context(), "anna", true); !errors.Is(err, PhoneRefusal(c.want)) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestANonceIsForOnePhoneOnce(t *testing.T) {
	t.Parallel()
	w := newPhoneWorld(t)
	annas := w.browse(w.begin())
	if got := w.Report(t.Context(), "ben", annas); got != PhoneTooLate {
		t.Errorf("Anna's report from Ben's phone: %s", got)
	}
	wrong := annas
	wrong.Nonce = "x"
	if got := w.Report(t.Context(), "anna", wrong); got != PhoneTooLate {
		t.Errorf("a made-up nonce: %s", got)
	}
	if got := w.Report(t.Context(), "anna", annas); got != PhoneNothing {
		t.Errorf("the report: %s", got)
	}
	n := len(w.added)
	if got := w.Report(t.Context(), "anna", annas); got != PhoneTooLate || len(w.added) != n {
		t.Errorf("the report again: %s", got)
	}
	old := w.browse(w.begin())
	w.begin()
	if got := w.Report(t.Context(), "anna", old); got != PhoneTooLate {
		t.Errorf("the report of a page that was loaded again: %s", got)
	}
}

func TestReportsThatAreNotWhole(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*PhoneReport){
		"one is missing": func(r *PhoneReport) { r.Results = r.Results[1:] },
		"one is twice":   func(r *PhoneReport) { r.Results[0] = r.Results[1] },
		"another run":    func(r *PhoneReport) { r.Results[0].Run = 2 },
		"before the run": func(r *PhoneReport) { r.Results[0].Run = -1 },
		"another try":    func(r *PhoneReport) { r.Results[0].Try = 99 },
		"another word":   func(r *PhoneReport) { r.Results[0].Seen = "closed" },
		"a long message": func(r *PhoneReport) {
			r.Results[0].Seen, r.Results[0].Message = PhoneMessage, strings.Repeat("x", maxPhoneMessage+1)
		},
		"a message of nobody": func(r *PhoneReport) { r.Results[0].Seen, r.Results[0].Message = PhoneSilence, "x" },
		"none at all":         func(r *PhoneReport) { r.Results = nil },
	} {
		w := newPhoneWorld(t)
		report := w.browse(w.begin())
		spoil(&report)
		if got := w.Report(t.Context(), "anna", report); got != PhoneDoubted || len(w.added) > 0 {
			t.Errorf("%s: %s, %s", name, got, said(w.added))
		}
	}
}

func TestIPv6NeedsItsOwnControls(t *testing.T) {
	t.Parallel()
	open := "[" + phoneHome6 + "]:8123"
	const literal = "2a77:db8:d1::10"
	for _, c := range []struct {
		name      string
		endpoint  string
		control   string
		echo      string
		answer    PhoneSeen
		outcome   PhoneOutcome
		wantState health.State
	}{
		{"its own control holds", phoneThere6, literal, phoneThere6, PhoneSilence, PhoneNothing, health.PortFiltered},
		{"another address of the phone", phoneThere6, literal, "2a77:db8:c::99", PhoneSilence, PhoneNothing, health.PortFiltered},
		{"the control is asked by name", phoneThere6, "witness.example.org", phoneThere6, PhoneSilence, PhoneBlocked, health.Untested},
		{"the control is over IPv4", phoneThere, "witness.example.org", phoneThere, PhoneSilence, PhoneBlocked, health.Untested},
		{"ours, seen by a phone whose IPv6 is its own", phoneThere6, literal, phoneThere6, PhoneMessage, PhoneExposed, health.PortOpen},
		{"ours, seen by one of whose IPv6 nothing is known", phoneThere, "witness.example.org", phoneThere, PhoneMessage, PhoneBlocked, health.Untested},
		{"ours, seen from the home's own network", phoneThere, literal, "2a77:db8:77::99", PhoneMessage, PhoneNotAway, health.Untested},
	} {
		w := newPhoneWorld(t)
		w.facts.Home.IPv6, w.facts.Home.Global6 = health.Known, []netip.Addr{netip.MustParseAddr(phoneHome6)}
		w.endpoint = netip.AddrPortFrom(netip.MustParseAddr(c.endpoint), 40000)
		w.controls, w.echo = []PhoneControl{{c.control, 8123}}, c.echo
		message := ""
		if c.answer == PhoneMessage {
			message = greetingOf(phoneVersion)
		}
		w.answer = at(open, c.answer, message)
		outcome := w.Report(t.Context(), "anna", w.browse(w.begin()))
		got := health.Untested
		for _, o := range w.added {
			if o.Family == health.IPv6 && o.Port == 8123 {
				got = o.State
			}
		}
		if got != c.wantState || (outcome != c.outcome && outcome != PhoneBlocked) {
			t.Errorf("%s: %s and %s, want %s and %s", c.name, outcome, got, c.outcome, c.wantState)
		}
	}
}
