package access

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// dial connects from one of the many addresses that loopback has.
func dial(t *testing.T, from, to string) net.Conn {
	t.Helper()
	conn, err := dialFrom(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patient))
	return conn
}

func dialFrom(ctx context.Context, from, to string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return d.DialContext(ctx, "tcp", to)
}

// client asks from one address, each time over a new connection.
func client(from string) *http.Client {
	return &http.Client{Timeout: patient, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, to string) (net.Conn, error) {
			return dialFrom(ctx, from, to)
		},
	}}
}

func started(t *testing.T, h http.Handler) (address string, d *Door) {
	t.Helper()
	d = New(Config{Place: Place{addr: netip.MustParseAddr("127.0.0.1")}})
	l, err := d.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := Server(d.Hosts(h), nil)
	go server.Serve(l) //nolint:errcheck // it ends when it is closed
	t.Cleanup(func() { server.Close() })
	return l.Addr().String(), d
}

func get(t *testing.T, c *http.Client, address string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func TestTenThousandConnectionsOfOneSourceLeaveRoom(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	flood := int(min(10_000, limit.Cur-2*maxConns)) // this process holds the callers' ends too
	address, d := started(t, http.HandlerFunc(sayWhere))

	var mu sync.Mutex
	var held []net.Conn
	var group sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(flood))
	for range 64 {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				conn, err := dialFrom(t.Context(), "127.0.0.2", address)
				if err != nil {
					continue // the reset was quicker
				}
				mu.Lock()
				held = append(held, conn)
				mu.Unlock()
				_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: 127") // and no more
			}
		})
	}
	group.Wait()
	d.room.mu.Lock()
	all := len(d.room.guests)
	d.room.mu.Unlock()
	if all > maxPerSource {
		t.Errorf("one source holds %d connections, want at most %d", all, maxPerSource)
	}
	for range 20 {
		if body, err := get(t, client("127.0.0.3"), address); err != nil || !strings.HasPrefix(body, "came from 127.0.0.3") {
			t.Fatalf("with %d connections of one source, another is not served: %q, %v", len(held), body, err)
		}
	}
	for _, conn := range held {
		conn.Close()
	}
	// The server sees in its own time that they are gone.
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		body, err := get(t, client("127.0.0.2"), address)
		if err == nil && strings.HasPrefix(body, "came from 127.0.0.2") {
			break
		}
		if time.Since(began) > patient {
			t.Fatalf("the source that made the flood is shut out for ever: %v", err)
		}
	}
}

func TestARefusalIsAReset(t *testing.T) {
	n := appliance() // whose only addresses are not loopback's
	n.links = nil
	d := New(Config{Place: Place{addr: netip.MustParseAddr("127.0.0.1")}, Kernel: n.kernel()})
	l, err := d.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go l.Accept() //nolint:errcheck // it refuses until it is closed
	conn, err := dialFrom(t.Context(), "127.0.0.1", l.Addr().String())
	if err == nil { // else the reset was quicker
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patient))
		_, err = conn.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("somebody who is refused is told %v, want a reset", err)
	}
	d.room.mu.Lock()
	defer d.room.mu.Unlock()
	if len(d.room.guests) != 0 || len(d.room.sources) != 0 {
		t.Errorf("somebody who is refused keeps a place: %d, %v", len(d.room.guests), d.room.sources)
	}
}

func TestAPlaceIsGivenBackOnce(t *testing.T) {
	l, err := New(Config{Place: Place{addr: netip.MustParseAddr("127.0.0.1")}}).Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := l.(*listener).door
	caller := dial(t, "127.0.0.1", l.Addr().String())
	defer caller.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{0, 0} {
		conn.Close()
		if len(d.room.guests) != want || len(d.room.sources) != want || len(d.room.networks) != want {
			t.Errorf("after closing: %d places are taken, %v", len(d.room.guests), d.room.sources)
		}
	}
}

