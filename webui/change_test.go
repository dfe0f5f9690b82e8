package webui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/peers"
)

func TestAPhoneIsChangedByItsForms(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	path := b.add("Anna")
	for _, c := range []struct {
		form  string
		pairs []string
		is    func(peers.Peer) bool
	}{
		{"rename", []string{"name", " Anna's phone "}, func(p peers.Peer) bool { return p.Name == "Anna's phone" }},
		{"pause", nil, func(p peers.Peer) bool { return p.Disabled }},
		{"resume", nil, func(p peers.Peer) bool { return !p.Disabled }},
		{"expiry", []string{"expires", "30d"}, func(p peers.Peer) bool { return time.Until(p.ExpiresAt) > 29*24*time.Hour }},
		{"expiry", []string{"expires", ""}, func(p peers.Peer) bool { return p.ExpiresAt.IsZero() }},
		{"services", []string{"service", "camera", "service", "home-assistant"}, func(p peers.Peer) bool {
			return slices.Equal(p.Services, []string{"camera", "home-assistant"})
		}},
	} {
		syncs := h.syncs
		w := b.send(path+"/"+c.form, c.pairs...)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != path || !c.is(h.phone(path)) || h.syncs == syncs {
			t.Errorf("%s %v: %d %q, %+v", c.form, c.pairs, w.Code, w.Header().Get("Location"), h.phone(path))
		}
		w = b.get(path)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `class="notice success"`) || strings.Contains(text(w), "notice.") {
			t.Errorf("%s: nothing is said about it:\n%s", c.form, text(w))
		}
	}
}

func TestARefusedChangeStandsAtItsForm(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	b.add("Ben")
	path := b.add("Anna")
	before := h.phone(path)
	for _, c := range []struct {
		form, field, value string
		status             int
	}{
		{"rename", "name", "BEN", 409},
		{"rename", "name", "", 400},
		{"rename", "name", "two\nlines", 400},
		{"expiry", "expires", "soon", 400},
		{"expiry", "expires", "2001-01-01", 400},
		{"services", "service", "cellar", 400},
		{"services", "other", "", 400},
	} {
		w := b.send(path+"/"+c.form, c.field, c.value)
		if w.Code != c.status || strings.Count(w.Body.String(), `class="problem"`) != 1 || strings.Contains(text(w), "problem.") {
			t.Errorf("%s %q: %d\n%s", c.form, c.value, w.Code, text(w))
		}
	}
	if after := h.phone(path); after.Name != before.Name || !after.ExpiresAt.Equal(before.ExpiresAt) || !slices.Equal(after.Services, before.Services) {
		t.Errorf("changed: %+v", after)
	}
}

func TestAPhoneIsRemovedAfterAPageThatAsks(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	path := b.add(`<b>"Anna" & 'Ben'</b>`)
	if w := b.get(path + "/remove"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<b>") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	h.phone(path) // looking changes nothing
	if w := b.send(path + "/remove"); w.Header().Get("Location") != "/" {
		t.Fatalf("%d", w.Code)
	}
	if w := b.get("/"); !strings.Contains(text(w), `<b>"Anna" & 'Ben'</b>`) {
		t.Errorf("nothing is said about it:\n%s", text(w))
	}
	if h.desk.lies() != 0 {
		t.Error("its code still lies on the desk")
	}
}

func TestAPhoneThatIsGoneIsAPageOfItsOwn(t *testing.T) {
	h := newPhoneHouse(t)
	b, other := h.owner(), h.partner()
	path := b.add("Anna")
	other.send(path + "/remove")
	for _, r := range h.phoneRoutes() {
		if !strings.HasPrefix(r.path, "/phones/:id") || strings.HasSuffix(r.path, "/leave") {
			continue
		}
		target := strings.Replace(r.path, "/phones/:id", path, 1)
		w := b.ask(r.method, target, navigation, url.Values{"name": {"Ben"}, "service": {"home-assistant"}})
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "<h1>") || strings.Contains(text(w), "failure.") {
			t.Errorf("%s %s: %d\n%s", r.method, target, w.Code, text(w))
		}
	}
	if list, err := h.cfg.Peers.List(); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
}

func TestTwoBrowsersThatChangeOnePhoneDoOneThingAfterTheOther(t *testing.T) {
	h := newPhoneHouse(t)
	a, b := h.owner(), h.partner()
	path := a.add("Anna")
	var both sync.WaitGroup
	for i := range 20 {
		both.Go(func() { a.house.owner().send(path+"/services", "service", []string{"camera", "home-assistant"}[i%2]) })
		both.Go(func() { h.cookies(b).send(path+"/rename", "name", []string{"Anna", "Ben"}[i%2]) })
	}
	both.Go(func() { h.cookies(b).send(path + "/remove") })
	both.Wait()
	if list, err := h.cfg.Peers.List(); err != nil || len(list) != 0 {
		t.Errorf("a change brought the phone back: %v %v", list, err)
	}
	events, err := h.cfg.Journal.Recent(0)
	if err != nil {
		t.Fatal(err)
	}
	removed := false
	for _, e := range events {
		if removed && strings.HasPrefix(string(e.Type), "peer.") {
			t.Errorf("after the removal: %s", e.Message)
		}
		removed = removed || e.Type == journal.PeerRemoved
	}
}

// cookies is another tab of a browser.
func (h *phoneHouse) cookies(b *browser) *browser {
	tab := h.stranger()
	tab.cookies[sessionCookie] = b.cookies[sessionCookie]
	return tab
}

func TestAnExpiredPhoneNeedsADateBeforeItIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		b := h.owner()
		path := b.add("Anna")
		b.send(path+"/expiry", "expires", "1m")
		time.Sleep(time.Minute)
		if w := b.send(path + "/resume"); w.Code != http.StatusConflict || strings.Contains(text(w), "problem.") {
			t.Errorf("%d\n%s", w.Code, text(w))
		}
		if w := b.send(path+"/expiry", "expires", "7d"); w.Code != http.StatusSeeOther || h.phone(path).Expired {
			t.Errorf("%d", w.Code)
		}
	})
}

func TestWhateverChangesAPhoneWantsAFreshPassphrase(t *testing.T) {
	for _, r := range (&Server{}).phoneRoutes() {
		if r.method != http.MethodPost || r.class == fresh {
			continue
		}
		if !slices.Contains([]string{"/check", "/phones/:id/leave", "/l/:token"}, r.path) {
			t.Errorf("POST %s changes something without a fresh passphrase", r.path)
		}
	}
}

func TestAPassphraseThatWasTypedLongAgoIsAskedForAndTheFormGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		b := h.owner()
		time.Sleep(time.Hour)
		form := []string{"name", "Anna", "service", "home-assistant", "service", "camera", "how", "code"}
		if w := b.send("/phones/new", form...); w.Code != http.StatusForbidden || strings.Count(w.Body.String(), `name="service"`) != 2 {
			t.Fatalf("%d\n%s", w.Code, w.Body)
		}
		w := b.send("/phones/new", append(form, confirmField, testPassphrase)...)
		path, ok := strings.CutSuffix(w.Header().Get("Location"), "/scan")
		if !ok || len(h.phone(path).Services) != 2 {
			t.Errorf("%d %q", w.Code, w.Header())
		}
	})
}
