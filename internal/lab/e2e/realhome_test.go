package e2e

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/lab/realha"
)

// through is a visitor who comes to Home Assistant from a phone, by the tunnel.
func through(on *lab.Host, inside string) *realha.Visitor {
	return &realha.Visitor{Client: on.HTTPClient(), Base: "http://" + net.JoinHostPort(inside, "8123")}
}

// TestTheRealHomeAssistantThroughTheTunnel is the main job on the real thing: found by mDNS, reached from the internet, and
// everything that its apps need passes.
func TestTheRealHomeAssistantThroughTheTunnel(t *testing.T) {
	realha.Need(t)
	h := newHome(t)
	home := realha.Start(t, realha.Options{Command: h.HomeAssistant.Command, Announce: true, Camera: true})
	h.args = []string{"--endpoint", h.WAN4.String()}
	h.start(t)
	eventually(t, 60*time.Second, "Home Assistant is found by mDNS", func() bool {
		return h.status(t).HomeAssistant.Phase == "found"
	})
	s := h.status(t)
	if s.HomeAssistant.Source != "mdns" || s.HomeAssistant.Version != home.Version ||
		s.HomeAssistant.Address != net.JoinHostPort(h.HomeAssistant.Addr4.String(), "8123") {
		t.Errorf("Home Assistant: %+v", s.HomeAssistant)
	}
	if !h.warned(t, "not_onboarded") {
		t.Errorf("no warning that anybody can become its owner: %+v", s.HomeAssistant.Warnings)
	}
	on, _ := h.phone(t, "anna", "Anna", lab.Allowed)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	v := through(on, s.Tunnel.IPv4)

	t.Run("onboarding, page and sign-in", func(t *testing.T) {
		if err := v.Onboard(ctx); err != nil {
			t.Fatal(err)
		}
		page, err := v.Get(ctx, "/")
		if err != nil || !strings.Contains(string(page), "<title>Home Assistant</title>") {
			t.Errorf("page: %v, %d bytes", err, len(page))
		}
		if err := through(on, s.Tunnel.IPv6).LogIn(ctx, realha.Owner, realha.Password); err != nil {
			t.Errorf("sign-in over the tunnel's IPv6: %v", err)
		}
	})
	t.Run("WebSocket", func(t *testing.T) {
		session, err := v.Session(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		var config struct{ Version string }
		if err := session.Call(ctx, "get_config", nil, &config); err != nil || config.Version != home.Version {
			t.Errorf("get_config: %v, version %q", err, config.Version)
		}
	})
	t.Run("a camera that never ends", func(t *testing.T) {
		frames, err := v.Camera(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer frames.Close()
		for i := range 5 {
			if picture, err := frames.Next(); err != nil || len(picture) == 0 {
				t.Fatalf("picture %d: %v, %d bytes", i, err, len(picture))
			}
		}
	})
	t.Run("an upload of 256 MiB", func(t *testing.T) {
		began := time.Now()
		up, err := v.Upload(ctx, 256<<20)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("256 MiB up in %.1f s", time.Since(began).Seconds())
		down, err := v.Download(ctx, up.ID)
		if err != nil || down.SHA256 != up.SHA256 {
			t.Errorf("what comes back is not what went up: %v", err)
		}
		if rss := h.memory(t).peak; rss > 64<<20 {
			t.Errorf("peak memory of the appliance: %d MiB, over the ceiling of 64 MiB", rss>>20)
		}
	})
	t.Run("a removed phone is cut off", func(t *testing.T) {
		session, err := v.Session(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		began := time.Now()
		h.do(t, "peer", "remove", "Anna")
		if err := session.Cut(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the WebSocket was cut after %v", took)
		}
	})
	t.Run("it goes away and comes back", func(t *testing.T) {
		home.Stop()
		eventually(t, 90*time.Second, "it is lost", func() bool { return h.status(t).HomeAssistant.Phase == "lost" })
		home.Restart()
		eventually(t, 90*time.Second, "it is found again", func() bool { return h.status(t).HomeAssistant.Phase == "found" })
	})
}

func (h *home) warned(t testing.TB, code string) bool {
	t.Helper()
	for _, w := range h.status(t).HomeAssistant.Warnings {
		if w.Code == code {
			return true
		}
	}
	return false
}

// TestTheTrapsOfTheRealHomeAssistant: what the gate's one address means for sign-ins without a password, and for bans.
func TestTheTrapsOfTheRealHomeAssistant(t *testing.T) {
	realha.Need(t)
	h := newHome(t)
	home := realha.Start(t, realha.Options{
		Command: h.HomeAssistant.Command, BanAfter: 2,
		TrustedNetworks: []netip.Prefix{netip.PrefixFrom(h.Appliance.Addr4, 32)},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	// The owner's account is made on the LAN.
	onLAN := &realha.Visitor{Client: h.Neighbour.HTTPClient(), Base: h.homeAssistantURL()}
	if err := onLAN.Onboard(ctx); err != nil {
		t.Fatal(err)
	}
	h.args = []string{"--home-assistant", h.homeAssistantURL(), "--endpoint", h.WAN4.String()}
	h.start(t)
	eventually(t, 30*time.Second, "it is warned of trusted_networks", func() bool { return h.warned(t, "trusted_networks") })
	_, told, err := h.ask(ctx, "peer", "add", "Anna", "--conf", "--out", h.state+"/../anna.conf")
	if err != nil || !strings.Contains(told, "without a password") {
		t.Errorf("peer add: %v, %q", err, told)
	}
	if !strings.Contains(h.daemon.Output(), "without a password") {
		t.Error("the log does not tell of trusted_networks")
	}

	on, _ := h.phone(t, "ben", "Ben", lab.Allowed)
	inside := h.status(t).Tunnel.IPv4
	for range 3 {
		_ = through(on, inside).LogIn(ctx, realha.Owner, "wrong") // the last one may find itself banned already
	}
	eventually(t, 60*time.Second, "it is warned of the ban", func() bool { return h.warned(t, "banned") })
	home.Forgive()
	eventually(t, 120*time.Second, "the ban is gone", func() bool { return !h.warned(t, "banned") })
	if code, err := fetch(ctx, on, "http://"+inside+":8123/"); err != nil || code != http.StatusOK {
		t.Errorf("after the ban: %d, %v", code, err)
	}
}