// TestRoom lets guests in one by one. Where there is no place left, whoever has most gives one up.
func TestRoom(t *testing.T) {
	const a, b, c, d, e, far = "192.168.1.1", "192.168.1.2", "fd00::1", "fd00::2", "fd00::3", "fd00:0:0:1::1"
	r := newRoom(limits{all: 7, source: 2, network: 3})
	enter := func(from string) (victim string, err error) {
		out, err := r.enter(&guest{source: netip.MustParseAddr(from)})
		if out != nil {
			victim = out.source.String()
		}
		return victim, err
	}
	for i, step := range []struct {
		from, victim string
		refused      bool
	}{
		{from: a},
		{from: a},
		{from: a, refused: true}, // it may not have more, whatever room there is
		{from: b},
		{from: b}, // a neighbour over IPv4 is somebody else
		{from: c},
		{from: c},
		{from: c, refused: true},
		{from: d},              // and over IPv6
		{from: e, victim: c},   // all of one IPv6 network together: of those, c has most
		{from: far, victim: a}, // the room is full: of all, a has most and came first
	} {
		victim, err := enter(step.from)
		if victim != step.victim || (err != nil) != step.refused {
			t.Errorf("step %d, %s: %q has to go, %v", i, step.from, victim, err)
		}
	}
	if len(r.guests) != 7 || r.sources[netip.MustParseAddr(a)] != 1 || r.sources[netip.MustParseAddr(c)] != 1 {
		t.Errorf("%d guests, %v", len(r.guests), r.sources)
	}
}

func TestARoomThatAllHaveLeftIsEmpty(t *testing.T) {
	r := newRoom(limits{100, 10, 20})
	from := netip.MustParseAddr("fd00::1")
	var all []*guest
	for range 200 {
		g := &guest{source: from}
		if _, err := r.enter(g); err != nil {
			t.Fatal(err)
		}
		if all = append(all, g); len(r.guests) > 20 {
			t.Fatalf("%d of one network are in", len(r.guests))
		}
		from = from.Next()
	}
	for _, g := range append(all, all...) { // also those that had to go before, and twice
		r.leave(g)
	}
	if len(r.guests) != 0 || len(r.sources) != 0 || len(r.networks) != 0 {
		t.Errorf("there are %d, %v, %v", len(r.guests), r.sources, r.networks)
	}
}

func TestNetworks(t *testing.T) {
	for from, want := range map[string]string{
		"192.168.1.5":        "192.168.1.5/32",
		"::ffff:192.168.1.5": "192.168.1.5/32",
		"2001:db8::1:2:3:4":  "2001:db8::/64",
		"fe80::1%eth0":       "fe80::/64",
		"::1":                "::1/128",
	} {
		if got := networkOf(netip.MustParseAddr(from)); got.String() != want {
			t.Errorf("networkOf(%s) = %v, want %s", from, got, want)
		}
	}
}

func TestMPTCPIsNotSpoken(t *testing.T) {
	l, err := New(Config{Place: Place{addr: netip.MustParseAddr("127.0.0.1")}}).Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var dialer net.Dialer
	dialer.SetMultipathTCP(true)
	caller, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if spoken, err := conn.(*guest).MultipathTCP(); err != nil || spoken {
		t.Errorf("MultipathTCP() = %v, %v: a caller could go on from another network", spoken, err)
	}
}

func TestAFloodIsOneLineAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		d := New(Config{Log: slog.New(slog.NewTextHandler(&out, nil))})
		lines := func() int { return strings.Count(out.String(), "\n") }
		tell := func(from netip.Addr) { d.note(from, refusal("of a test")) }

		one := netip.MustParseAddr("192.168.1.5")
		for range 1000 {
			tell(one)
		}
		if lines() != 1 || !strings.Contains(out.String(), "192.168.1.5") || !strings.Contains(out.String(), "of a test") {
			t.Errorf("a thousand refusals of one source are %d lines:\n%s", lines(), out.String())
		}
		for from, i := netip.MustParseAddr("10.0.0.1"), 0; i < 10_000; from, i = from.Next(), i+1 {
			tell(from)
		}
		if lines() != maxNoted || len(d.notes.last) != maxNoted {
			t.Errorf("ten thousand sources are %d lines and %d memories, want %d", lines(), len(d.notes.last), maxNoted)
		}
		time.Sleep(quiet)
		tell(one)
		if lines() != maxNoted+1 || len(d.notes.last) != 1 {
			t.Errorf("a minute later: %d lines, %d memories", lines(), len(d.notes.last))
		}
	})
}
