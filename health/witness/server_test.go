package witness

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
)

// homeAssistant is one that can be reached, and its port.
func homeAssistant(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- standin.New(standin.Options{}).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return addrPort(l).Port()
}

// udp is a socket that notes whose nonces arrive.
func udp(t *testing.T) (port uint16, nonces func() []Nonce) {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Port(), func() (out []Nonce) {
		b := make([]byte, 100)
		for {
			_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			n, _, err := c.ReadFromUDP(b)
			if err != nil {
				return out
			}
			if n != 48 || string(b[:16]) != datagramText {
				t.Errorf("a datagram of %d bytes", n)
				continue
			}
			if nonce := Nonce(b[16:48]); !slices.Contains(out, nonce) {
				out = append(out, nonce)
			}
		}
	}
}

func TestALook(t *testing.T) {
	t.Parallel()
	home, shut, canary := homeAssistant(t), closedPort(t), listen(t, func(net.Conn) {})
	if canary < lowestPrivate {
		canary = 0 // this machine gives out other ports
	}
	mute := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	decoy := closedPort(t)
	b := startBench(t, func(c *Config) {
		c.Also = []uint16{home, shut, mute}
		c.Decoy = func() uint16 { return decoy }
	})
	port, nonces := udp(t)
	q := Question{Targets: portsOf(home, shut, mute), Path: port, Before: newNonce(), After: newNonce(), Canary: canary}
	a, ex, err := Client{}.Look(t.Context(), b.invite, health.IPv4, func(ex Exchange) (Question, error) {
		if ex.Address != loopback4 || ex.Witness != loopback4 {
			t.Errorf("the exchange is %+v", ex)
		}
		return q, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := nonces(); !slices.Equal(got, []Nonce{q.Before, q.After}) {
		t.Errorf("%d nonces arrived, not the two in their order", len(got))
	}
	if a.Address != loopback4 || a.Family != health.IPv4 || a.Vantage != loopback4 || ex.Address != loopback4 {
		t.Errorf("it is about %s, over %s, from %s", a.Address, a.Family, a.Vantage)
	}
	byPort := make(map[uint16]Result)
	for _, r := range a.Results {
		byPort[r.Port] = r
	}
	if r := byPort[home]; r.State != health.PortOpen || len(r.Shows) != 1 || !r.Shows[0].IsHome() || r.Reach != health.Held {
		t.Errorf("Home Assistant is %+v", r)
	}
	if r := byPort[shut]; r.State != health.PortClosed || r.Why != health.Refused || r.Attempts != 1 || r.Reach != health.Held {
		t.Errorf("the closed port is %+v", r)
	}
	if r := byPort[mute]; r.State != health.PortOpen || len(r.Shows) != 0 {
		t.Errorf("the mute port is %+v", r)
	}
	if a.Decoy.Port != decoy || a.Decoy.State != health.PortClosed {
		t.Errorf("the decoy is %+v", a.Decoy)
	}
	if canary != 0 && (a.Canary.Port != canary || a.Canary.State != health.PortOpen) {
		t.Errorf("the canary is %+v", a.Canary)
	}
	for to := range b.wire.to {
		if to.Addr() != loopback4 {
			t.Errorf("%s was dialled", to)
		}
	}
}

func TestSilenceIsTriedThreeTimes(t *testing.T) {
	t.Parallel()
	b := startBench(t, func(c *Config) { c.Pace.Attempt = 30 * time.Millisecond })
	b.server.dial = func(ctx context.Context, _ netip.Addr, to netip.AddrPort, _ int) (net.Conn, error) {
		b.wire.add(to, 0)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	a, err := b.look(t, Question{Targets: portsOf(8123, 443)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range a.Results {
		want := Result{Address: loopback4, Port: r.Port, State: health.PortFiltered, Why: health.NoAnswer, Attempts: 3}
		if r.State != want.State || r.Why != want.Why || r.Attempts != 3 || r.Reach != health.NotTried {
			t.Errorf("it is %+v, want %+v", r, want)
		}
		if n := b.wire.to[netip.AddrPortFrom(loopback4, r.Port)]; n != 3 {
			t.Errorf("port %d was dialled %d times", r.Port, n)
		}
	}
}

func TestOneConnectionOfThreeIsOpen(t *testing.T) {
	t.Parallel()
	b := startBench(t, func(c *Config) { c.Pace.Attempt = 30 * time.Millisecond })
	tries := 0
	b.server.dial = func(ctx context.Context, _ netip.Addr, to netip.AddrPort, hops int) (net.Conn, error) {
		if to.Port() == 8123 && hops == 0 {
			if tries++; tries == 3 {
				here, there := net.Pipe()
				there.Close()
				return here, nil
			}
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	a, err := b.look(t, Question{Targets: portsOf(8123)})
	if err != nil || a.Results[0].State != health.PortOpen || a.Results[0].Attempts != 3 {
		t.Errorf("it is %+v, %v", a.Results, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	var many []uint16
	for _, w := range health.Weekly() {
		many = append(many, w.Port)
	}
	b := startBench(t, nil)
	for name, c := range map[string]struct {
		q    Question
		want Code
	}{
		"nothing":                  {Question{}, TooMany},
		"no port":                  {Question{Targets: portsOf()}, TooMany},
		"too many ports":           {Question{Targets: portsOf(many[:17]...)}, TooMany},
		"one port twice":           {Question{Targets: portsOf(80, 80)}, TooMany},
		"too many addresses":       {Question{Targets: slices.Repeat(portsOf(80), 9)}, TooMany},
		"too many names":           {Question{Targets: portsOf(80), Names: []string{"a", "b", "c", "d", "e"}}, TooMany},
		"a name that is none":      {Question{Targets: portsOf(80), Names: []string{"a\r\nX: y"}}, BadTarget},
		"a port that is not there": {Question{Targets: portsOf(25)}, BadPort},
		"port 0":                   {Question{Targets: portsOf(0)}, BadPort},
		"a canary below":           {Question{Targets: portsOf(80), Canary: 25}, BadPort},
		"another address": {
			Question{Targets: []Target{{netip.MustParseAddr("127.0.0.2"), []uint16{80}}}}, BadTarget,
		},
		"another family": {Question{Targets: []Target{{netip.MustParseAddr("::1"), []uint16{80}}}}, BadTarget},
		"a mapped one":   {Question{Targets: []Target{{netip.MustParseAddr("::ffff:127.0.0.1"), []uint16{80}}}}, BadTarget},
	} {
		_, err := b.look(t, c.q)
		var no *Refusal
		if !errors.As(err, &no) || no.Code != c.want || no.Text == "" {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if b.wire.bytes() != 0 {
		t.Errorf("%d bytes went out for what was refused", b.wire.bytes())
	}
	// Nothing of it counted.
	if _, err := b.look(t, Question{Targets: portsOf(8123)}); err != nil {
		t.Error(err)
	}
}

func TestTargetsStayInTheCallersNetwork(t *testing.T) {
	t.Parallel()
	from := netip.MustParseAddr("2a77:db8:1:2::5")
	for text, want := range map[string]bool{
		"2a77:db8:1:2::5": true, "2a77:db8:1:2:ffff:ffff:ffff:ffff": true, "2a77:db8:1:3::5": false, "2a77:db8:1:1:ffff::": false,
		"11.0.0.2": false, "::ffff:11.0.0.2": false, "2a77:db8:1:2::5%eth0": false, "fe80::1": false,
	} {
		if _, ok := (Target{Address: netip.MustParseAddr(text)}).at(from); ok != want {
			t.Errorf("%s may be looked at: %t, want %t", text, ok, want)
		}
	}
}

func TestWhoIsNotOnTheInternetIsRefused(t *testing.T) {
	t.Parallel()
	for want, change := range map[Code]func(*Config){
		NotPublic:  func(c *Config) { c.Public = nil },
		OwnLine:    func(c *Config) { c.Own = interfaces },
		TooCurious: func(c *Config) { c.Limits.Greetings = 1 },
	} {
		b := startBench(t, change)
		if want == TooCurious {
			if _, err := (Client{}).Address(t.Context(), b.invite, health.IPv4); err != nil {
				t.Fatal(err)
			}
		}
		_, err := (Client{}).Address(t.Context(), b.invite, health.IPv4)
		var no *Refusal
		if !errors.As(err, &no) || no.Code != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestWhoAsksTooOftenIsRefused(t *testing.T) {
	t.Parallel()
	b := startBench(t, func(c *Config) { c.Limits.PerAddress = 2 })
	for range 2 {
		if _, err := b.look(t, Question{Targets: portsOf(8123)}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.look(t, Question{Targets: portsOf(8123)})
	var no *Refusal
	if !errors.As(err, &no) || no.Code != TooOften || time.Until(no.Again) < 50*time.Minute {
		t.Errorf("%+v", err)
	}
	// Another guest at the same address is the same source.
	b.invite = b.guest(t, "ben")
	if _, err := b.look(t, Question{Targets: portsOf(8123)}); !errors.As(err, &no) {
		t.Errorf("with another invite: %v", err)
	}
	if _, err := (Client{}).Address(t.Context(), b.invite, health.IPv4); err != nil {
		t.Errorf("the own address: %v", err)
	}
}

func TestRevokedIsRevokedAtOnce(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	if _, err := b.look(t, Question{Targets: portsOf(8123)}); err != nil {
		t.Fatal(err)
	}
	if err := NewBook(b.book.dir).Revoke("anna"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.look(t, Question{Targets: portsOf(8123)}); !errors.Is(err, ErrSilent) {
		t.Errorf("a revoked guest hears %v", err)
	}
}

func TestALookEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	b := startBench(t, func(c *Config) { c.Pace.Attempt = time.Minute })
	began := make(chan struct{}, 10)
	ended := make(chan struct{}, 10)
	b.server.dial = func(ctx context.Context, _ netip.Addr, _ netip.AddrPort, _ int) (net.Conn, error) {
		began <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-began
		cancel()
	}()
	_, _, err := Client{}.Look(ctx, b.invite, health.IPv4, func(Exchange) (Question, error) {
		return Question{Targets: portsOf(8123)}, nil
	})
	if !errors.Is(err, ErrSilent) {
		t.Errorf("the caller hears %v", err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("it goes on looking for nobody")
	}
}
