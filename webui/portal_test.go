package webui

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/peers/usage"
)

// phoneConn is a connection that is known to be a phone's.
type phoneConn struct {
	net.Conn
	peer string
}

func phoneOf(c net.Conn) (string, bool) {
	p, ok := c.(phoneConn)
	return p.peer, ok && p.peer != ""
}

// inside asks the portal as a phone inside the tunnel does.
func inside(h http.Handler, peer, method, target, language string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Accept-Language", language)
	r.Header.Set("X-Forwarded-For", "10.0.0.9")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(ConnContext(context.Background(), phoneConn{peer: peer})))
	return w
}

func TestAPhonesPortalIsAboutThatPhone(t *testing.T) {
	h := newPhoneHouse(t)
	h.days = []usage.Day{{Date: time.Now(), Received: 5 << 20, Sent: 7 << 20}}
	anna, err := h.cfg.Peers.Add(peers.AddRequest{Name: "Anna's <b>phone</b>", Services: []string{"home-assistant", "camera"}})
	if err != nil {
		t.Fatal(err)
	}
	ben, err := h.cfg.Peers.Add(peers.AddRequest{Name: "Ben", Services: []string{"admin"}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := h.cfg.Peers.Server()
	if err != nil {
		t.Fatal(err)
	}
	portal := h.Portal(phoneOf)
	w := inside(portal, anna.Peer.ID, "GET", "/?id="+ben.Peer.ID, "de-AT,en;q=0.5")
	body := w.Body.String()
	for _, want := range []string{"Anna&#39;s &lt;b&gt;phone&lt;/b&gt;", `lang="de"`, "http://" + server.Address4.String() + ":8123", ":8081"} {
		if !strings.Contains(body, want) {
			t.Errorf("Anna's portal does not say %q:\n%s", want, text(w))
		}
	}
	for _, secret := range []string{server.Admin4.String(), "192.168.1.77", anna.Peer.Pair.PresharedKey.Reveal()} {
		if strings.Contains(body, secret) {
			t.Errorf("Anna's portal says %q", secret)
		}
	}
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || len(w.Result().Cookies()) != 0 {
		t.Errorf("%d %q", w.Code, w.Header())
	}
	if body := inside(portal, ben.Peer.ID, "GET", "/", "").Body.String(); !strings.Contains(body, server.Admin4.String()) ||
		strings.Contains(body, ":8123") || strings.Contains(body, "8081") {
		t.Error("Ben, who has the admin page and neither Home Assistant nor the camera, reads otherwise")
	}
}

func TestThePortalOnlyReadsAndOnlyForPhones(t *testing.T) {
	h := newPhoneHouse(t)
	anna, err := h.cfg.Peers.Add(peers.AddRequest{Name: "Anna"})
	if err != nil {
		t.Fatal(err)
	}
	portal := h.Portal(phoneOf)
	asset := strings.SplitN(inside(portal, anna.Peer.ID, "GET", "/", "").Body.String(), `href="/assets/`, 2)[1]
	asset = "/assets/" + asset[:strings.IndexByte(asset, '"')]
	for _, c := range []struct {
		peer, method, target string
		status               int
	}{
		{anna.Peer.ID, "HEAD", "/", 200},
		{anna.Peer.ID, "GET", asset, 200},
		{anna.Peer.ID, "GET", "/assets/", 404},
		{anna.Peer.ID, "GET", "/assets/../page.go", 404},
		{anna.Peer.ID, "GET", "/phones/new", 404},
		{anna.Peer.ID, "GET", "/api/v1/peers", 404},
		{anna.Peer.ID, "GET", "/metrics", 404},
		{anna.Peer.ID, "GET", "/signin", 404},
		{anna.Peer.ID, "GET", "/journal", 404},
		{anna.Peer.ID, "GET", "//", 404},
		{anna.Peer.ID, "POST", "/", 405},
		{anna.Peer.ID, "POST", "/phones/new", 405},
		{anna.Peer.ID, "DELETE", "/", 405},
		{anna.Peer.ID, "OPTIONS", "/", 405},
		{anna.Peer.ID, "get", "/", 405},
		{"nobody", "GET", "/", 404},
		{"", "GET", "/", 404},
	} {
		w := inside(portal, c.peer, c.method, c.target, "")
		if w.Code != c.status || strings.Contains(text(w), "failure.") {
			t.Errorf("%q %s %s: %d\n%s", c.peer, c.method, c.target, w.Code, text(w))
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	if portal.ServeHTTP(w, r); w.Code != http.StatusNotFound {
		t.Errorf("without a connection: %d", w.Code)
	}
}

func TestAPhoneIsNotToldOfItself(t *testing.T) {
	h := newPhoneHouse(t)
	anna, err := h.cfg.Peers.Add(peers.AddRequest{Name: "Anna"})
	if err != nil {
		t.Fatal(err)
	}
	n := news{journal: h.cfg.Journal} // whose event is a moment later than the phone
	if told, err := n.of(anna.Peer, time.Now()); err != nil || len(told) != 0 {
		t.Errorf("%v %v", told, err)
	}
}

func TestOtherPhonesAreToldForAWeekThatOneWasAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		registry := h.cfg.Peers
		add := func(name string) peers.Peer {
			e, err := registry.Add(peers.AddRequest{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			return e.Peer
		}
		p := &portal{server: h.Server, peerOf: phoneOf, news: news{journal: h.cfg.Journal}}
		told := func(who peers.Peer) (names []string) {
			list, err := p.news.of(who, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range list {
				names = append(names, n.Name)
			}
			return names
		}
		anna := add("Anna")
		if got := told(anna); len(got) != 0 {
			t.Errorf("Anna is told of herself: %q", got)
		}
		ben := add("Ben")
		guest := add("Guest")
		if err := registry.Remove(guest.ID); err != nil {
			t.Fatal(err)
		}
		if got := told(anna); strings.Join(got, ",") != "Guest,Ben" {
			t.Errorf("Anna is told of %q", got)
		}
		if got := told(ben); strings.Join(got, ",") != "Guest" {
			t.Errorf("Ben is told of %q", got)
		}
		if w := inside(p, anna.ID, "GET", "/", "en"); !strings.Contains(text(w), "Guest") {
			t.Errorf("the page does not say it:\n%s", text(w))
		}
		time.Sleep(newsFor)
		if got := told(anna); len(got) != 0 {
			t.Errorf("after a week Anna is told of %q", got)
		}
		for range 3 * newsShown {
			add(time.Now().String())
		}
		if got := told(anna); len(got) != newsShown {
			t.Errorf("%d news at once", len(got))
		}
	})
}
