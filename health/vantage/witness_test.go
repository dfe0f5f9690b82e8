package vantage

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/health/witness"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
	"github.com/hearthgate/hearthgate/internal/secret"
)

// tunnelSocket stands for the tunnel: a UDP socket that notices nonces.
type tunnelSocket struct {
	conn *net.UDPConn
	deaf bool // nothing arrives
	mu   sync.Mutex
	want map[[32]byte]chan netip.AddrPort
}

func newTunnelSocket(t *testing.T) *tunnelSocket {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s := &tunnelSocket{conn: conn, want: make(map[[32]byte]chan netip.AddrPort)}
	go s.listen()
	return s
}

func (s *tunnelSocket) listen() {
	b := make([]byte, 100)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		s.mu.Lock()
		if n == 48 && !s.deaf {
			if c := s.want[[32]byte(b[16:48])]; c != nil && len(c) == 0 {
				c <- from
			}
		}
		s.mu.Unlock()
	}
}

func (s *tunnelSocket) Port() uint16 { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

func (s *tunnelSocket) Expect(nonce [32]byte) (<-chan netip.AddrPort, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan netip.AddrPort, 1)
	s.want[nonce] = c
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.want, nonce)
	}
}

// outpost is a witness on loopback, and a household that asks it.
type outpost struct {
	book    *witness.Book
	invite  witness.Invite
	tunnel  *tunnelSocket
	vantage *Witness
	round   health.Round
	home    uint16 // Home Assistant's port
}

