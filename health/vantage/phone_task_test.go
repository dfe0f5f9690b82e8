package vantage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

func TestATaskNamesWhatItTriesAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newPhoneWorld(t)
	w.facts.Home.IPv6, w.facts.Home.Port = health.Known, 6000 // which browsers do not ask
	w.facts.Home.Global6 = []netip.Addr{netip.MustParseAddr(phoneHome6)}
	w.controls = []PhoneControl{{"11.0.17.10", 8123}}
	task := w.begin()
	sources := strings.Join(task.Sources(), " ")
	for _, want := range []string{
		"http://11.0.0.2:8123", "ws://11.0.0.2:8123", "http://11.0.0.2:443", "http://*:8123", "ws://*:443", "http://11.0.17.10:8123",
	} {
		if !strings.Contains(" "+sources+" ", " "+want+" ") {
			t.Errorf("%s is not among %s", want, sources)
		}
	}
	if strings.Contains(sources, ":6000") || strings.ContainsAny(sources, "[;,") {
		t.Error(sources)
	}
	decoys := 0
	for _, try := range task.Tries {
		if strings.HasPrefix(try.HTTP, "http://11.0.17.10:4") {
			decoys++
		}
	}
	if decoys != 1 || !task.Controlled || task.Runs != 2 {
		t.Errorf("%+v", task)
	}
}

func TestOrderTellsNothing(t *testing.T) {
	t.Parallel()
	w := newPhoneWorld(t)
	orders := make(map[string]bool)
	for range 8 {
		var order strings.Builder
		for _, try := range w.begin().Tries {
			order.WriteString(strings.SplitN(try.HTTP, "?", 2)[0])
		}
		orders[order.String()] = true
	}
	if len(orders) < 2 {
		t.Error("the tries are always in the same order")
	}
}

func TestUnaskedOnlyOnceAnHour(t *testing.T) {
	t.Parallel()
	w := newPhoneWorld(t)
	unasked := func() error {
		_, err := w.Begin(t.Context(), "anna", false)
		return err
	}
	w.look()
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{time.Minute, PhoneRefusal(PhoneTooSoon)}, {58 * time.Minute, PhoneRefusal(PhoneTooSoon)}, {time.Minute, nil}} {
		w.now = w.now.Add(c.after)
		w.shaken = w.now
		if err := unasked(); !errors.Is(err, c.want) {
			t.Errorf("%v later: %v, want %v", c.after, err, c.want)
		}
	}
}

func TestOnePhoneFillsNoHistory(t *testing.T) {
	t.Parallel()
	w := newPhoneWorld(t)
	for range maxPhoneAsked {
		w.look()
	}
	if _, err := w.Begin(t.Context(), "anna", true); !errors.Is(err, PhoneRefusal(PhoneTooSoon)) {
		t.Errorf("after %d looks: %v", maxPhoneAsked, err)
	}
	if _, err := w.Begin(t.Context(), "ben", true); err != nil {
		t.Errorf("Ben's phone: %v", err)
	}
	w.now, w.shaken = w.now.Add(time.Hour), w.now.Add(time.Hour)
	w.look()
}

func TestHomeAssistantIsNotAskedByEveryPage(t *testing.T) {
	t.Parallel()
	w := newPhoneWorld(t)
	asked := 0
	w.cfg.Fingerprint = func(context.Context) homeassistant.Fingerprint { asked++; return w.home }
	for range 10 {
		w.begin()
	}
	if asked != 1 {
		t.Errorf("Home Assistant was asked %d times", asked)
	}
	w.now = w.now.Add(30 * time.Second)
	if w.look(); asked != 2 {
		t.Errorf("half a minute later it was asked %d times in all", asked)
	}
	w.now = w.now.Add(30 * time.Second)
	w.home = homeassistant.Fingerprint{}
	for range 10 {
		_, _ = w.Begin(t.Context(), "anna", true)
	}
	if asked != 3 {
		t.Errorf("while it is down it was asked %d times in all", asked)
	}
}

