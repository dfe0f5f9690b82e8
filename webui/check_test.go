package webui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/webui/api"
)

// fakeLoop is a health room whose every word a test can set.
type fakeLoop struct {
	report   health.Report
	progress health.Progress
	seen     []health.Observation
	history  []health.Entry
	asked    int
}

func (f *fakeLoop) Report() health.Report            { return f.report }
func (f *fakeLoop) Check()                           { f.asked++ }
func (f *fakeLoop) Progress() health.Progress        { return f.progress }
func (f *fakeLoop) Seen() []health.Observation       { return f.seen }
func (f *fakeLoop) Watch() (<-chan struct{}, func()) { return nil, func() {} }
func (f *fakeLoop) History(before uint64, limit int) (out []health.Entry, err error) {
	for _, e := range f.history {
		if (before == 0 || e.Seq < before) && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

type fakeRouter struct {
	has    []api.Mapping
	refuse error
	lazy   bool
}

func (r *fakeRouter) Mappings() []api.Mapping { return r.has }
func (r *fakeRouter) Delete(_ context.Context, id string) error {
	if r.refuse == nil && !r.lazy {
		r.has = slices.DeleteFunc(slices.Clone(r.has), func(m api.Mapping) bool { return m.ID == id })
	}
	return r.refuse
}

// healthy gives a house a health room.
func healthy(h *phoneHouse) (*fakeLoop, *fakeRouter, *health.Settings) {
	named := func(invite string) (string, error) {
		name, ok := strings.CutPrefix(invite, "hearthgate-witness:")
		if !ok {
			return "", fmt.Errorf("%q is no invite", invite)
		}
		return name, nil
	}
	loop, router, settings := new(fakeLoop), new(fakeRouter), health.NewSettings(h.store, h.cfg.Journal, named)
	h.cfg.Health = &api.Health{Loop: loop, Settings: settings, Router: router, Alerts: func() []api.Alert {
		return []api.Alert{{Name: "mqtt", At: time.Now(), Error: "x"}, {Name: "of_tomorrow"}}
	}}
	return loop, router, settings
}

func TestACheckIsAskedForAndNotWaitedFor(t *testing.T) {
	h := newPhoneHouse(t)
	loop, _, _ := healthy(h)
	door := health.DoorReport{Door: health.Door{Family: health.IPv4, Port: 8123}, Verdict: health.Exposed}
	loop.report = health.Report{Verdict: health.Exposed, Families: []health.FamilyReport{{Family: health.IPv4, Applies: true, Doors: []health.DoorReport{door}}}}
	b := h.owner()
	if w := b.send("/check"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/check" || loop.asked != 1 {
		t.Errorf("%d %s, asked %d times", w.Code, w.Header().Get("Location"), loop.asked)
	}
	loop.progress = health.Progress{Running: true, Steps: []health.Working{{Kind: health.Witness}}}
	if w := b.get("/check"); !strings.Contains(text(w), "8123") || !strings.Contains(text(w), "Witness is looking") || !strings.Contains(w.Body.String(), `http-equiv="refresh"`) {
		t.Errorf("how it goes is not shown:\n%s", text(w))
	}
	if w := b.get("/"); !strings.Contains(text(w), "8123") || strings.Contains(w.Body.String(), `action="/check"`) {
		t.Errorf("the verdict is not shown, or a second look is offered:\n%s", text(w))
	}
}

// TestBothWaysAreOfferedInOneStep where nobody looks, with what each reveals, and the forms do it.
func TestBothWaysAreOfferedInOneStep(t *testing.T) {
	h := newPhoneHouse(t)
	loop, _, settings := healthy(h)
	b := h.owner()
	for _, target := range []string{"/", "/check"} {
		w := b.get(target)
		for _, want := range []string{`action="/settings/watch/witness"`, `action="/settings/watch/switch"`} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s has no %s", target, want)
			}
		}
		if !strings.Contains(text(w), "somebody asks about your address and its ports") || !strings.Contains(text(w), "7 days") {
			t.Errorf("%s does not say what that reveals:\n%s", target, text(w))
		}
	}
	if w := b.send("/settings/watch/switch", "back", "/check", "what", "globalping", "on", "1"); w.Header().Get("Location") != "/check" || loop.asked != 1 {
		t.Errorf("%d %s, asked %d", w.Code, w.Header(), loop.asked)
	}
	if setup, err := settings.Get(); err != nil || !setup.Globalping || setup.Canary || setup.PortCheck {
		t.Errorf("%v %+v", err, setup)
	}
	if w := b.get("/"); strings.Contains(w.Body.String(), `action="/settings/watch/witness"`) {
		t.Error("it is offered again")
	}
	if w := b.send("/settings/watch/witness", "back", "/check", "invite", " hearthgate-witness:tower\n"); w.Header().Get("Location") != "/check" || loop.asked != 2 {
		t.Errorf("%d %s, asked %d", w.Code, w.Header(), loop.asked)
	}
}

