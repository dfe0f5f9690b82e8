package witness

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// The control for browsers. A phone that wants to show that its network lets port 8123 out tries it here: it gets its own
// address and its own nonce back, and learns nothing of anybody else. It is plain HTTP, like what it is compared with.

const (
	controlConnections = 64
	controlPerSource   = 4
	controlWait        = 5 * time.Second
	maxControlNonce    = 64
	socketGreeting     = `{"type":"hearthgate_control"}`
	socketGUID         = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455, section 1.3
)

func (s *Server) serveControl(ctx context.Context, l net.Listener) error {
	if l == nil {
		<-ctx.Done()
		return nil
	}
	server := &http.Server{
		Handler: controlHandler(), ReadTimeout: controlWait, WriteTimeout: controlWait, IdleTimeout: controlWait, MaxHeaderBytes: 4096,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // what strangers do wrong is theirs
	}
	server.SetKeepAlivesEnabled(false) // there are few places, and nobody needs one for long
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(&limited{Listener: l, open: make(map[netip.Addr]int)})
	if ctx.Err() != nil || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("answering browsers: %w", err)
}

func controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /control", control)
	mux.HandleFunc("GET /control/socket", controlSocket)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.URL.Path != "/control" && r.URL.Path != "/control/socket" { // nothing is redirected
			http.NotFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func control(w http.ResponseWriter, r *http.Request) {
	nonce := r.URL.Query().Get("n")
	if !isControlNonce(nonce) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"address": caller(r), "nonce": nonce})
}

// isControlNonce tells whether it is one that may be repeated to a browser.
func isControlNonce(s string) bool {
	return s != "" && len(s) <= maxControlNonce && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

func caller(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return from.Addr().Unmap().WithZone("").String()
}

// controlSocket says one sentence over a WebSocket (RFC 6455) and ends it.
func controlSocket(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 16 || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		http.NotFound(w, r)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(controlWait))
	sum := sha1.Sum([]byte(key + socketGUID))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
	message := append([]byte(answer), 0x81, byte(len(socketGreeting))) // one text frame, section 5.2
	message = append(message, socketGreeting...)
	message = append(message, 0x88, 2, 0x03, 0xe8) // close, status 1000, section 5.5.1
	if _, err := conn.Write(message); err != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, conn, 256) // its close; a reset before that could overtake our words
}

// limited is a listener that closes what is too much.
type limited struct {
	net.Listener
	mu   sync.Mutex
	all  int
	open map[netip.Addr]int
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := network(remote(conn)).Addr()
		if remote(conn).Is4() {
			from = remote(conn)
		}
		if l.take(from) {
			return &counted{Conn: conn, leave: sync.OnceFunc(func() { l.give(from) })}, nil
		}
		_ = conn.Close()
	}
}

func (l *limited) take(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= controlConnections || l.open[from] >= controlPerSource {
		return false
	}
	l.all++
	l.open[from]++
	return true
}

func (l *limited) give(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.open[from]--; l.open[from] == 0 {
		delete(l.open, from)
	}
}

type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
