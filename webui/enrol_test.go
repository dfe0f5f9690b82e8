package webui

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/page"
)

func TestAPhoneIsAddedByScanningTheCodeOnThePage(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	path := b.add("Anna's phone")
	w := b.get(path + "/scan")
	config, err := peers.ParseClientConfig(scanned(t, w))
	if err != nil {
		t.Fatalf("the code is no config: %v", err)
	}
	public, err := config.PrivateKey.Public()
	if err != nil || public != h.phone(path).Pair.PublicKey {
		t.Errorf("the code's key is not the phone's: %v", err)
	}
	if config.Endpoint() != "home.example.org:51820" {
		t.Errorf("the code sends phones to %s", config.Endpoint())
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("the page with the code may be cached")
	}
	if h.syncs == 0 {
		t.Error("the phone was shown its code before it may come in")
	}
}

func TestTheConfigIsAFileThatBothAppsTake(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	for _, name := range []string{"Anna's phone", "a\u202dx", "=cmd|' /C calc'!A0", `"><script>alert(1)</script>`, "Телефон", "日本", "x\"; filename=\"y.exe"} {
		w := b.send("/phones/new", "name", name, "service", "home-assistant")
		if w.Code == http.StatusBadRequest {
			continue // a name that is refused reaches no header
		}
		path := strings.TrimSuffix(w.Header().Get("Location"), "/scan")
		page := b.get(path + "/scan")
		w = b.get(path + "/conf")
		if w.Code != http.StatusOK || w.Body.String() != scanned(t, page) {
			t.Errorf("%q: the file is not what the code says (%d)", name, w.Code)
		}
		found := regexp.MustCompile(`^attachment; filename="[a-zA-Z0-9_=+.-]{1,15}\.conf"$`).MatchString(w.Header().Get("Content-Disposition"))
		if !found || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %q, %q", name, w.Header().Get("Content-Disposition"), w.Header().Get("Cache-Control"))
		}
		if strings.Contains(page.Body.String(), "<script>alert") {
			t.Errorf("%q is markup on the page", name)
		}
	}
}

func TestOnlyTheBrowserThatAskedSeesTheCode(t *testing.T) {
	h := newPhoneHouse(t)
	path := h.owner().add("Anna")
	other := h.partner()
	if w := other.get(path + "/scan"); scanned(t, w) != "" || w.Code != http.StatusOK {
		t.Errorf("another session sees the code (%d)", w.Code)
	}
	if w := other.get(path + "/conf"); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "PrivateKey") {
		t.Errorf("another session has the file: %d", w.Code)
	}
	if w := h.stranger().get(path + "/conf"); w.Code != http.StatusSeeOther {
		t.Errorf("a stranger has the file: %d", w.Code)
	}
	other.send(path + "/leave")
	if scanned(t, h.owner().get(path+"/scan")) == "" {
		t.Error("another session took the code away")
	}
}

func TestTheCodeIsForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(h *phoneHouse, b *browser, path string)
		gone bool
	}{
		"after ten minutes": {func(_ *phoneHouse, b *browser, path string) {
			for range 10 * 60 / 15 {
				time.Sleep(15 * time.Second)
				b.look(path + "/scan")
			}
		}, true},
		"not while its page is open": {func(_ *phoneHouse, b *browser, path string) {
			for range 9 * 60 / 15 {
				time.Sleep(15 * time.Second)
				b.look(path + "/scan")
			}
		}, false},
		"ten seconds after its page was left": {func(_ *phoneHouse, b *browser, path string) {
			time.Sleep(lateWord)
			b.send(path + "/leave")
			time.Sleep(leavingFor)
		}, true},
		"not when the page is back in time": {func(_ *phoneHouse, b *browser, path string) {
			time.Sleep(lateWord)
			b.send(path + "/leave")
			time.Sleep(leavingFor - time.Second)
			b.get(path + "/scan")
			time.Sleep(leavingFor)
		}, false},
		"not on reload, when the old page says goodbye late": {func(_ *phoneHouse, b *browser, path string) {
			time.Sleep(time.Minute)
			b.get(path + "/scan")
			time.Sleep(time.Second)
			b.send(path + "/leave")
			time.Sleep(leavingFor)
		}, false},
		"when the browser goes elsewhere without script": {func(_ *phoneHouse, b *browser, _ string) {
			b.get("/")
			time.Sleep(leavingFor)
		}, true},
		"not when an open page elsewhere looks what is new": {func(_ *phoneHouse, b *browser, _ string) {
			b.look("/")
			time.Sleep(leavingFor)
		}, false},
		"when the phone comes in": {func(h *phoneHouse, _ *browser, path string) { h.handshake(path, "203.0.113.9:4711") }, true},
		"when somebody else makes a new one": {func(h *phoneHouse, _ *browser, path string) {
			if w := h.partner().send(path + "/rekey"); w.Code != http.StatusSeeOther {
				h.t.Fatal(w.Code)
			}
		}, true},
		"when the server has a new key": {func(h *phoneHouse, _ *browser, _ string) {
			if _, _, err := h.cfg.Peers.RekeyServer(); err != nil {
				h.t.Fatal(err)
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newPhoneHouse(t)
				b := h.owner()
				path := b.add("Anna")
				if scanned(t, b.get(path+"/scan")) == "" {
					t.Fatal("there is no code")
				}
				c.do(h, b, path)
				w := b.look(path + "/scan")
				if gone := scanned(t, w) == ""; gone != c.gone {
					t.Errorf("gone: %v, want %v", gone, c.gone)
				}
				if w := b.get(path + "/conf"); (w.Code == http.StatusNotFound) != c.gone {
					t.Errorf("the file: %d", w.Code)
				}
			})
		})
	}
}

