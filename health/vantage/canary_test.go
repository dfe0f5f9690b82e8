package vantage

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
)

// opener is a router that opens what it is asked for, on loopback.
type opener struct {
	err      error
	pinholes bool // it speaks PCP over IPv6
	opened   atomic.Int32
}

func (f *opener) Open(_ context.Context, internal uint16, lifetime time.Duration) (gateway.Opening, error) {
	if f.err != nil {
		return gateway.Opening{}, f.err
	}
	if lifetime > canaryTime {
		return gateway.Opening{}, errors.New("longer than promised")
	}
	f.opened.Add(1)
	return gateway.NewOpening(netip.AddrPortFrom(netip.MustParseAddr("11.0.0.2"), internal), func(context.Context) error {
		f.opened.Add(-1)
		return nil
	}), nil
}

func (f *opener) OpenPinhole(_ context.Context, port uint16, _ time.Duration) (gateway.Opening, error) {
	if f.err != nil || !f.pinholes {
		return gateway.Opening{}, gateway.ErrNotSpoken
	}
	f.opened.Add(1)
	return gateway.NewOpening(netip.AddrPortFrom(netip.MustParseAddr("2a77:db8:77::10"), port), func(context.Context) error {
		f.opened.Add(-1)
		return nil
	}), nil
}

func newCanaries(f *opener, own ...string) *Canaries {
	return NewCanaries(CanariesConfig{Router: f, Own: func() (out []netip.Addr, err error) {
		for _, a := range own {
			out = append(out, netip.MustParseAddr(a))
		}
		return out, nil
	}})
}

func TestCanary(t *testing.T) {
	t.Parallel()
	router := new(opener)
	o, err := newCanaries(router, "192.168.77.10").Open(t.Context(), health.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Sure || o.Port < 49152 || o.Address != netip.MustParseAddr("11.0.0.2") || router.opened.Load() != 1 {
		t.Errorf("%+v", o)
	}
	if o.Seen(netip.MustParseAddr("127.0.0.1")) {
		t.Error("nobody was here yet")
	}
	address := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), o.Port).String()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "hearthgate canary "+o.Nonce+"\n" {
		t.Errorf("%q, %v", line, err)
	}
	if !o.Seen(netip.MustParseAddr("::ffff:127.0.0.1")) || o.Seen(netip.MustParseAddr("127.0.0.2")) {
		t.Error("who was here is known, and nobody else")
	}
	o.Close()
	o.Close()
	if router.opened.Load() != 0 {
		t.Error("the router was not told that it is over")
	}
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp4", address); err == nil {
		t.Error("it still listens")
	}
}

func TestCanaryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	router := new(opener)
	ctx, cancel := context.WithCancel(t.Context())
	o, err := newCanaries(router).Open(ctx, health.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-o.gone
	if router.opened.Load() != 0 {
		t.Error("the router was not told that it is over")
	}
}

func TestCanaryEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := new(opener)
		c := newCanaries(router)
		// The network is none of synctest's business: a listener that waits for nobody.
		c.cfg.Listen = func(context.Context, string, string) (net.Listener, error) { return newDeaf(), nil }
		o, err := c.Open(t.Context(), health.IPv4)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(canaryTime - time.Second)
		if router.opened.Load() != 1 {
			t.Error("it ended too soon")
		}
		<-o.gone
		if router.opened.Load() != 0 {
			t.Error("it is still open")
		}
	})
}

type deaf struct{ closed chan struct{} }

func newDeaf() *deaf                      { return &deaf{make(chan struct{})} }
func (d *deaf) Accept() (net.Conn, error) { <-d.closed; return nil, net.ErrClosed }
func (d *deaf) Close() error              { close(d.closed); return nil }
func (d *deaf) Addr() net.Addr            { return &net.TCPAddr{} }

func TestWhereNoCanaryFlies(t *testing.T) {
	t.Parallel()
	refuses := &opener{err: gateway.ErrRefused}
	c := newCanaries(refuses, "192.168.77.10")
	for range 2 * maxCanaries { // its place is given back each time
		if _, err := c.Open(t.Context(), health.IPv4); !errors.Is(err, gateway.ErrRefused) {
			t.Errorf("a router that refuses: %v", err)
		}
	}
	if _, err := c.Open(t.Context(), health.IPv6); !errors.Is(err, ErrNoPublicAddress) {
		t.Errorf("a home without IPv6: %v", err)
	}
	c = newCanaries(new(opener))
	for range maxCanaries {
		o, err := c.Open(t.Context(), health.IPv4)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
	}
	if _, err := c.Open(t.Context(), health.IPv4); !errors.Is(err, ErrCanaryBusy) {
		t.Errorf("one too many: %v", err)
	}
}

// TestCanaryOnOurOwnAddress needs no router. In IPv6 one may be in the way that cannot be asked, and it says so.
func TestCanaryOnOurOwnAddress(t *testing.T) {
	t.Parallel()
	router := new(opener)
	c := newCanaries(router, "11.0.0.2", "fe80::1", "2a77:db8:77::10")
	c.cfg.Listen = func(ctx context.Context, network, address string) (net.Listener, error) {
		_, port, _ := net.SplitHostPort(address)
		if network == "tcp4" && !strings.HasPrefix(address, "11.0.0.2:") {
			t.Errorf("listening on %s", address)
		}
		return new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:"+port)
	}
	four, err := c.Open(t.Context(), health.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	defer four.Close()
	six, err := c.Open(t.Context(), health.IPv6)
	if err != nil {
		t.Fatal(err)
	}
	defer six.Close()
	if !four.Sure || six.Sure || six.Address != netip.MustParseAddr("2a77:db8:77::10") || router.opened.Load() != 0 {
		t.Errorf("%+v and %+v", four, six)
	}
}

func TestCanaryInAPinhole(t *testing.T) {
	t.Parallel()
	router := &opener{pinholes: true}
	c := newCanaries(router, "2a77:db8:77::10")
	c.cfg.Listen = func(ctx context.Context, network, address string) (net.Listener, error) {
		if network != "tcp6" {
			t.Errorf("listening on %s", network)
		}
		return new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	}
	o, err := c.Open(t.Context(), health.IPv6)
	if err != nil || !o.Sure || o.Address != netip.MustParseAddr("2a77:db8:77::10") || router.opened.Load() != 1 {
		t.Fatalf("%+v, %v", o, err)
	}
	o.Close()
	if router.opened.Load() != 0 {
		t.Error("the router was not told that it is over")
	}
}

// TestCanaryServesFew keeps no connection for long, and does not serve for ever.
func TestCanaryServesFew(t *testing.T) {
	t.Parallel()
	o, err := newCanaries(new(opener)).Open(t.Context(), health.IPv4)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	address := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), o.Port).String()
	for i := 0; ; i++ {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp4", address)
		if err != nil {
			if i < canaryVisits {
				t.Errorf("after %d visits: %v", i, err)
			}
			return
		}
		conn.Close()
		if i > 8*canaryVisits {
			t.Fatal("it serves for ever")
		}
	}
}
