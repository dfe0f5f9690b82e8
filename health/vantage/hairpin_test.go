package vantage

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
)

// router is a router with forwards: it says what answers at each port of the public address.
type router map[string]http.Handler

// hairpin makes a vantage whose packets come out at r.
func (r router) hairpin(t *testing.T) *Hairpin {
	t.Helper()
	behind := map[string]string{}
	for port, handler := range r {
		server := httptest.NewUnstartedServer(handler)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		if port == "443" {
			server.StartTLS()
		} else {
			server.Start()
		}
		t.Cleanup(server.Close)
		behind["11.0.0.2:"+port] = server.Listener.Addr().String()
	}
	h := NewHairpin()
	h.nearby = func(netip.Addr) bool { return false }
	h.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if behind[address] == "" {
			return nil, io.ErrClosedPipe
		}
		return (&net.Dialer{}).DialContext(ctx, network, behind[address])
	}
	return h
}

func hairpinRound(t *testing.T, home http.Handler) health.Round {
	t.Helper()
	server := httptest.NewServer(home)
	t.Cleanup(server.Close)
	fp, err := homeassistant.TakeFingerprint(t.Context(), (&net.Dialer{}).DialContext, server.Listener.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	f := health.Facts{
		Home:   health.Home{Found: true, Address: netip.MustParseAddr("192.168.1.5"), Port: 8124},
		Public: map[health.Family]health.Public{health.IPv4: {Standing: health.Known, Address: netip.MustParseAddr("11.0.0.2")}},
		Page:   51821, Names: []string{"ha.example.org"},
	}
	return health.Round{ID: "r", Began: time.Now(), Now: time.Now, Tell: func(health.Kind, string) {}, Facts: f, Home: fp, Ports: f.Ports()}
}

func TestHairpin(t *testing.T) {
	t.Parallel()
	home, other := standin.New(standin.Options{Version: "2026.9.1"}), standin.New(standin.Options{Version: "2026.8.0"})
	admin := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "Welcome to your router") })
	byName := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.Host); r.Host != "ha.example.org" && (err != nil || host != "ha.example.org") {
			http.NotFound(w, r)
			return
		}
		home.ServeHTTP(w, r)
	})
	r := hairpinRound(t, home)
	h := router{"8124": home, "8123": other, "80": admin, "443": byName}.hairpin(t)
	got := map[uint16]health.Observation{}
	for _, o := range h.Look(t.Context(), r) {
		got[o.Port] = o
	}
	if len(got) != 5 {
		t.Errorf("looked at %d ports, want Home Assistant's, 8123, 80, 443 and 8443: %+v", len(got), got)
	}
	for port, open := range map[uint16]bool{8124: true, 8123: false, 80: false, 443: true, 8443: false} {
		o := got[port]
		if open && (o.State != health.PortOpen || o.Identity != health.OurHome || o.Why != health.HairpinOpen) ||
			!open && (o.State != health.Untested || o.Why != health.NothingThere || o.Identity != health.Nobody) {
			t.Errorf("port %d: %+v", port, o)
		}
	}
	if home.FailedLogins()+other.FailedLogins() != 0 {
		t.Error("a look counts as a failed sign-in")
	}

	r.Home = homeassistant.Fingerprint{}
	for _, o := range h.Look(t.Context(), r) {
		if o.State != health.Untested || o.Why != health.HomeDown {
			t.Errorf("while Home Assistant is down: %+v", o)
		}
	}
}

func TestHairpinHasNowhereToLook(t *testing.T) {
	t.Parallel()
	home := standin.New(standin.Options{})
	for what, change := range map[string]func(*Hairpin, *health.Facts){
		"it is not known":        func(_ *Hairpin, f *health.Facts) { f.Public = nil },
		"sources disagree":       func(_ *Hairpin, f *health.Facts) { f.Public[health.IPv4] = health.Public{Standing: health.Ambiguous} },
		"it is ours":             func(h *Hairpin, _ *health.Facts) { h.nearby = func(netip.Addr) bool { return true } },
		"it is Home Assistant's": func(_ *Hairpin, f *health.Facts) { f.Home.Address = f.Public[health.IPv4].Address },
	} {
		r, h := hairpinRound(t, home), router{"8124": home}.hairpin(t)
		change(h, &r.Facts)
		if seen := h.Look(t.Context(), r); len(seen) != 0 {
			t.Errorf("%s: %+v", what, seen)
		}
	}
}
