package surroundings

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
	"github.com/hearthgate/hearthgate/internal/secret"
	"github.com/hearthgate/hearthgate/internal/store"
)

// household is a world in which Surroundings looks around. Its fields are changed under mu.
type household struct {
	t     *testing.T
	store *store.Store

	mu      sync.Mutex
	now     time.Time
	setup   health.Setup
	state   homeassistant.State
	network network
	picture gateway.Picture
	silent  bool // the router
	public  publicaddr.Result
	witness seen
	asked   map[string]int
	news    chan netinfo.Change
}

func newHousehold(t *testing.T) *household {
	t.Helper()
	st, err := store.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	const mac, router = "02:00:00:00:00:05", "02:00:00:00:00:01"
	return &household{
		t: t, store: st, now: time.Now(),
		state: homeassistant.State{Phase: homeassistant.Found, Addr: "192.168.213.5:8123", Target: "http://192.168.213.5:8123"},
		setup: health.Setup{Witnesses: []health.WitnessSeat{{Name: "server", Invite: secret.Of("k1")}}},
		network: network{
			route:    [2]netinfo.Route{{Link: "lan", Gateway: ip("192.168.213.1")}, {Link: "lan", Gateway: ip("fe80::1")}},
			assigned: []netinfo.Assigned{{Link: "lan", Prefix: netip.MustParsePrefix("2a77::2/64")}, {Link: "lan", Prefix: netip.MustParsePrefix("192.168.213.2/24")}},
			onLink6:  []netip.Prefix{netip.MustParsePrefix("2a77::/64")},
			neighbours: []netinfo.NeighbourEntry{
				{Link: "lan", Addr: ip("192.168.213.1"), MAC: router, State: netinfo.NeighbourKnown},
				{Link: "lan", Addr: ip("192.168.213.5"), MAC: mac, State: netinfo.NeighbourKnown},
			},
			up: true,
		},
		picture: gateway.Picture{Speaks: []gateway.Protocol{gateway.UPnP}, External: []gateway.External{{By: gateway.UPnP, Addr: ip("11.0.0.2")}}, UDN: "uuid:1", BootID: "1"},
		asked:   make(map[string]int), news: make(chan netinfo.Change),
	}
}

func (h *household) change(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
}

func (h *household) note(who string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked[who]++
}

// LastSeen and Addresses make the household's witness.
func (h *household) LastSeen(family health.Family) (netip.Addr, time.Time, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if family == health.IPv6 {
		return netip.Addr{}, time.Time{}, ""
	}
	return h.witness.Address, h.witness.At, h.witness.From
}

func (h *household) Addresses(context.Context) map[health.Family]netip.Addr {
	h.note("witness")
	return nil
}

func (h *household) sees(address string) {
	h.change(func() { h.witness = seen{Sighting: Sighting{"server", ip(address), h.now}} })
}

func (h *household) surroundings() *Surroundings {
	s := New(Config{
		Store: h.store, Witness: h,
		Setup:  func() (health.Setup, error) { h.mu.Lock(); defer h.mu.Unlock(); return h.setup, nil },
		Finder: func() homeassistant.State { h.mu.Lock(); defer h.mu.Unlock(); return h.state },
		Now:    func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now },
		Router: func(context.Context) (gateway.Picture, error) {
			h.note("router")
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.silent {
				return gateway.Picture{}, errors.New("the router does not answer")
			}
			return h.picture, nil
		},
		Public: func(context.Context, health.Family) publicaddr.Result {
			h.note("public")
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.public
		},
		Places: func(context.Context) (homeassistant.Places, error) {
			h.note("places")
			return homeassistant.Places{Addresses: ips("2a77::f"), Adapters: true, External: "https://ha.example.org", Cloud: "https://x.ui.nabu.casa"}, nil
		},
		PagePort: func() uint16 { return 8080 },
	})
	s.kernel.network = func() (network, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		n := h.network
		n.neighbours = slices.Clone(n.neighbours)
		return n, nil
	}
	s.kernel.stir = func(_ context.Context, _ string, from, to []netip.Addr) { h.note(fmt.Sprint("stir ", from, to)) }
	s.kernel.knock = func(_ context.Context, _ string, to ...netip.Addr) { h.note(fmt.Sprint("knock ", to)) }
	s.kernel.watch = func(ctx context.Context, tell func(netinfo.Change)) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case c := <-h.news:
				tell(c)
			}
		}
	}
	return s
}