// TestNoReportMakesMoreOfItselfThanItShows throws dice for what the phone says, where it is and what it shows.
func TestNoReportMakesMoreOfItselfThanItShows(t *testing.T) {
	t.Parallel()
	dice := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test that can be run again
	pick := func(all ...string) string { return all[dice.IntN(len(all))] }
	outcomes := make(map[PhoneOutcome]int)
	for range 3000 {
		w := newPhoneWorld(t)
		if dice.IntN(4) == 0 {
			w.controls = nil
		}
		w.echo = pick(phoneThere, phoneThere, phoneThere, phoneHome, "17.0.0.9", phoneThere6)
		rare := dice.IntN(20) + 1
		w.answer = func(_ int, url string) (PhoneSeen, string) {
			control := strings.Contains(url, "/control?")
			if dice.IntN(rare) > 0 == control {
				return PhoneMessage, map[bool]string{false: pick(greetingOf(phoneVersion), greetingOf("1"), "{}", "x")}[control]
			}
			return PhoneSeen(pick("silence", "silence", "silence", "error", "answer")), ""
		}
		report := w.browse(w.begin())
		w.now = w.now.Add(time.Minute)
		if dice.IntN(10) == 0 {
			w.endpoint = netip.MustParseAddrPort(pick("192.168.1.9", phoneHome, "17.0.0.9") + ":1")
		}
		outcome := w.Report(t.Context(), "anna", report)
		outcomes[outcome]++
		for _, o := range w.added {
			c := o.Controls
			switch {
			case o.State == health.PortClosed:
				t.Fatalf("a browser does not see that a port is closed: %+v", o)
			case o.State == health.PortFiltered && (len(w.controls) == 0 || w.echo != phoneThere || c.Reach != health.Held || c.Decoy != health.Held):
				t.Fatalf("%s: nobody was shown to be there: %+v", outcome, o)
			case o.Identity == health.OurHome && (w.echo == phoneHome && c.Reach == health.Held || outcome != PhoneExposed):
				t.Fatalf("%s: %+v", outcome, o)
			}
		}
	}
	for _, o := range []PhoneOutcome{PhoneExposed, PhoneAnswers, PhoneBlocked, PhoneMiddlebox, PhoneDoubted, PhoneNotAway, PhoneMoved, PhoneRelayed} {
		if outcomes[o] == 0 {
			t.Errorf("the dice never gave %s: %v", string(o), outcomes)
		}
	}
}

func FuzzPhoneMessages(f *testing.F) {
	f.Add(greetingOf(phoneVersion))
	f.Add(`{"address":"11.0.1.11","nonce":"x"}`)
	f.Add(`{"address":"::ffff:11.0.1.11","nonce":"x"}`)
	f.Fuzz(func(t *testing.T, said string) {
		if version := greeted(said); version != "" && !strings.Contains(said, "auth_required") {
			t.Errorf("%q is no greeting", said)
		}
		if from, err := readControl("x", said); err == nil && (!from.IsValid() || from.Is4In6()) {
			t.Errorf("%q says %v", said, from)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	w := newPhoneWorld(t)
	for i := range 4 * maxPhoneTasks {
		w.now = w.now.Add(time.Millisecond)
		if _, err := w.Begin(t.Context(), fmt.Sprint(i), true); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.tasks) > maxPhoneTasks {
		t.Errorf("%d tasks are remembered", len(w.tasks))
	}
	w.now, w.shaken = w.now.Add(2*time.Hour), w.now.Add(2*time.Hour)
	w.look()
	w.now, w.shaken = w.now.Add(2*time.Hour), w.now.Add(2*time.Hour)
	w.look()
	w.begin()
	if len(w.tasks) != 1 || len(w.looked) != 1 {
		t.Errorf("%d tasks and %d times are remembered hours later", len(w.tasks), len(w.looked))
	}
}

func TestManyAddressesMakeNoEndlessTask(t *testing.T) {
	t.Parallel()
	w := newPhoneWorld(t)
	w.facts.Home.IPv6, w.facts.Home.Port = health.Known, 8199
	for i := range 50 {
		w.facts.Home.Global6 = append(w.facts.Home.Global6, netip.MustParseAddr(fmt.Sprintf("2a77:db8:77::%x", i+1)))
	}
	for i := range 50 {
		w.controls = append(w.controls, PhoneControl{fmt.Sprintf("11.0.3.%d", i), 8123})
	}
	if task := w.begin(); len(task.Tries) > maxPhoneTries {
		t.Errorf("%d tries", len(task.Tries))
	}
}