func TestWhoLooksAndWhoIsTold(t *testing.T) {
	h := newPhoneHouse(t)
	_, _, settings := healthy(h)
	b := h.owner()
	for _, form := range [][]string{
		{"witness", "invite", "hearthgate-witness:tower"},
		{"switch", "what", "canary", "on", "1"},
		{"switch", "what", "port_check", "on", "1"},
		{"switch", "what", "internetdb", "on", "1"},
		{"token", "token", "s3cretToken"},
		{"switch", "what", "notify_home", "on", "1"},
		{"webhook", "webhook", "https://u:s3cretWord@hooks.example.org/s3cretPath"},
		{"mqtt", "mqtt", "mqtt://u:s3cretMQTT@192.168.1.20:1883"},
		{"names", "names", "Home.example.org, other.example.org"},
		{"switch", "what", "port_check", "on", "0"},
	} {
		if w := b.send("/settings/watch/"+form[0], form[1:]...); w.Code != http.StatusSeeOther || w.Header().Get("Location") != watchPath {
			t.Errorf("%q: %d %s\n%s", form, w.Code, w.Header(), text(w))
		}
	}
	setup, err := settings.Get()
	if err != nil || len(setup.Witnesses) != 1 || !setup.Canary || setup.PortCheck || !setup.InternetDB || !setup.NotifyHome || setup.HomeToken.Reveal() != "s3cretToken" ||
		!slices.Equal(setup.Names, []string{"home.example.org", "other.example.org"}) {
		t.Errorf("%v %+v", err, setup)
	}
	w := b.get(watchPath)
	for _, want := range []string{"tower", "hooks.example.org", "192.168.1.20:1883", "The last message did not arrive", "home.example.org"} {
		if !strings.Contains(text(w)+w.Body.String(), want) {
			t.Errorf("no %q:\n%s", want, text(w))
		}
	}
	if strings.Contains(w.Body.String(), "s3cret") || strings.Contains(w.Body.String(), "hearthgate-witness:tower") || strings.Contains(h.log.String(), "s3cret") {
		t.Error("a secret is shown")
	}
	if w := b.get("/settings"); !strings.Contains(text(w), "2 outside checkers") {
		t.Errorf("%s", text(w))
	}
	for _, form := range [][]string{
		{"token", "off", "1"}, {"webhook", "off", "1"}, {"mqtt", "off", "1"}, {"names", "names", ""}, {"witness/remove", "name", "tower"}, {"witness/remove", "name", "tower"},
	} {
		if w := b.send("/settings/watch/"+form[0], form[1:]...); w.Code != http.StatusSeeOther {
			t.Errorf("%q: %d\n%s", form, w.Code, text(w))
		}
	}
	setup, err = settings.Get()
	if err != nil || len(setup.Witnesses) != 0 || setup.NotifyHome || !setup.HomeToken.IsZero() || !setup.Webhook.IsZero() || !setup.MQTT.IsZero() || len(setup.Names) != 0 {
		t.Errorf("%v %+v", err, setup)
	}
}

