package witness

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// quick is a pace for tests on one machine, where nothing is lost.
var quick = Pace{
	Jitter: 1, Attempt: 2 * time.Second, Gap: time.Millisecond, Copies: time.Millisecond, Hop: 100 * time.Millisecond,
	HopGap: time.Millisecond, Show: 3 * time.Second, Whole: 20 * time.Second,
}

// bench is a witness on loopback that takes loopback for the internet, and a guest of it.
type bench struct {
	server *Server
	book   *Book
	invite Invite
	ask    netip.AddrPort
	web    netip.AddrPort
	wire   *wire
}

// wire notes what the witness sends where.
type wire struct {
	mu   sync.Mutex
	to   map[netip.AddrPort]int // attempts
	sent int                    // bytes, as facts/exposure.md F 3 counts them: IP packets
}

func (w *wire) add(to netip.AddrPort, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to[to]++
	w.sent += n
}

func (w *wire) bytes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent
}

// noted is a connection whose writes are counted.
type noted struct {
	net.Conn
	wire *wire
}

func (c noted) Write(b []byte) (int, error) {
	c.wire.mu.Lock()
	c.wire.sent += sending(len(b))
	c.wire.mu.Unlock()
	return c.Conn.Write(b)
}

func startBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	c := Config{
		Book: NewBook(t.TempDir()), Log: slog.New(slog.DiscardHandler), Listen: "127.0.0.1:0", Control: "127.0.0.1:0", Pace: quick,
		Public: netip.Addr.IsLoopback, Own: func() []netip.Prefix { return nil },
	}
	if change != nil {
		change(&c)
	}
	b := &bench{book: c.Book, wire: &wire{to: make(map[netip.AddrPort]int)}}
	ready := make(chan struct{})
	c.Ready = func(ask, control netip.AddrPort) {
		b.ask, b.web = ask, control
		close(ready)
	}
	b.server = New(c)
	dial, send := b.server.dial, b.server.send
	b.server.dial = func(ctx context.Context, from netip.Addr, to netip.AddrPort, hops int) (net.Conn, error) {
		b.wire.add(to, synCost+3*headers)
		conn, err := dial(ctx, from, to, hops)
		if err != nil {
			return nil, err
		}
		return noted{conn, b.wire}, nil
	}
	b.server.send = func(ctx context.Context, from netip.Addr, to netip.AddrPort, p []byte) error {
		b.wire.add(to, len(p)+48)
		return send(ctx, from, to, p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the witness ended: %v", err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	b.invite = b.guest(t, "anna")
	return b
}

func (b *bench) guest(t *testing.T, name string) Invite {
	t.Helper()
	i, err := b.book.Invite(name, []string{b.ask.String()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// listen opens a port on loopback that somebody serves.
func listen(t *testing.T, serve func(net.Conn)) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return addrPort(l).Port()
}

// closedPort is one at which nobody listens.
func closedPort(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return addrPort(l).Port()
}

// look asks one question.
func (b *bench) look(t *testing.T, q Question) (Answer, error) {
	t.Helper()
	a, _, err := Client{}.Look(t.Context(), b.invite, health.IPv4, func(Exchange) (Question, error) { return q, nil })
	return a, err
}

func portsOf(ports ...uint16) []Target { return []Target{{Ports: ports}} }

var loopback4 = netip.MustParseAddr("127.0.0.1")
