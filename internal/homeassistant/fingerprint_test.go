package homeassistant

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
)

// counted dials, and counts connections and what is sent.
type counted struct {
	connections, sent, read atomic.Int64
}

func (c *counted) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.connections.Add(1)
	return &countedConn{conn, c}, nil
}

type countedConn struct {
	net.Conn
	c *counted
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.c.sent.Add(int64(n))
	return n, err
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.c.read.Add(int64(n))
	return n, err
}

// testStep is the patience of tests with those who say nothing.
const testStep = 2 * time.Second

// fingerprint takes one, and checks the promises that hold whoever answers.
func fingerprint(t *testing.T, address, host string) Fingerprint {
	t.Helper()
	var c counted
	began := time.Now()
	p, err := newProbe(c.dial, address, host)
	if err != nil {
		t.Fatal(err)
	}
	p.step = testStep
	fp, err := p.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := c.connections.Load(); n > 3 {
		t.Errorf("%d connections", n)
	}
	if n := c.sent.Load(); n > FingerprintSends {
		t.Errorf("%d bytes were sent, more than %d", n, FingerprintSends)
	}
	if n := c.read.Load(); n > 3*fingerprintReads {
		t.Errorf("%d bytes were read", n)
	}
	if took := time.Since(began); took > 3*testStep+time.Second {
		t.Errorf("it took %v", took)
	}
	t.Logf("%+v, %d connections, %d bytes sent, %d read", fp, c.connections.Load(), c.sent.Load(), c.read.Load())
	return fp
}

func serveTCP(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	return l.Addr().String()
}

func overTLS(t *testing.T, h http.Handler) (address, certificate string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	sum := sha256.Sum256(server.Certificate().Raw)
	return server.Listener.Addr().String(), hex.EncodeToString(sum[:])
}

func TestFingerprintOfHomeAssistant(t *testing.T) {
	t.Parallel()
	h := standin.New(standin.Options{Version: "2026.11.1"})
	target := serve(t, h)
	plain := fingerprint(t, target.Addr(), "")
	if !plain.HTTP || plain.Status != 200 || len(plain.Manifest) != 64 || plain.Version != "2026.11.1" || plain.TLS != "" {
		t.Errorf("plainly: %+v", plain)
	}

	// A server of Go answers 400 to plain HTTP on its TLS port, Home Assistant hangs up; both are tried over TLS.
	address, certificate := overTLS(t, h)
	over := fingerprint(t, address, "ha.example.org")
	if want := (Fingerprint{true, 200, plain.Manifest, "2026.11.1", certificate}); over != want {
		t.Errorf("over TLS: %+v, want %+v", over, want)
	}
	if !plain.Matches(over) || !over.Matches(plain) {
		t.Error("the same Home Assistant over TLS does not match")
	}
	h.Set(standin.Options{Banned: true})
	if fp := fingerprint(t, target.Addr(), ""); fp != (Fingerprint{HTTP: true, Status: 403}) {
		t.Errorf("banned: %+v", fp)
	}
	if n := h.FailedLogins(); n != 0 {
		t.Errorf("%d of our requests count as failed sign-ins", n)
	}
}

// TestFingerprintAsksForLittle: the two paths, the name, and nothing that a proxy would add.
func TestFingerprintAsksForLittle(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Method+" "+r.Host+r.URL.Path)
		for name := range r.Header {
			if strings.HasPrefix(name, "X-") || name == "Forwarded" || name == "Authorization" || name == "Cookie" {
				t.Errorf("%s was sent", name)
			}
		}
		if r.TLS != nil && r.TLS.ServerName != "ha.example.org" {
			t.Errorf("TLS asked for %q", r.TLS.ServerName)
		}
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	})
	address, _ := overTLS(t, h)
	if fp := fingerprint(t, address, "HA.example.org"); !fp.HTTP || fp.Status != 302 || fp.IsHome() {
		t.Errorf("a redirect: %+v", fp)
	}
	_, port, _ := net.SplitHostPort(address)
	want := "GET ha.example.org:" + port + "/manifest.json, GET ha.example.org:" + port + "/api/websocket"
	if got := strings.Join(asked, ", "); got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}

// TestFingerprintByALongName: the bound on what is sent leaves room for the longest name that there can be.
func TestFingerprintByALongName(t *testing.T) {
	t.Parallel()
	address, certificate := overTLS(t, standin.New(standin.Options{}))
	name := strings.Repeat(strings.Repeat("a", 61)+".", 4) + "org"
	if fp := fingerprint(t, address, name); fp.Manifest == "" || fp.Version == "" || fp.TLS != certificate {
		t.Errorf("%+v", fp)
	}
}

func TestFingerprintErrors(t *testing.T) {
	t.Parallel()
	var c counted
	for _, host := range []string{"a b", "a\r\nX-Evil: 1", strings.Repeat("a.", 200) + "org", "-", "user@host", "host/path"} {
		if _, err := TakeFingerprint(t.Context(), c.dial, "127.0.0.1:1", host); err == nil {
			t.Errorf("host %q was taken", host)
		}
	}
	if _, err := TakeFingerprint(t.Context(), c.dial, "localhost:80", ""); err == nil {
		t.Error("an address that is a name was taken")
	}
	if c.connections.Load() != 0 {
		t.Error("something was dialled")
	}
	if fp, err := TakeFingerprint(t.Context(), c.dial, "127.0.0.1:1", ""); err == nil || fp != (Fingerprint{}) {
		t.Errorf("nobody listens: %+v, %v", fp, err)
	}
}