func TestANewCodeTakesThePlaceOfTheOneThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		b := h.owner()
		path := b.add("Anna")
		old := scanned(t, b.get(path+"/scan"))
		time.Sleep(onDesk)
		w := b.get(path + "/scan")
		if scanned(t, w) != "" || !strings.Contains(w.Body.String(), `action="`+path+`/rekey"`) {
			t.Fatalf("no way to a new code:\n%s", text(w))
		}
		if w = b.send(path + "/rekey"); w.Header().Get("Location") != path+"/scan" {
			t.Fatalf("%d %q", w.Code, w.Header())
		}
		if now := scanned(t, b.get(path+"/scan")); now == "" || now == old {
			t.Error("there is no new code")
		}
		if h.phone(path).Retiring != nil {
			t.Error("a key that nobody has ever used goes on working")
		}
	})
}

func TestANewCodeForAPhoneThatWorksKeepsItWorking(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	path := b.add("Anna")
	h.handshake(path, "203.0.113.9:4711")
	b.send(path + "/rekey")
	if h.phone(path).Retiring == nil {
		t.Error("the phone was cut off before it has the new code")
	}
	if w := b.get(path + "/scan"); scanned(t, w) == "" {
		t.Errorf("no code for a phone that came in with the old one:\n%s", text(w))
	}
}

func TestThePageTellsHowThePhoneCameIn(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	for from, want := range map[string]string{
		"203.0.113.9:4711":          viaAway,
		"192.168.1.30:51820":        viaHome,
		"[2001:db8::7]:51820":       viaAway,
		"[::ffff:192.168.1.30]:123": viaHome,
		"":                          "",
	} {
		path := b.add("Phone at " + from)
		h.handshake(path, from)
		state, via, at := h.arrival(h.phone(path), 0)
		if state != scanConnected || via != want || at.IsZero() {
			t.Errorf("from %q: %q, %q, %v", from, state, via, at)
		}
		if w := b.look(path + "/scan"); w.Code != http.StatusOK || strings.Contains(text(w), "{") {
			t.Errorf("from %q: %d\n%s", from, w.Code, text(w))
		}
	}
}

func TestAfterAMinuteThePageSaysWhatMayBeInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		b := h.owner()
		path := b.add("Anna")
		early := text(b.get(path + "/scan"))
		time.Sleep(lateAfter)
		if late := text(b.look(path + "/scan")); len(late) <= len(early) {
			t.Errorf("nothing more is said after a minute:\n%s", late)
		}
	})
}

func TestARefusedFormComesBackAsItWasSentAndChangesNothing(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	b.add("Anna")
	for _, c := range []struct {
		name, expires, service string
		status                 int
	}{
		{"", "", "home-assistant", 400},
		{"  ", "", "home-assistant", 400},
		{"ANNA", "", "home-assistant", 409},
		{strings.Repeat("x", 65), "", "home-assistant", 400},
		{"two\r\nlines", "", "home-assistant", 400},
		{"\u202ereversed", "", "home-assistant", 400},
		{"\xff", "", "home-assistant", 400},
		{"Ben", "soon", "home-assistant", 400},
		{"Ben", "2001-01-01", "home-assistant", 400},
		{"Ben", "2001-01-01T00:00:00Z", "home-assistant", 400},
		{"Ben", "9999d", "home-assistant", 400},
		{"Ben", "", "", 400},
		{"Ben", "", "cellar", 400},
	} {
		for _, how := range []string{"code", "link"} {
			pairs := []string{"name", c.name, "expires", c.expires, "how", how}
			if c.service != "" {
				pairs = append(pairs, "service", c.service)
			}
			w := b.send("/phones/new", pairs...)
			if w.Code != c.status || !strings.Contains(w.Body.String(), `class="problem"`) || strings.Contains(text(w), "problem.") {
				t.Errorf("%q %q %q: %d\n%s", c.name, c.expires, c.service, w.Code, text(w))
			}
			if strings.TrimSpace(c.name) == "Ben" && !strings.Contains(w.Body.String(), `value="Ben"`) {
				t.Errorf("%q %q: what was typed is lost", c.expires, c.service)
			}
		}
	}
	if list, err := h.cfg.Peers.List(); err != nil || len(list) != 1 {
		t.Errorf("%d phones, %v", len(list), err)
	}
}

