package access

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network, so that its time can be the test's.
type pipes struct {
	calls  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// inTime runs a test against the server, in a bubble of its own time.
func inTime(t *testing.T, h http.Handler, fn func(t *testing.T, call func() net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		p := pipes{make(chan net.Conn), make(chan struct{})}
		server := Server(h, nil)
		go server.Serve(p) //nolint:errcheck // it ends when it is closed
		fn(t, func() net.Conn {
			ours, theirs := net.Pipe()
			p.calls <- theirs
			return ours
		})
		server.Close()
	})
}

// ends tells when the server gives a connection up.
func ends(c net.Conn) time.Duration {
	began := time.Now()
	_, _ = io.Copy(io.Discard, c)
	return time.Since(began)
}

func TestASlowCallerIsNotWaitedFor(t *testing.T) {
	echo := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for what, c := range map[string]struct {
		head  string
		drip  string
		limit time.Duration
	}{
		"nothing at all":       {"", "", headerTime},
		"a byte a second":      {"GET / HTTP/1.1\r\nHost: a\r\nX: ", "x", headerTime},
		"a header a second":    {"GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", headerTime},
		"a body by the byte":   {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", "x", readTime},
		"a chunk a second":     {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", readTime},
		"between two requests": {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", idleTime},
	} {
		inTime(t, echo, func(t *testing.T, call func() net.Conn) {
			conn := call()
			go func() {
				_, err := io.WriteString(conn, c.head)
				for err == nil && c.drip != "" {
					time.Sleep(time.Second)
					_, err = io.WriteString(conn, c.drip)
				}
			}()
			if got := ends(conn); got > c.limit+time.Second {
				t.Errorf("%s is waited for %v, want %v", what, got, c.limit)
			}
			conn.Close()
			time.Sleep(time.Second) // the drip sees it at its next drop
		})
	}
}

func TestACallerWhoReadsNothing(t *testing.T) {
	done := make(chan error, 1)
	endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
		done <- err
	})
	inTime(t, endless, func(t *testing.T, call func() net.Conn) {
		done = make(chan error, 1)
		began := time.Now()
		conn := call()
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err == nil {
			t.Error("the handler ended without an error")
		}
		if got := time.Since(began); got > writeTime+time.Second {
			t.Errorf("the handler writes for %v, want %v", got, writeTime)
		}
	})
}

// An event stream, a tick a minute.
func stream(lifts bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 60 {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(time.Minute):
			}
			if lifts {
				if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
					panic(err)
				}
			}
			if _, err := io.WriteString(w, strconv.Itoa(i)+"\n"); err != nil {
				return
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
		}
	})
}

func TestAnEventStreamGoesOn(t *testing.T) {
	count := func(t *testing.T, call func() net.Conn) int {
		conn := call()
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return 0
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return strings.Count(string(body), "\n")
	}
	inTime(t, stream(true), func(t *testing.T, call func() net.Conn) {
		if n := count(t, call); n != 60 {
			t.Errorf("an hour of events is %d events, want 60", n)
		}
	})
	inTime(t, stream(false), func(t *testing.T, call func() net.Conn) {
		if n := count(t, call); n != 0 {
			t.Errorf("an answer that lifted no limit went on for %d minutes", n)
		}
	})
}

func TestABodyHasAnEnd(t *testing.T) {
	for size, want := range map[int]int{maxBody: 200, maxBody + 1: 413} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); errors.As(err, new(*http.MaxBytesError)) {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
		})
		address, _ := started(t, h)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client("127.0.0.1").Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("a body of %d bytes: %d, want %d", size, answer.StatusCode, want)
		}
	}
}