func (h *household) facts(s *Surroundings) health.Facts {
	h.t.Helper()
	f, err := s.Facts(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return f
}

func (h *household) pass(d time.Duration) { h.change(func() { h.now = h.now.Add(d) }) }

func wantChanged(t *testing.T, what string, f health.Facts, four, six health.Code) {
	t.Helper()
	if f.Changed[health.IPv4].What != four || f.Changed[health.IPv6].What != six {
		t.Errorf("%s: changed %v, want %q and %q", what, f.Changed, four, six)
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	s := h.surroundings()
	h.sees("11.0.0.2")
	found := h.state
	h.change(func() { h.state = homeassistant.State{Phase: homeassistant.Searching} })
	if f := h.facts(s); f.Home.Found || f.Home.Address.IsValid() || f.Home.IPv6 != health.Unknown {
		t.Errorf("before it was found: %+v", f.Home)
	}
	h.change(func() { h.state = found })
	f := h.facts(s)
	wantChanged(t, "at first", f, "", "")
	if p := f.Public[health.IPv4]; p.Standing != health.Known || p.Address != ip("11.0.0.2") || p.Shared {
		t.Errorf("public address: %+v", p)
	}
	if p := f.Public[health.IPv6]; p.Standing != health.Known || p.Address != ip("2a77::2") {
		t.Errorf("public IPv6 address: %+v", p)
	}
	if !f.Home.Found || f.Home.Address != ip("192.168.213.5") || f.Home.Port != 8123 || f.Home.IPv6 != health.Unknown || f.Page != 8080 {
		t.Errorf("Home Assistant: %+v", f.Home)
	}
	if h.asked["public"]+h.asked["places"] != 0 || h.asked["witness"] != 1 || h.asked["stir [2a77::2] [2a77::ff:fe00:5]"] != 1 || h.asked["knock [fe80::1]"] != 2 {
		t.Errorf("asked: %v", h.asked)
	}

	// The neighbour table has it now. With a token, Home Assistant tells more; with an opt-in, public servers are asked.
	h.change(func() {
		h.network.neighbours = append(h.network.neighbours, netinfo.NeighbourEntry{Link: "lan", Addr: ip("2a77::5"), MAC: "02:00:00:00:00:05", State: netinfo.NeighbourKnown})
		h.setup.HomeToken, h.setup.Globalping, h.setup.Canary = secret.Of("t"), true, true
		h.public = publicaddr.Result{Standing: publicaddr.Known, Addr: ip("11.0.0.2")}
	})
	h.pass(time.Minute)
	f = h.facts(s)
	wantChanged(t, "its first IPv6 address", f, "", "")
	if fmt.Sprint(f.Home.Global6) != "[2a77::5 2a77::f]" || f.Home.IPv6 != health.Known || !f.Cloud || fmt.Sprint(f.Names) != "[ha.example.org]" {
		t.Errorf("facts: %+v", f)
	}
	if h.asked["public"] != 2 || h.asked["places"] != 1 || h.asked["witness"] != 1 {
		t.Errorf("asked: %v", h.asked)
	}
	if want := []health.Seat{
		{Kind: health.Witness, Name: "server", Able: true},
		{Kind: health.Globalping, Name: "globalping", Able: true},
		{Kind: health.Phone, Name: "phone"},
		{Kind: health.Router, Name: "router"},
		{Kind: health.Hairpin, Name: "hairpin"},
		{Kind: health.Notices, Name: "notices"},
	}; !slices.Equal(f.Seats, want) {
		t.Errorf("seats: %+v", f.Seats)
	}
}

func TestTheAddressChanges(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	s := h.surroundings()
	h.sees("11.0.0.2")
	h.facts(s)

	h.pass(time.Hour)
	h.change(func() { h.picture.External[0].Addr = ip("11.0.0.3") })
	h.sees("11.0.0.3")
	seenAt := h.now
	h.pass(time.Second)
	f := h.facts(s)
	wantChanged(t, "another address", f, health.WhatAddress, "")
	if p := f.Public[health.IPv4]; p.Standing != health.Known || p.Address != ip("11.0.0.3") || f.Changed[health.IPv4].At.Before(seenAt) {
		t.Errorf("public address: %+v, %+v", p, f.Changed)
	}

	// Behind another router, what the witness saw before does not count.
	h.pass(time.Minute)
	h.change(func() { h.picture.UDN, h.picture.External = "uuid:2", nil })
	f = h.facts(s)
	wantChanged(t, "another router", f, health.WhatRestart, health.WhatRestart)
	if p := f.Public[health.IPv4]; p.Standing != health.Unknown {
		t.Errorf("public address: %+v", p)
	}
	h.pass(time.Minute)
	h.sees("11.0.0.3")
	if p := h.facts(s).Public[health.IPv4]; p.Standing != health.Known {
		t.Errorf("public address: %+v", p)
	}

	// The router still says the old one: that is a contradiction, and no change.
	h.pass(time.Minute)
	h.change(func() { h.picture.External = []gateway.External{{By: gateway.UPnP, Addr: ip("11.0.0.2")}} })
	was := f.Changed[health.IPv4].At
	f = h.facts(s)
	if p := f.Public[health.IPv4]; p.Standing != health.Ambiguous || !p.Shared || len(p.Said) != 2 || !f.Changed[health.IPv4].At.Equal(was) {
		t.Errorf("public address: %+v, changed %+v", p, f.Changed)
	}
}

func TestARestartFindsWhatReallyChanged(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	h.sees("11.0.0.2")
	h.facts(h.surroundings())
	h.pass(time.Hour)
	wantChanged(t, "nothing", h.facts(h.surroundings()), "", "")

	h.pass(time.Hour)
	h.change(func() { h.silent = true }) // which is no change
	wantChanged(t, "a silent router", h.facts(h.surroundings()), "", "")

	h.pass(time.Hour)
	h.change(func() { h.silent, h.state.Addr = false, "192.168.213.5:8124" })
	f := h.facts(h.surroundings())
	wantChanged(t, "another port", f, health.WhatHome, health.WhatHome)
	since := f.Changed[health.IPv4].At

	h.pass(time.Hour)
	f = h.facts(h.surroundings())
	wantChanged(t, "still", f, health.WhatHome, health.WhatHome)
	if !f.Changed[health.IPv4].At.Equal(since) {
		t.Errorf("a restart made it a new change")
	}

	h.pass(-2 * time.Hour)
	wantChanged(t, "the clock was put back meanwhile", h.facts(h.surroundings()), health.WhatClock, health.WhatClock)
}

func TestTheClockIsSet(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	s := h.surroundings()
	h.facts(s)
	h.pass(10 * time.Minute)
	wantChanged(t, "time passes", h.facts(s), "", "")
	for _, c := range []struct {
		wall, steady time.Duration
		want         bool
	}{{time.Hour, time.Hour, false}, {time.Minute, 0, false}, {-time.Minute, 0, false}, {6 * time.Minute, 0, true}, {-6 * time.Minute, time.Second, true}, {0, time.Hour, true}} {
		if got := apart(c.wall, c.steady); got != c.want {
			t.Errorf("the wall clock went on by %v in %v: %v", c.wall, c.steady, got)
		}
	}
}

func TestHomeAssistantAtHome(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	s := h.surroundings()
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/manifest.json") {
			fmt.Fprint(w, `{"name":"Home Assistant","short_name":"Home Assistant","icons":[{"src":"/static/icons/favicon-192x192.png"}]}`)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(home.Close)
	at := netip.MustParseAddrPort(home.Listener.Addr().String())
	f := health.Facts{Home: health.Home{Address: at.Addr(), Port: at.Port(), Global6: ips("::1")}} // where nobody listens
	look := s.Home(t.Context(), f)
	if !look.Fingerprint.IsHome() || len(look.Answers) != 2 || !look.Answers[0].Answers || look.Answers[1].Answers || !look.Answers[1].Refused {
		t.Errorf("at home: %+v", look)
	}
	home.Close()
	look = s.Home(t.Context(), f)
	if look.Fingerprint.IsHome() || look.Answers[0].Answers {
		t.Errorf("when it is down: %+v", look)
	}
	if look := s.Home(t.Context(), health.Facts{}); look.Fingerprint.IsHome() || len(look.Answers) != 0 {
		t.Errorf("nowhere: %+v", look)
	}
}

// TestAProxyOverIPv6: Home Assistant is bound to IPv4, and what stands before it is not.
func TestAProxyOverIPv6(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		door             error // of 443
		answers, refused bool
	}{
		"a proxy":              {nil, true, false},
		"nobody":               {syscall.ECONNREFUSED, false, true},
		"nobody knows whether": {syscall.EHOSTUNREACH, false, false},
	} {
		h := newHousehold(t)
		s := h.surroundings()
		home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"name":"Home Assistant","short_name":"Home Assistant","icons":[{"src":"/static/icons/favicon-192x192.png"}]}`)
		}))
		t.Cleanup(home.Close)
		at := netip.MustParseAddrPort(home.Listener.Addr().String())
		s.cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			switch {
			case address == at.String():
				return new(net.Dialer).DialContext(ctx, network, address)
			case strings.HasSuffix(address, ":443") && c.door == nil:
				client, server := net.Pipe()
				return client, server.Close()
			case strings.HasSuffix(address, ":443"):
				return nil, c.door
			default:
				return nil, syscall.ECONNREFUSED
			}
		}
		look := s.Home(t.Context(), health.Facts{Home: health.Home{Address: at.Addr(), Port: at.Port(), Global6: ips("2a77::5")}})
		if got := look.Answers[1]; got.Answers != c.answers || got.Refused != c.refused {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// TestNamesInAnyOrder: the place does not seem to move because a server of names turns its answers around.
func TestNamesInAnyOrder(t *testing.T) {
	t.Parallel()
	all := ips("2a77::7", "192.168.1.9", "2a77::5", "192.168.1.5")
	for range all {
		all = append(all[1:], all[0])
		if got := slices.MinFunc(all, before); got != ip("192.168.1.5") {
			t.Errorf("of %v: %v", all, got)
		}
	}
}

// TestWhoIsNotWaitedForIsNotSilent: a look that was given up says nothing of the router.
func TestWhoIsNotWaitedForIsNotSilent(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	s := h.surroundings()
	router := s.cfg.Router
	ctx, cancel := context.WithCancel(t.Context())
	s.cfg.Router = func(ctx context.Context) (gateway.Picture, error) {
		cancel()
		<-ctx.Done()
		return gateway.Picture{}, ctx.Err()
	}
	_, _ = s.Facts(ctx)
	s.cfg.Router = router
	h.pass(time.Second)
	if p := h.facts(s).Public[health.IPv4]; p.Standing != health.Known {
		t.Errorf("public address: %+v", p)
	}
}

func TestWatching(t *testing.T) {
	h := newHousehold(t)
	synctest.Test(t, func(t *testing.T) {
		h.change(func() { h.now = time.Now(); h.news = make(chan netinfo.Change) })
		s := h.surroundings()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		s.watchOver(picture{network: h.network, place: place{link: "lan", address: ip("192.168.213.5"), macs: []string{"02:00:00:00:00:05"}}})
		go func() { ended <- s.Run(ctx) }()
		told := func() bool {
			synctest.Wait()
			select {
			case <-s.Watch():
				return true
			default:
				return false
			}
		}
		h.news <- netinfo.AnyChange
		if told() {
			t.Error("told, although nothing is different")
		}
		h.change(func() {
			h.network.neighbours = append(h.network.neighbours, netinfo.NeighbourEntry{Link: "lan", Addr: ip("192.168.213.77"), MAC: "02:00:00:00:00:77", State: netinfo.NeighbourKnown})
		})
		h.news <- netinfo.NeighbourChange
		if told() {
			t.Error("told of somebody else's device")
		}
		h.change(func() {
			h.network.neighbours = append(h.network.neighbours, netinfo.NeighbourEntry{Link: "lan", Addr: ip("2a77::5"), MAC: "02:00:00:00:00:05", State: netinfo.NeighbourKnown})
		})
		h.news <- netinfo.NeighbourChange
		if !told() {
			t.Error("not told of Home Assistant's new address")
		}
		h.change(func() { h.network.route[0].Gateway = ip("192.168.213.254") })
		h.news <- netinfo.RouteChange
		if !told() || told() {
			t.Error("not told once of another gateway")
		}
		h.change(func() { h.state.Addr, h.state.Target = "192.168.213.6:8123", "http://192.168.213.6:8123" })
		time.Sleep(stateEvery + time.Second)
		if !told() {
			t.Error("not told that Home Assistant moved")
		}
		time.Sleep(time.Minute)
		if told() {
			t.Error("told for no reason")
		}
		time.Sleep(askEvery)
		if !told() {
			t.Error("nobody is asked after ten minutes")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestFactsFromSeveralSides(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	s := h.surroundings()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := s.Facts(t.Context())
			s.peek()
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