// TestFingerprintOfTheHostile: whoever answers, it ends in time, and what was sent and read is bounded (fingerprint checks).
func TestFingerprintOfTheHostile(t *testing.T) {
	t.Parallel()
	flood := func(head string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_, _ = io.WriteString(conn, head)
			for chunk := []byte(strings.Repeat("x", 4096)); ; {
				if _, err := conn.Write(chunk); err != nil {
					return
				}
			}
		}
	}
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  Fingerprint
	}{
		"an endless body":   {flood("HTTP/1.1 200 OK\r\n\r\n{\"name\":\"Home Assistant\",\""), Fingerprint{HTTP: true, Status: 200}},
		"an endless header": {flood("HTTP/1.1 200 OK\r\nX: "), Fingerprint{}},
		"an endless status": {flood("HTTP/1.1 200 "), Fingerprint{}},
		"a long promise":    {flood("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), Fingerprint{HTTP: true, Status: 200}},
		"noise":             {flood("\x16\x03\x03\xff\xff"), Fingerprint{}},
		"switching at once": {flood("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), Fingerprint{HTTP: true, Status: 101}},
		"a reset": {func(conn net.Conn) {
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_ = conn.(*net.TCPConn).SetLinger(0)
		}, Fingerprint{}},
		"a mail server":      {func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example.org ESMTP\r\n") }, Fingerprint{}},
		"one byte at a time": {drip, Fingerprint{}},
		"silence":            {func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, Fingerprint{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if fp := fingerprint(t, serveTCP(t, c.serve), ""); fp != c.want {
				t.Errorf("%+v, want %+v", fp, c.want)
			}
		})
	}
}

func drip(conn net.Conn) {
	for _, b := range []byte("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1000)) {
		if _, err := conn.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestFingerprintOfAHostileWebSocket: the manifest is right, and then.
func TestFingerprintOfAHostileWebSocket(t *testing.T) {
	t.Parallel()
	for name, greet := range map[string]func(context.Context, *websocket.Conn){
		"a flood": func(ctx context.Context, c *websocket.Conn) {
			for c.Write(ctx, websocket.MessageText, []byte(strings.Repeat("x", 4000))) == nil {
			}
		},
		"pings": func(ctx context.Context, c *websocket.Conn) {
			go func() { _, _, _ = c.Read(ctx) }()
			for c.Ping(ctx) == nil {
			}
		},
		"a long one": func(ctx context.Context, c *websocket.Conn) {
			_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"auth_required","ha_version":"1`+strings.Repeat("1", 8000)+`"}`))
		},
		"a hostile version": func(ctx context.Context, c *websocket.Conn) {
			_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"auth_required","ha_version":"1<script>"}`))
		},
		"silence": func(ctx context.Context, c *websocket.Conn) { _, _, _ = c.Read(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := standin.New(standin.Options{})
			target := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/websocket" {
					good.ServeHTTP(w, r)
					return
				}
				conn, err := websocket.Accept(w, r, nil)
				if err != nil {
					return
				}
				defer func() { _ = conn.CloseNow() }()
				greet(r.Context(), conn)
			}))
			if fp := fingerprint(t, target.Addr(), ""); fp.Manifest == "" || fp.Version != "" {
				t.Errorf("%+v, want a manifest and no version", fp)
			}
		})
	}
}

func TestFingerprintEndsWithItsContext(t *testing.T) {
	t.Parallel()
	address := serveTCP(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if fp, err := TakeFingerprint(ctx, (&net.Dialer{}).DialContext, address, ""); err != nil || fp != (Fingerprint{}) {
		t.Errorf("%+v, %v", fp, err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestMatches(t *testing.T) {
	both := Fingerprint{HTTP: true, Status: 200, Manifest: "m", Version: "v", TLS: "t"}
	for _, c := range []struct {
		what string
		g    Fingerprint
		want bool
	}{
		{"itself", both, true},
		{"behind a proxy with its own certificate", Fingerprint{HTTP: true, Manifest: "m", Version: "v", TLS: "u"}, true},
		{"the manifest alone", Fingerprint{HTTP: true, Manifest: "m"}, true},
		{"the version alone", Fingerprint{HTTP: true, Version: "v"}, true},
		{"another version", Fingerprint{HTTP: true, Manifest: "m", Version: "w"}, false},
		{"another manifest", Fingerprint{HTTP: true, Manifest: "n", Version: "v"}, false},
		{"the certificate alone", Fingerprint{HTTP: true, TLS: "t"}, false},
		{"nothing", Fingerprint{}, false},
	} {
		if both.Matches(c.g) != c.want || c.g.Matches(both) != c.want {
			t.Errorf("%s: %v, want %v", c.what, both.Matches(c.g), c.want)
		}
	}
	if (Fingerprint{HTTP: true}).Matches(Fingerprint{HTTP: true}) {
		t.Error("two that are no Home Assistant match")
	}
}
