package webui

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/peers"
)

func TestAOneTimeLinkEnrolsThePhoneThatOpensIt(t *testing.T) {
	h := newPhoneHouse(t)
	link := h.owner().addLink("Ben")
	phone := h.stranger()
	for range 3 { // messengers look, too
		if w := phone.get(link); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "PrivateKey") || scanned(t, w) != "" {
			t.Fatalf("looking at the link: %d\n%s", w.Code, text(w))
		}
	}
	w := phone.send(link)
	config, err := peers.ParseClientConfig(scanned(t, w))
	if err != nil || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("spending the link: %d, %v\n%s", w.Code, err, text(w))
	}
	ben, err := h.cfg.Peers.Find("Ben")
	if err != nil {
		t.Fatal(err)
	}
	if public, err := config.PrivateKey.Public(); err != nil || public != ben.Pair.PublicKey {
		t.Errorf("the key is not the phone's: %v", err)
	}
	file := phone.get(link + "/conf")
	if file.Body.String() != scanned(t, w) || !strings.HasPrefix(file.Header().Get("Content-Disposition"), `attachment; filename="Ben.conf"`) ||
		file.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the file: %d %v", file.Code, file.Header())
	}
	if w := h.owner().get(link + "/conf"); w.Code != http.StatusNotFound {
		t.Errorf("another browser has the file: %d", w.Code)
	}
	if c := phone.cookies[linkCookie]; c == nil || c.Path != "/l/" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %v", c)
	}
}

func TestALinkIsSpentOnceHoweverManyTryAtOnce(t *testing.T) {
	h := newPhoneHouse(t)
	link := h.owner().addLink("Ben")
	var winners sync.Map
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if w := h.stranger().send(link); w.Code == http.StatusOK {
				winners.Store(w, true)
			} else if w.Code != http.StatusNotFound {
				t.Errorf("%d", w.Code)
			}
		})
	}
	all.Wait()
	n := 0
	winners.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d have spent the link", n)
	}
}

func TestALinkThatCannotBeSpentSaysNoMoreThanThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		b := h.owner()
		never := "/l/" + strings.Repeat("0", 32)
		want := h.stranger().get(never).Body.String()
		check := func(what, link string) {
			t.Helper()
			action := strings.ReplaceAll(want, never, link)
			for method, w := range map[string]string{
				"GET": h.stranger().get(link).Body.String(), "POST": h.stranger().send(link).Body.String(), "the file": h.stranger().get(link + "/conf").Body.String(),
			} {
				if w != action {
					t.Errorf("%s: %s tells it from one that never was:\n%s", what, method, w)
				}
			}
		}
		if !strings.Contains(want, "<h1>") {
			t.Fatal(want)
		}
		check("unknown", never)
		check("nonsense", "/l/..%2f..%2fetc")
		check("long", "/l/"+strings.Repeat("a", 4000))

		spent := b.addLink("Spent")
		h.stranger().send(spent)
		check("spent", spent)

		old := b.addLink("Old")
		time.Sleep(linkFor)
		check("old", old)

		// The passphrase was typed too long ago by now.
		b = h.partner()
		replaced := b.addLink("Replaced")
		p, err := h.cfg.Peers.Find("Replaced")
		if err != nil {
			t.Fatal(err)
		}
		if w := b.send("/phones/" + p.ID + "/link"); w.Code != http.StatusOK {
			t.Fatal(w.Code)
		}
		check("replaced by a newer one", replaced)

		removed := b.addLink("Removed")
		if p, err = h.cfg.Peers.Find("Removed"); err != nil {
			t.Fatal(err)
		}
		if err := h.cfg.Peers.Remove(p.ID); err != nil { // by the API, say
			t.Fatal(err)
		}
		check("removed", removed)
	})
}

func TestALinkThatCouldNotBeSpentIsNotLost(t *testing.T) {
	h := newPhoneHouse(t)
	link := h.owner().addLink("Ben")
	h.noRoute = http.ErrHandlerTimeout
	if w := h.stranger().send(link); w.Code != http.StatusConflict || strings.Contains(text(w), "failure.") {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
	h.noRoute = nil
	if w := h.stranger().send(link); w.Code != http.StatusOK {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
}

func TestALinksFileIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		link := h.owner().addLink("Ben")
		phone := h.stranger()
		phone.send(link)
		time.Sleep(onDesk - time.Second)
		if w := phone.get(link + "/conf"); w.Code != http.StatusOK {
			t.Errorf("%d before its time", w.Code)
		}
		time.Sleep(time.Second)
		if w := phone.get(link + "/conf"); w.Code != http.StatusNotFound {
			t.Errorf("%d after ten minutes", w.Code)
		}
	})
}

func TestALinkForAPhoneThatWorksKeepsItWorking(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	path := b.add("Anna")
	h.handshake(path, "203.0.113.9:4711")
	w := b.send(path + "/link")
	link := strings.SplitN(w.Body.String(), "/l/", 2)
	if w.Code != http.StatusOK || len(link) != 2 {
		t.Fatalf("%d\n%s", w.Code, text(w))
	}
	if w := h.stranger().send("/l/" + link[1][:32]); w.Code != http.StatusOK {
		t.Fatal(w.Code)
	}
	if h.phone(path).Retiring == nil {
		t.Error("the phone was cut off before it has the new code")
	}
}

func TestALinkLeadsToWhereTheOtherPhonesAre(t *testing.T) {
	h := newPhoneHouse(t)
	server, err := h.cfg.Peers.Server()
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"192.168.1.5:51821":       "http://192.168.1.5:51821/l/",
		"hearthgate.local":        "http://hearthgate.local/l/",
		"localhost:8080":          "http://192.168.1.5:51821/l/",
		"127.0.0.1:51821":         "http://192.168.1.5:51821/l/",
		"[::1]:51821":             "http://192.168.1.5:51821/l/",
		server.Admin4.String():    "http://192.168.1.5:51821/l/",
		"[fd12:3456::5]:51821":    "http://[fd12:3456::5]:51821/l/",
		"homeserver.example:1234": "http://homeserver.example:1234/l/",
	} {
		b := h.owner()
		b.host = host
		w := b.send("/phones/new", "name", "Ben at "+host, "service", "home-assistant", "how", "link")
		if !strings.Contains(text(w), want) {
			t.Errorf("asked for as %s: %d, no %s", host, w.Code, want)
		}
	}
}
