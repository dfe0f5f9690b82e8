package vantage

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// labHouse is a household with Debian's miniupnpd on its router, asked from the appliance.
type labHouse struct {
	*lab.Lab
	gate   *gateway.Gateway
	router *Router
}

func newLabHouse(t *testing.T) *labHouse {
	t.Helper()
	l := lab.New(t)
	l.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true, Anybody: true})
	listener, err := l.HomeAssistant.Listen(t.Context(), "tcp", ":8123")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: standin.New(standin.Options{}), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() { server.Close() })
	gate := gateway.New(gateway.Config{
		Route: func() (netinfo.Route, error) { return netinfo.Route{Link: "eth0", Gateway: l.Router.Addr4}, nil },
		Route6: func() (netinfo.Route, error) {
			return netinfo.Route{Link: "eth0", Gateway: l.Router.Addr6, Source: l.Appliance.Addr6}, nil
		},
		Dial: l.Appliance.Dial, ListenPacket: l.Appliance.ListenPacket,
	})
	return &labHouse{l, gate, NewRouter(RouterConfig{Table: gate, Dial: l.Appliance.Dial, Own: func() ([]netip.Addr, error) {
		return []netip.Addr{l.Appliance.Addr4}, nil
	}})}
}

func (h *labHouse) look(t *testing.T) []health.Observation {
	t.Helper()
	fp, err := homeassistant.TakeFingerprint(t.Context(), h.Appliance.Dial, netip.AddrPortFrom(h.HomeAssistant.Addr4, 8123).String(), "")
	if err != nil {
		t.Fatal(err)
	}
	return h.router.Look(t.Context(), health.Round{
		ID: "1", Began: time.Now(), Home: fp, Asked: true, Tell: func(health.Kind, string) {}, Now: time.Now,
		Facts: health.Facts{Home: health.Home{Found: true, Address: h.HomeAssistant.Addr4, Port: 8123}},
	})
}

// TestAMappingIsFoundAndDeleted by the vantage, with the internet as a judge of both.
func TestAMappingIsFoundAndDeleted(t *testing.T) {
	t.Parallel()
	h := newLabHouse(t)
	if got := h.look(t); len(got) != 1 || got[0].Why != health.NothingThere {
		t.Fatalf("an empty table: %+v", got)
	}
	// Home Assistant itself asks for it, as its UPnP integration does.
	owner := gateway.New(gateway.Config{
		Route: func() (netinfo.Route, error) { return netinfo.Route{Gateway: h.Router.Addr4}, nil },
		Dial:  h.HomeAssistant.Dial, ListenPacket: h.HomeAssistant.ListenPacket,
	})
	opening, err := owner.Open(t.Context(), 8123, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got := h.look(t)
	if len(got) != 1 || got[0].Why != health.Mapped || got[0].State != health.PortOpen || got[0].Identity != health.OurHome ||
		got[0].Port != opening.External.Port() || got[0].Address != h.WAN4 {
		t.Fatalf("%+v", got)
	}
	if err := dialFrom(t, h.Internet, opening.External); err != nil {
		t.Errorf("the internet does reach it: %v", err)
	}
	id := got[0].Args["mapping"]
	if err := h.router.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := dialFrom(t, h.Internet, opening.External); err == nil {
		t.Error("the internet still reaches it")
	}
	if err := h.router.Delete(t.Context(), id); !errors.Is(err, ErrNoMapping) {
		t.Errorf("deleting it again: %v", err)
	}
	if got := h.look(t); len(got) != 1 || got[0].Why != health.NothingThere {
		t.Errorf("%+v", got)
	}
}

// TestAForwardMadeByHandIsInNoTable: why an empty table proves nothing.
func TestAForwardMadeByHandIsInNoTable(t *testing.T) {
	t.Parallel()
	h := newLabHouse(t)
	h.Open(t, lab.Forward{External: 443, To: h.HomeAssistant, Port: 8123})
	if err := dialFrom(t, h.Internet, netip.AddrPortFrom(h.WAN4, 443)); err != nil {
		t.Fatal(err)
	}
	if got := h.look(t); len(got) != 1 || got[0].Why != health.NothingThere || got[0].State != health.Untested {
		t.Errorf("%+v", got)
	}
}

// TestCanariesAreSeenFromTheInternet over both families, and are gone afterwards.
func TestCanariesAreSeenFromTheInternet(t *testing.T) {
	t.Parallel()
	h := newLabHouse(t)
	canaries := NewCanaries(CanariesConfig{Router: h.gate, Listen: h.Appliance.Listen, Own: func() ([]netip.Addr, error) {
		return []netip.Addr{h.Appliance.Addr4, h.Appliance.Addr6}, nil
	}})
	for _, family := range health.Families {
		o, err := canaries.Open(t.Context(), family)
		if err != nil {
			t.Fatal(err)
		}
		at := netip.AddrPortFrom(o.Address, o.Port)
		if err := dialFrom(t, h.Internet, at); err != nil || !o.Sure {
			t.Errorf("%s: %v from the internet: %v", family, at, err)
		}
		if !o.Seen(h.farSide(t, at.Addr())) {
			t.Errorf("%s: who came is not known", family)
		}
		o.Close()
		if err := dialFrom(t, h.Internet, at); err == nil {
			t.Errorf("%s: it is still open", family)
		}
	}
}

// farSide is the address with which the internet's router comes: that of the link between it and the home.
func (h *labHouse) farSide(t *testing.T, to netip.Addr) netip.Addr {
	t.Helper()
	conn, err := h.Internet.Dial(t.Context(), "udp", netip.AddrPortFrom(to, 9).String()) // which sends nothing
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return netip.MustParseAddrPort(conn.LocalAddr().String()).Addr()
}

func dialFrom(t *testing.T, from *lab.Host, to netip.AddrPort) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	conn, err := from.Dial(ctx, "tcp", to.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // of an open connection: it cannot fail
	_, _ = conn.Read(make([]byte, 1))                     // so that it has been greeted, if it greets
	return nil
}