func TestAnEndIsReadAsPeopleWriteIt(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.Local)
	for typed, want := range map[string]time.Time{
		"": {}, " never ": {},
		"1d":                   now.Add(24 * time.Hour),
		"2026-05-01":           time.Date(2026, 5, 2, 0, 0, 0, 0, time.Local), // to the end of today
		"2026-05-31":           time.Date(2026, 6, 1, 0, 0, 0, 0, time.Local),
		"2026-05-08T08:00:00Z": time.Date(2026, 5, 8, 8, 0, 0, 0, time.UTC),
	} {
		if got, err := readExpiry(typed, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", typed, got, err)
		}
	}
	for typed, want := range map[string]string{
		"2026-04-30": page.ProblemExpiryPast, "1999-01-01T00:00:00Z": page.ProblemExpiryPast,
		"soon": page.ProblemExpiry, "2026-02-30": page.ProblemExpiry, "2099-01-01": page.ProblemExpiry, "7": page.ProblemExpiry, "-7d": page.ProblemExpiry,
	} {
		if _, err := readExpiry(typed, now); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", typed, err, want)
		}
	}
}

func TestWithoutAnEndpointNothingIsHalfDone(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	path := b.add("Anna")
	before := h.phone(path).Pair.PublicKey
	h.noRoute = io.ErrUnexpectedEOF
	for target, form := range map[string][]string{
		"/phones/new":   {"name", "Ben", "service", "home-assistant", "how", "code"},
		"/phones/new?2": {"name", "Ben", "service", "home-assistant", "how", "link"},
		path + "/rekey": nil,
		path + "/link":  nil,
	} {
		if w := b.send(target, form...); w.Code != http.StatusConflict || strings.Contains(text(w), "problem.") || strings.Contains(text(w), "EOF") {
			t.Errorf("%s: %d\n%s", target, w.Code, text(w))
		}
	}
	if list, err := h.cfg.Peers.List(); err != nil || len(list) != 1 || h.phone(path).Pair.PublicKey != before {
		t.Errorf("half done: %v %v", list, err)
	}
}

func TestTheLongestCodeIsStillACode(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	add := func(name string, host int) *httptest.ResponseRecorder {
		h.endpoint.Address = strings.Repeat(strings.Repeat("a", 41)+".", 4)[:host] + ":51820"
		return b.send("/phones/new", "name", name, "service", "home-assistant", "service", "admin")
	}
	w := add("Anna", longestEndpoint-len(":51820"))
	if w.Code != http.StatusSeeOther || scanned(t, b.get(w.Header().Get("Location"))) == "" {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
	if w := add("Ben", longestEndpoint-len(":51820")+1); w.Code != http.StatusConflict || strings.Contains(text(w), "problem.") {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
}

func TestWhatAPhoneMayDoIsOnItsPageAtOnce(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	w := b.send("/phones/new", "name", "Anna", "service", "home-assistant", "service", "admin", "expires", "7d")
	path := strings.TrimSuffix(w.Header().Get("Location"), "/scan")
	p := h.phone(path)
	if left := time.Until(p.ExpiresAt); len(p.Services) != 2 || left < 6*24*time.Hour || left > 7*24*time.Hour {
		t.Errorf("%v until %v", p.Services, p.ExpiresAt)
	}
	server, err := h.cfg.Peers.Server()
	if err != nil {
		t.Fatal(err)
	}
	config, err := peers.ParseClientConfig(scanned(t, b.get(path+"/scan")))
	if err != nil {
		t.Fatal(err)
	}
	reaches := false
	for _, prefix := range config.AllowedIPs {
		reaches = reaches || prefix.Contains(server.Admin4)
	}
	if !reaches {
		t.Error("the code of a phone that may open the admin page does not lead there")
	}
}

func TestSecretsStayOffTheLog(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	path := b.add("Anna")
	config, err := peers.ParseClientConfig(scanned(t, b.get(path+"/scan")))
	if err != nil {
		t.Fatal(err)
	}
	link := b.addLink("Ben")
	b.send(link)
	b.send(path + "/rekey")
	for name, secret := range map[string]string{
		"private key": config.PrivateKey.Reveal(), "preshared key": config.PresharedKey.Reveal(), "link": strings.TrimPrefix(link, "/l/"),
	} {
		if secret == "" || strings.Contains(h.log.String(), secret) {
			t.Errorf("the %s is in the log", name)
		}
	}
	if list, err := h.cfg.Journal.Recent(0); err != nil || len(list) == 0 {
		t.Fatal(err)
	}
	if lines := b.get("/journal.jsonl").Body.String(); strings.Contains(lines, config.PrivateKey.Reveal()) {
		t.Error("the private key is in the journal")
	}
}
