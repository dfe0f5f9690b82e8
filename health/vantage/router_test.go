package vantage

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
)

// table is a router that says what it is told to say.
type table struct {
	picture gateway.Picture
	err     error
	stays   bool // it deletes nothing, and says that it does
	looks   int
	glances int
}

func (f *table) Look(context.Context) (gateway.Picture, error) { f.looks++; return f.picture, f.err }

func (f *table) Glance(_ context.Context, ports ...uint16) (gateway.Picture, error) {
	f.glances++
	p := f.picture
	p.Mappings = slices.DeleteFunc(slices.Clone(p.Mappings), func(m gateway.Mapping) bool { return !slices.Contains(ports, m.External) })
	return p, f.err
}

func (f *table) Delete(_ context.Context, m gateway.Mapping) error {
	if !f.stays {
		f.picture.Mappings = slices.DeleteFunc(f.picture.Mappings, func(n gateway.Mapping) bool { return n.ID() == m.ID() })
	}
	return nil
}

// routerHouse is a household with a Home Assistant on 192.168.77.20 and a proxy for it on .30, which both really listen on
// loopback, and nobody else.
type routerHouse struct {
	table  *table
	router *Router
	round  health.Round
}

func newRouterHouse(t *testing.T) *routerHouse {
	t.Helper()
	server := httptest.NewServer(standin.New(standin.Options{}))
	t.Cleanup(server.Close)
	listening := server.Listener.Addr().String()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if !slices.Contains([]string{"192.168.77.20:8123", "192.168.77.30:443"}, address) {
			return nil, errors.New("connection refused")
		}
		return new(net.Dialer).DialContext(ctx, network, listening)
	}
	fp, err := homeassistant.TakeFingerprint(t.Context(), dial, "192.168.77.20:8123", "")
	if err != nil || !fp.IsHome() {
		t.Fatalf("%+v, %v", fp, err)
	}
	h := &routerHouse{table: &table{picture: gateway.Picture{
		Table: true, Complete: true, External: []gateway.External{{By: gateway.UPnP, Addr: netip.MustParseAddr("11.0.0.2")}},
	}}}
	h.router = NewRouter(RouterConfig{Table: h.table, Dial: dial, Own: func() ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.168.77.10")}, nil
	}})
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	h.round = health.Round{
		ID: "1", Began: now, Home: fp, Tell: func(health.Kind, string) {}, Now: func() time.Time { return now },
		Facts: health.Facts{Page: 51821, Home: health.Home{Found: true, Address: netip.MustParseAddr("192.168.77.20"), Port: 8123}},
	}
	return h
}

func mapped(external uint16, client string, port uint16) gateway.Mapping {
	return gateway.Mapping{
		Protocol: "TCP", External: external, Last: external, Client: client, Internal: netip.MustParseAddr(client), Port: port, Enabled: true,
	}
}

func TestWhatARouterSays(t *testing.T) {
	t.Parallel()
	type seen struct {
		why      health.Code
		state    health.State
		identity health.Identity
		port     uint16
	}
	nothing := seen{why: health.NothingThere}
	exposed := func(port uint16) seen { return seen{health.Mapped, health.PortOpen, health.OurHome, port} }
	for _, c := range []struct {
		name string
		set  func(*routerHouse)
		rows []gateway.Mapping
		want []seen
	}{
		{"nothing", nil, nil, []seen{nothing}},
		{"8123", nil, []gateway.Mapping{mapped(8123, "192.168.77.20", 8123)}, []seen{exposed(8123)}},
		{"another port", nil, []gateway.Mapping{mapped(443, "192.168.77.20", 8123)}, []seen{exposed(443)}},
		{"a range", nil, []gateway.Mapping{func() gateway.Mapping {
			m := mapped(9000, "192.168.77.20", 8120)
			m.Last = 9010
			return m
		}()}, []seen{exposed(9003)}},
		{"everything", nil, []gateway.Mapping{mapped(0, "192.168.77.20", 0)}, []seen{exposed(8123)}},
		{"a proxy in front of it", nil, []gateway.Mapping{mapped(443, "192.168.77.30", 443)}, []seen{exposed(443)}},
		{"switched off", nil, []gateway.Mapping{func() gateway.Mapping {
			m := mapped(8123, "192.168.77.20", 8123)
			m.Enabled = false
			return m
		}()}, []seen{{why: health.MappingIdle, port: 8123}, nothing}},
		{"UDP", nil, []gateway.Mapping{func() gateway.Mapping {
			m := mapped(8123, "192.168.77.20", 8123)
			m.Protocol = "UDP"
			return m
		}()}, []seen{nothing}},
		{
			"leading nowhere", func(h *routerHouse) { h.round.Facts.Home.Address = netip.MustParseAddr("192.168.77.40") },
			[]gateway.Mapping{mapped(8123, "192.168.77.40", 8123)},
			[]seen{{why: health.MappingIdle, port: 8123}, nothing},
		},
		{
			"leading to one that does not look like ours", func(h *routerHouse) { h.round.Home.Version, h.round.Home.Manifest = "1", "2" },
			[]gateway.Mapping{mapped(8123, "192.168.77.20", 8123)},
			[]seen{{health.Mapped, health.PortOpen, health.Nobody, 8123}},
		},
		{
			"behind a carrier's NAT", func(h *routerHouse) { h.table.picture.External[0].Addr = netip.MustParseAddr("100.64.1.1") },
			[]gateway.Mapping{mapped(8123, "192.168.77.20", 8123)},
			[]seen{{why: health.MappingInner, port: 8123}},
		},
		{
			"without an address", func(h *routerHouse) { h.table.picture.External = nil },
			[]gateway.Mapping{mapped(8123, "192.168.77.20", 8123)},
			[]seen{{why: health.MappingInner, port: 8123}},
		},
		{
			"without an address, which is known else", func(h *routerHouse) {
				h.table.picture.External = nil
				h.round.Facts.Public = map[health.Family]health.Public{health.IPv4: {Standing: health.Known, Address: netip.MustParseAddr("11.0.0.2")}}
			},
			[]gateway.Mapping{mapped(8123, "192.168.77.20", 8123)},
			[]seen{exposed(8123)},
		},
		{
			"others", nil,
			[]gateway.Mapping{mapped(22, "192.168.77.40", 22), mapped(6881, "192.168.77.40", 6881), mapped(80, "192.168.77.10", 51821)},
			[]seen{{why: health.MappingOther, port: 22}, {why: health.MappingOther, port: 80}, nothing},
		},
		{
			"a firewall that is off", func(h *routerHouse) { h.table.picture.Firewall6 = gateway.FirewallOff }, nil,
			[]seen{{why: health.FirewallOff}, nothing},
		},
		{"no table", func(h *routerHouse) { h.table.picture.Table = false }, nil, []seen{{why: health.NotSupported}}},
		{"nobody", func(h *routerHouse) { h.table.err = gateway.ErrNoGateway }, nil, []seen{{why: health.NotSupported}}},
		{"no answer", func(h *routerHouse) { h.table.err = context.DeadlineExceeded }, nil, []seen{{why: health.VantageSilent}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newRouterHouse(t)
			h.table.picture.Mappings = c.rows
			if c.set != nil {
				c.set(h)
			}
			var got []seen
			for _, o := range h.router.Look(t.Context(), h.round) {
				got = append(got, seen{o.Why, o.State, o.Identity, o.Port})
				if o.Kind != health.Router || o.Seat != "router" || o.Round != "1" || o.At.IsZero() {
					t.Errorf("%+v", o)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("seen %+v, and not %+v", got, c.want)
			}
		})
	}
}

// TestHomeAssistantOnThisMachine is found by any of this machine's addresses.
func TestHomeAssistantOnThisMachine(t *testing.T) {
	t.Parallel()
	h := newRouterHouse(t)
	h.router.cfg.Own = func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("192.168.77.20")}, nil }
	h.round.Facts.Home.Address = netip.MustParseAddr("127.0.0.1")
	h.table.picture.Mappings = []gateway.Mapping{mapped(443, "192.168.77.20", 8123)}
	if got := h.router.Look(t.Context(), h.round); len(got) != 1 || got[0].Why != health.Mapped || got[0].Identity != health.OurHome {
		t.Errorf("%+v", got)
	}
}