func newOutpost(t *testing.T, change func(*witness.Config)) *outpost {
	t.Helper()
	o := &outpost{book: witness.NewBook(t.TempDir()), tunnel: newTunnelSocket(t), home: serveStandIn(t)}
	ready := make(chan netip.AddrPort, 1)
	c := witness.Config{
		Book: o.book, Log: slog.New(slog.DiscardHandler), Listen: "127.0.0.1:0", Control: "off", Also: []uint16{o.home},
		Public: netip.Addr.IsLoopback, Own: func() []netip.Prefix { return nil },
		Ready: func(ask, _ netip.AddrPort) { ready <- ask },
		Pace: witness.Pace{
			Jitter: 1, Attempt: 2 * time.Second, Gap: time.Millisecond, Copies: time.Millisecond, Hop: 50 * time.Millisecond,
			HopGap: time.Millisecond, Show: 5 * time.Second,
		},
	}
	if change != nil {
		change(&c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- witness.New(c).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	var err error
	if o.invite, err = o.book.Invite("home", []string{(<-ready).String()}, time.Now()); err != nil {
		t.Fatal(err)
	}
	o.settle(t)
	return o
}

// settle makes the household's side.
func (o *outpost) settle(t *testing.T) {
	t.Helper()
	o.vantage = NewWitness(WitnessConfig{
		Setup: func() (health.Setup, error) {
			return health.Setup{Witnesses: []health.WitnessSeat{{Name: "there", Invite: secret.Of(o.invite.Line())}}}, nil
		},
		Path: o.tunnel, Log: slog.New(slog.DiscardHandler), Now: time.Now, public: func(netip.Addr) bool { return true },
		nearby: func(netip.Addr) bool { return false },
	})
	shown, err := homeassistant.TakeFingerprint(t.Context(), new(net.Dialer).DialContext, netip.AddrPortFrom(here, o.home).String(), "")
	if err != nil {
		t.Fatal(err)
	}
	o.round = health.Round{
		ID: "1", Began: time.Now(), Home: shown, Now: time.Now, Tell: func(health.Kind, string) {},
		Ports: []health.Watched{{Port: o.home, Role: health.RoleHome}, {Port: health.HomePort, Role: health.RoleHome}},
		Facts: health.Facts{Home: health.Home{Port: o.home, IPv6: health.Absent}, Public: map[health.Family]health.Public{
			health.IPv4: {Standing: health.Known, Address: here},
		}},
	}
}

var here = netip.MustParseAddr("127.0.0.1")

func serveStandIn(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- standin.New(standin.Options{}).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// look runs the round, and returns what was seen of a port.
func (o *outpost) look(t *testing.T, port uint16) health.Observation {
	t.Helper()
	seen := o.vantage.Look(t.Context(), o.round)
	i := slices.IndexFunc(seen, func(s health.Observation) bool { return s.Port == port })
	if i < 0 {
		t.Fatalf("nothing is said of port %d: %+v", port, seen)
	}
	return seen[i]
}

func TestAWitnessSeesOurHome(t *testing.T) {
	t.Parallel()
	o := newOutpost(t, nil)
	got := o.look(t, o.home)
	held := health.Controls{
		PathBefore: health.Held, PathAfter: health.Held, Reach: health.Held, Decoy: health.Held, Address: health.Held, Outside: health.Failed,
	}
	if got.State != health.PortOpen || got.Identity != health.OurHome || got.Seat != "there" || got.Address != here || got.Controls != held {
		t.Errorf("it is %+v", got)
	}
	if got.At.Before(got.Began) || got.Kind != health.Witness || got.Round != "1" {
		t.Errorf("it is %+v", got)
	}
	if shut := o.look(t, health.HomePort); shut.State != health.PortClosed || shut.Why != health.Refused || shut.Identity != health.Nobody {
		t.Errorf("the other port is %+v", shut)
	}
	// On one machine the witness is the target: never outside, and no source of our public address.
	if address, _, _ := o.vantage.LastSeen(health.IPv4); address.IsValid() {
		t.Errorf("a witness at home says that we are %s", address)
	}
}

func TestAWitnessSeesAnotherHome(t *testing.T) {
	t.Parallel()
	o := newOutpost(t, nil)
	o.round.Home.Version, o.round.Home.Manifest = "2020.1.1", "other"
	if got := o.look(t, o.home); got.Identity != health.SomeHome {
		t.Errorf("it is %s", got.Identity)
	}
}

func TestThePathIsLost(t *testing.T) {
	t.Parallel()
	o := newOutpost(t, nil)
	o.tunnel.deaf = true
	o.round.Facts.Public = nil
	got := o.look(t, health.HomePort)
	if got.State != health.PortClosed || got.Controls.PathBefore != health.Failed || got.Controls.PathAfter != health.Failed ||
		got.Controls.Address != health.NotTried {
		t.Errorf("it is %+v", got)
	}
	o.vantage.cfg.Path = nil
	if got := o.look(t, health.HomePort); got.Controls.PathBefore != health.NotTried {
		t.Errorf("without a tunnel it is %+v", got)
	}
}

func TestTheDatagramShowsThatTheAddressIsOurs(t *testing.T) {
	t.Parallel()
	o := newOutpost(t, nil)
	o.round.Facts.Public = nil
	if got := o.look(t, health.HomePort); got.Controls.Address != health.Held {
		t.Errorf("it is %+v", got)
	}
}

func TestTheWrongTarget(t *testing.T) {
	t.Parallel()
	o := newOutpost(t, nil)
	o.round.Facts.Public[health.IPv4] = health.Public{Standing: health.Known, Address: netip.MustParseAddr("11.0.0.2")}
	got := o.look(t, health.HomePort)
	if got.Controls.Address != health.Failed || got.Why != health.WrongTarget || got.Args["address"] != "127.0.0.1" {
		t.Errorf("it is %+v", got)
	}
}

func TestWhatAWitnessRefusesIsUntested(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server func(*witness.Config)
		home   func(*testing.T, *outpost)
		want   health.Code
	}{
		"often": {func(c *witness.Config) { c.Limits.PerAddress = 1 }, func(t *testing.T, o *outpost) { o.look(t, o.home) }, health.VantageBusy},
		"home":  {func(c *witness.Config) { c.Public = nil }, func(_ *testing.T, o *outpost) { o.vantage.cfg.public = publicaddr.IsPublic }, health.VantageInside},
		"NAT":   {func(c *witness.Config) { c.Public = nil }, nil, health.VantageRefused},
		"away": {nil, func(t *testing.T, o *outpost) {
			if err := o.book.Revoke("home"); err != nil {
				t.Fatal(err)
			}
		}, health.VantageSilent},
		"stranger": {nil, func(_ *testing.T, o *outpost) { o.invite.Witness[0] ^= 1 }, health.VantageUnsigned},
		"no IPv4":  {nil, func(_ *testing.T, o *outpost) { o.invite.Addresses = []string{"[2a77:db8::1]:8124"} }, health.NoRoute},
	} {
		o := newOutpost(t, c.server)
		if c.home != nil {
			c.home(t, o)
		}
		if got := o.look(t, o.home); got.State != health.Untested || got.Why != c.want {
			t.Errorf("%s: %s, %s %v; want %s", name, got.State, got.Why, got.Args, c.want)
		}
	}
}

func TestAnInviteThatIsBroken(t *testing.T) {
	t.Parallel()
	o := newOutpost(t, nil)
	o.vantage.cfg.Setup = func() (health.Setup, error) {
		return health.Setup{Witnesses: []health.WitnessSeat{{Name: "x", Invite: secret.Of("nonsense")}}}, nil
	}
	if got := o.look(t, 0); got.Why != health.VantageBroken || got.State != health.Untested {
		t.Errorf("it is %+v", got)
	}
	o.vantage.cfg.Setup = func() (health.Setup, error) { return health.Setup{}, nil }
	if seen := o.vantage.Look(t.Context(), o.round); len(seen) != 0 {
		t.Errorf("nobody is set up, and it says %+v", seen)
	}
}

func TestAPortThatMayNotBeLookedAtSpoilsNoOther(t *testing.T) {
	t.Parallel()
	o := newOutpost(t, nil)
	o.round.Ports = append(o.round.Ports, health.Watched{Port: 25, Role: health.RoleHome}, health.Watched{Port: 26, Role: health.RoleHome})
	seen := o.vantage.Look(t.Context(), o.round)
	if len(seen) != 4 || seen[0].Why != health.PortNotAllowed || seen[0].Args["port"] != "25" || seen[1].Why != health.PortNotAllowed {
		t.Errorf("it is %+v", seen)
	}
	if got := seen[3]; got.State == health.Untested {
		t.Errorf("the allowed one is %+v", got)
	}
}

func TestTheOwnAddress(t *testing.T) {
	t.Parallel()
	o := newOutpost(t, nil)
	if got := o.vantage.Addresses(t.Context()); len(got) != 0 {
		t.Errorf("a witness at home is believed: %v", got)
	}
	// A household behind another address than the witness's: all of 127.0.0.0/8 is ours.
	o.vantage.cfg.Client.From = netip.MustParseAddr("127.0.0.9")
	if got := o.vantage.Addresses(t.Context()); got[health.IPv4] != netip.MustParseAddr("127.0.0.9") || len(got) != 1 {
		t.Errorf("it is %v", got)
	}
	address, at, from := o.vantage.LastSeen(health.IPv4)
	if address != netip.MustParseAddr("127.0.0.9") || time.Since(at) > time.Minute || from != "there" {
		t.Errorf("it was seen at %s, %s, by %s", address, at, from)
	}
}

func TestAWitnessElsewhereIsOutside(t *testing.T) {
	t.Parallel()
	o := newOutpost(t, nil)
	o.vantage.cfg.Client.From = netip.MustParseAddr("127.0.0.9")
	got := o.look(t, health.HomePort)
	if got.Controls.Outside != health.Held || got.Controls.Address != health.Failed || got.Address != netip.MustParseAddr("127.0.0.9") {
		t.Errorf("it is %+v", got)
	}
}

func TestPlans(t *testing.T) {
	t.Parallel()
	addr := netip.MustParseAddr
	home, page, other := addr("2a77:db8:0:1::8"), addr("2a77:db8:0:1::2"), addr("2a77:db8:0:2::8")
	r := health.Round{
		Ports: []health.Watched{{Port: 22, Role: health.RoleOther}, {Port: 8123, Role: health.RoleHome}, {Port: 51821, Role: health.RolePage}},
		Facts: health.Facts{Own6: []netip.Addr{page}, Home: health.Home{Global6: []netip.Addr{home, other}}},
	}
	want := []witnessPlan{
		{from: page, targets: []witness.Target{{Address: home, Ports: []uint16{8123, 22}}, {Address: page, Ports: []uint16{51821}}}},
		{barred: true, targets: []witness.Target{{Address: other, Ports: []uint16{8123, 22}}}},
	}
	if got := planWitness(r, health.IPv6); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("IPv6 is %v, want %v", got, want)
	}
	if got := planWitness(r, health.IPv4); len(got) != 1 || fmt.Sprint(got[0].targets) != "[{invalid IP [8123 51821 22]}]" {
		t.Errorf("IPv4 is %v", got)
	}
	r.Ports = append(r.Ports, health.Weekly()...)
	for _, p := range planWitness(r, health.IPv4) {
		if len(p.targets[0].Ports) > witness.MaxPorts {
			t.Errorf("a question has %d ports", len(p.targets[0].Ports))
		}
	}
	r.Facts.Public = map[health.Family]health.Public{health.IPv4: {Standing: health.Absent}}
	r.Facts.Home.IPv6 = health.Absent
	if len(planWitness(r, health.IPv4))+len(planWitness(r, health.IPv6)) != 0 {
		t.Error("a family that the home has not is asked for")
	}
}

func TestManyAddressesAreAskedForInTurn(t *testing.T) {
	t.Parallel()
	own := netip.MustParseAddr("2a77:db8::1")
	r := health.Round{Ports: health.Weekly(), Facts: health.Facts{Own6: []netip.Addr{own}}}
	a := own
	for range 20 {
		a = a.Next()
		r.Facts.Home.Global6 = append(r.Facts.Home.Global6, a)
	}
	pairs := 0
	for _, p := range planWitness(r, health.IPv6) {
		if len(p.targets) > witness.MaxAddresses {
			t.Errorf("a question has %d addresses", len(p.targets))
		}
		for _, target := range p.targets {
			pairs += len(target.Ports)
		}
	}
	if want := 20 * len(health.Weekly()); pairs != want {
		t.Errorf("%d are asked for, of %d", pairs, want)
	}
}

func TestTheCanaryMustBeSeenAndVisited(t *testing.T) {
	t.Parallel()
	by := netip.MustParseAddr("11.0.1.5")
	for _, c := range []struct {
		asked   uint16
		state   health.State
		visitor netip.Addr
		sure    bool
		want    health.Control
	}{
		{0, health.PortOpen, by, true, health.NotTried},
		{50000, health.PortOpen, by, true, health.Held},
		{50000, health.PortOpen, here, true, health.Failed}, // a lie, or somebody on the way who answers everything
		{50000, health.PortClosed, by, true, health.Failed},
		{50000, health.PortFiltered, netip.Addr{}, true, health.Failed},
		{50000, health.PortFiltered, netip.Addr{}, false, health.NotTried},
		{50001, health.PortOpen, by, true, health.NotTried}, // another port than ours
	} {
		l := &witnessLook{canary: &OpenCanary{Port: 50000, Sure: c.sure, seen: []netip.Addr{c.visitor}}}
		a := witness.Answer{Canary: witness.Result{Port: 50000, State: c.state}}
		if got := l.sawCanary(c.asked, a, by); got != c.want {
			t.Errorf("%+v is %s", c, got)
		}
	}
}