func TestWhatCannotBeMeantIsToldBesideItsForm(t *testing.T) {
	h := newPhoneHouse(t)
	_, _, settings := healthy(h)
	b := h.owner()
	before, _ := settings.Get()
	for _, c := range []struct {
		form []string
		says string
	}{
		{[]string{"witness", "invite", "hearthgate-witnes:s3cret"}, "not the invite of a witness"},
		{[]string{"witness"}, "not the invite of a witness"},
		{[]string{"webhook", "webhook", "ftp://s3cret"}, "begins with http:// or https:// and names"},
		{[]string{"webhook"}, "begins with http:// or https:// and names"},
		{[]string{"mqtt", "mqtt", "192.168.1.20 s3cret"}, "begins with mqtt:// or mqtts://"},
		{[]string{"token", "token", "two s3cret"}, "one long word"},
		{[]string{"names", "names", "<b>"}, "not names"},
		{[]string{"names", "names", "a,b,c,d,e"}, "not names"},
		{[]string{"switch", "what", "notify_home", "on", "1"}, "needs a token first"},
	} {
		w := b.send("/settings/watch/"+c.form[0], c.form[1:]...)
		if w.Code != http.StatusBadRequest || !strings.Contains(text(w), c.says) || strings.Contains(w.Body.String(), "s3cret") || strings.Contains(h.log.String(), "s3cret") {
			t.Errorf("%q: %d\n%s", c.form, w.Code, text(w))
		}
	}
	if w := b.send("/settings/watch/switch", "what", "everything", "on", "1"); w.Code != http.StatusBadRequest {
		t.Errorf("%d", w.Code)
	}
	if after, _ := settings.Get(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("something was changed: %+v", after)
	}
	for i := range health.MaxWitnesses {
		b.send("/settings/watch/witness", "invite", fmt.Sprintf("hearthgate-witness:%d", i))
	}
	if w := b.send("/settings/watch/witness", "invite", "hearthgate-witness:more"); w.Code != http.StatusBadRequest || !strings.Contains(text(w), "Remove one first") {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
}

func TestTheOwnerSaysThatItIsNotHomeAssistant(t *testing.T) {
	h := newPhoneHouse(t)
	loop, _, settings := healthy(h)
	door := health.DoorReport{Door: health.Door{Family: health.IPv4, Port: 443}, Role: health.RoleDoor, Open: true}
	loop.report = health.Report{Families: []health.FamilyReport{{Family: health.IPv4, Applies: true, Doors: []health.DoorReport{door}}}}
	b := h.owner()
	if w := b.get("/check"); !strings.Contains(text(w), "Port 443 is not Home Assistant") {
		t.Errorf("it is not offered:\n%s", text(w))
	}
	known := func() []uint16 {
		setup, err := settings.Get()
		if err != nil {
			t.Fatal(err)
		}
		return setup.Known
	}
	for _, c := range []struct {
		port, is string
		code     int
		want     []uint16
	}{
		{"443", "1", http.StatusSeeOther, []uint16{443}},
		{"443", "1", http.StatusSeeOther, []uint16{443}},
		{"80", "1", http.StatusSeeOther, []uint16{80, 443}},
		{"443", "0", http.StatusSeeOther, []uint16{80}},
		{"0", "1", http.StatusBadRequest, []uint16{80}},
		{"65536", "1", http.StatusBadRequest, []uint16{80}},
		{"x", "1", http.StatusBadRequest, []uint16{80}},
	} {
		if w := b.send("/check/known", "port", c.port, "is", c.is); w.Code != c.code || !slices.Equal(known(), c.want) {
			t.Errorf("%s, %s: %d, %v", c.port, c.is, w.Code, known())
		}
	}
}

func TestAMappingIsDeletedOnceItWasAskedTwice(t *testing.T) {
	h := newPhoneHouse(t)
	loop, router, _ := healthy(h)
	const id = `<x>&"1`
	all := []api.Mapping{{ID: id, Protocol: "tcp", External: "8123", Internal: "192.168.1.5:8123", HomeAssistant: true, Enabled: true}}
	router.has = all
	b, path := h.owner(), "/check/mapping?id="+url.QueryEscape(id)
	if w := b.get("/check"); !strings.Contains(w.Body.String(), `href="/check/mapping?id=%3cx%3e%26%221"`) {
		t.Errorf("no way to delete it:\n%s", w.Body)
	}
	if w := b.get(path); w.Code != http.StatusOK || !strings.Contains(text(w), "192.168.1.5:8123") || loop.asked != 0 || len(router.has) != 1 {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
	router.refuse = errors.New("the router says 606 s3cret")
	if w := b.send("/check/mapping", "id", id); w.Code != http.StatusConflict || !strings.Contains(text(w), "did not delete the rule") || strings.Contains(w.Body.String(), "s3cret") {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
	router.refuse, router.lazy = nil, true
	if w := b.send("/check/mapping", "id", id); w.Code != http.StatusSeeOther || !strings.Contains(text(b.get("/check")), "still has the rule") {
		t.Errorf("%d", w.Code)
	}
	router.lazy = false
	if w := b.send("/check/mapping", "id", id); w.Code != http.StatusSeeOther || loop.asked != 2 || len(router.has) != 0 {
		t.Errorf("%d, asked %d, has %v", w.Code, loop.asked, router.has)
	}
	if got := text(b.get("/check")); !strings.Contains(got, "has deleted the rule") {
		t.Errorf("%s", got)
	}
	for _, w := range []int{b.get(path).Code, b.send("/check/mapping", "id", id).Code, b.get("/check/mapping").Code} {
		if w != http.StatusNotFound {
			t.Errorf("what is gone: %d", w)
		}
	}
	got := text(b.get("/journal?kind=exposure"))
	if strings.Count(got, "8123 to 192.168.1.5:8123") != 2 || !strings.Contains(got, "was deleted") || !strings.Contains(got, "still has it") {
		t.Errorf("the journal does not tell:\n%s", got)
	}
}

func TestTheCheckHasAPast(t *testing.T) {
	h := newPhoneHouse(t)
	loop, _, _ := healthy(h)
	for seq := uint64(40); seq > 0; seq-- {
		o := health.Observation{Kind: health.Witness, From: fmt.Sprintf("witness-%d.example.org", seq), Port: 8123, State: health.PortClosed, At: time.Now()}
		loop.history = append(loop.history, health.Entry{Seq: seq, First: time.Now(), Last: time.Now(), Times: 1, Kind: health.Witness, Seen: []health.Observation{o}})
	}
	b := h.owner()
	w := b.get("/check")
	if !strings.Contains(text(w), "witness-40.example.org") || strings.Contains(text(w), "witness-10.example.org") || !strings.Contains(w.Body.String(), `href="/check?before=11#past"`) {
		t.Errorf("%s", text(w))
	}
	if w = b.get("/check?before=11"); !strings.Contains(text(w), "witness-10.example.org") || strings.Contains(w.Body.String(), "before=") {
		t.Errorf("%s", text(w))
	}
	if w = b.get("/check?before=x"); w.Code != http.StatusBadRequest && w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}

// TestWithoutAHealthRoomThePagesStand: there is nothing to set, and nothing breaks.
func TestWithoutAHealthRoomThePagesStand(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	for target, want := range map[string]int{"/check": http.StatusOK, "/settings": http.StatusOK, watchPath: http.StatusNotFound, "/check/mapping?id=x": http.StatusNotFound} {
		if w := b.get(target); w.Code != want {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	if strings.Contains(b.get("/settings").Body.String(), watchPath) {
		t.Error("the settings lead to a page that is not there")
	}
	for _, r := range h.checkRoutes() {
		if r.method == post && r.path != "/check" {
			if w := b.send(r.path, "what", "canary", "port", "80", "webhook", "http://x", "mqtt", "mqtt://x", "token", "x", "names", "x", "invite", "x"); w.Code != http.StatusNotFound && w.Code != http.StatusBadRequest {
				t.Errorf("POST %s: %d", r.path, w.Code)
			}
		}
	}
}

func TestTheJournalTellsWhatTheVerdictBecame(t *testing.T) {
	h := newPhoneHouse(t)
	for _, e := range []journal.Event{
		{Type: journal.ExposureChanged, Message: "IN ENGLISH", Data: map[string]string{"verdict": "exposed", "reason": "mapped", "external": "443", "internal": "192.168.1.5:8123"}},
		{Type: journal.ExposureChanged, Message: "IN ENGLISH", Data: map[string]string{"verdict": "unverified", "reason": "changed"}}, // of which what is not told
		{Type: journal.ExposureReminder, Message: "IN ENGLISH"},
		{Type: journal.ExposureSetup, Message: "IN ENGLISH"},
	} {
		if err := h.cfg.Journal.Record(e); err != nil {
			t.Fatal(err)
		}
	}
	got := text(h.owner().get("/journal?kind=exposure"))
	for _, want := range []string{"is open to the internet. Your router passes port 443 on to Home Assistant", "no longer certain that Home Assistant is closed.", "still open", "Who looks from outside"} {
		if !strings.Contains(strings.ReplaceAll(got, "port 443 on", "port 443 on"), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "IN ENGLISH") || strings.Contains(got, "{") {
		t.Errorf("%s", got)
	}
}