// TestTheTableIsReadRarely asks for one port mostly, and for all while there is something, or somebody waits.
func TestTheTableIsReadRarely(t *testing.T) {
	t.Parallel()
	h := newRouterHouse(t)
	step := func(after time.Duration, looks, glances int, text string) {
		t.Helper()
		now := h.round.Now().Add(after)
		h.round.Now = func() time.Time { return now }
		h.router.Look(t.Context(), h.round)
		if h.table.looks != looks || h.table.glances != glances {
			t.Errorf("%s: %d whole looks and %d glances", text, h.table.looks, h.table.glances)
		}
	}
	step(0, 1, 0, "at first, all")
	step(15*time.Minute, 1, 1, "then one port")
	h.table.picture.Mappings = []gateway.Mapping{mapped(8123, "192.168.77.20", 8123)}
	step(15*time.Minute, 2, 2, "which is there: all")
	step(15*time.Minute, 3, 2, "as long as something is there, all")
	h.table.picture.Mappings = nil
	step(15*time.Minute, 4, 2, "until it is gone")
	step(15*time.Minute, 4, 3, "then one port")
	step(6*time.Hour, 5, 3, "after six hours, all")
	h.round.Asked = true
	step(time.Minute, 6, 3, "somebody waits")
	h.round.Asked, h.round.Facts.Home.Port = false, 8124
	step(time.Minute, 7, 3, "Home Assistant moved")
}

func TestDeletingAMapping(t *testing.T) {
	t.Parallel()
	h := newRouterHouse(t)
	h.table.picture.Mappings = []gateway.Mapping{mapped(443, "192.168.77.20", 8123), mapped(22, "192.168.77.40", 22)}
	h.router.Look(t.Context(), h.round)
	rows := h.router.Mappings()
	if len(rows) != 2 || !rows[0].Home || rows[1].Home || rows[0].External != "443" || rows[0].Internal != "192.168.77.20:8123" {
		t.Fatalf("%+v", rows)
	}
	if err := h.router.Delete(t.Context(), rows[0].ID); err != nil {
		t.Fatal(err)
	}
	if left := h.router.Mappings(); len(left) != 1 || left[0].ID != rows[1].ID {
		t.Errorf("%+v", left)
	}
	if err := h.router.Delete(t.Context(), rows[0].ID); !errors.Is(err, ErrNoMapping) {
		t.Errorf("again: %v", err)
	}
	h.table.stays = true
	if err := h.router.Delete(t.Context(), rows[1].ID); !errors.Is(err, ErrMappingStays) {
		t.Errorf("a router that does not do what it says: %v", err)
	}
	h.table.err = gateway.ErrNoGateway
	if err := h.router.Delete(t.Context(), rows[1].ID); !errors.Is(err, gateway.ErrNoGateway) {
		t.Errorf("a router that is gone: %v", err)
	}
}
