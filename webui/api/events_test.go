package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
)

// wire is a listener whose connections are pipes: what is not read is not written, and their deadlines keep the bubble's time.
type wire struct {
	conns chan net.Conn
	close func()
}

func (w wire) Accept() (net.Conn, error) {
	if c, ok := <-w.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (w wire) Close() error   { w.close(); return nil }
func (w wire) Addr() net.Addr { return &net.UnixAddr{Name: "wire", Net: "unix"} }

// serve serves the house until the test's bubble ends, and returns how to connect.
func (h *house) serve(t *testing.T) (dial func() net.Conn, stop func()) {
	t.Helper()
	conns := make(chan net.Conn)
	w := wire{conns, sync.OnceFunc(func() { close(conns) })}
	server := &http.Server{Handler: h, WriteTimeout: time.Second}
	go func() {
		if err := server.Serve(w); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	dial = func() net.Conn {
		here, there := net.Pipe()
		w.conns <- there
		return here
	}
	return dial, func() { server.Close() }
}

// listen opens a stream and reads its first line.
func listen(t *testing.T, c net.Conn) *bufio.Reader {
	t.Helper()
	if _, err := fmt.Fprint(c, "GET /api/v1/events HTTP/1.1\r\nHost: hearthgate\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(line) == "" {
			return r
		}
	}
}

func (h *house) record(t *testing.T) {
	t.Helper()
	if err := h.journal.Record(journal.Event{Type: journal.PeerConnected, Message: strings.Repeat("x", 8<<10)}); err != nil {
		t.Fatal(err)
	}
}

func (h *house) streamsOpen() int {
	h.streams.mu.Lock()
	defer h.streams.mu.Unlock()
	return h.streams.all
}

func TestAReaderThatDoesNotReadIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		dial, stop := h.serve(t)
		defer stop()
		c := dial()
		defer c.Close()
		listen(t, c)
		h.record(t)
		time.Sleep(writePatience - time.Second)
		if n := h.streamsOpen(); n != 1 {
			t.Fatalf("%d streams are open while there is patience", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := h.streamsOpen(); n != 0 {
			t.Errorf("%d streams are still open", n)
		}
	})
}

// TestAStreamOutlivesTheServersDeadline: the server gives whole answers one second.
func TestAStreamOutlivesTheServersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		dial, stop := h.serve(t)
		defer stop()
		c := dial()
		defer c.Close()
		r := listen(t, c)
		beats := make(chan int)
		go func() {
			n := 0
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					beats <- n
					return
				}
				if strings.HasPrefix(line, ":") {
					n++
				}
			}
		}()
		time.Sleep(10*heartbeat + time.Second)
		c.Close()
		if n := <-beats; n != 10 {
			t.Errorf("%d heartbeats", n)
		}
	})
}

func TestAThousandStreamsLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		h := newHouse(t)
		dial, stop := h.serve(t)
		defer stop()
		for i := range 1000 {
			c := dial()
			listen(t, c)
			if i%20 == 0 {
				h.record(t)
			}
			c.Close()
			synctest.Wait()
			if n := h.streamsOpen(); n != 0 {
				t.Fatalf("%d streams are open after %d", n, i)
			}
		}
		if len(h.streams.each) != 0 {
			t.Errorf("remembered: %v", h.streams.each)
		}
	})
}

// stream opens a stream for a caller beside the test and returns what ends it, or the answer if there was no place.
func (h *house) stream(c Caller) (*httptest.ResponseRecorder, context.CancelFunc) {
	ctx, cancel := context.WithCancel(WithCaller(h.t.Context(), c))
	w := httptest.NewRecorder()
	go h.Server.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/api/v1/events", nil))
	synctest.Wait()
	return w, cancel
}

func TestStreamsAreBoundedForEachCallerAndInAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		var ends []context.CancelFunc
		full := func(c Caller) bool {
			w, end := h.stream(c)
			ends = append(ends, end)
			if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
				t.Error("nobody says when to come back")
			}
			return w.Code == http.StatusServiceUnavailable
		}
		for i := range allStreams {
			c := SessionCaller(fmt.Sprint("session ", i/streamsByCaller), false)
			if full(c) {
				t.Fatalf("stream %d was refused", i)
			}
			if i%streamsByCaller == streamsByCaller-1 && !full(c) {
				t.Fatalf("a session has %d streams", streamsByCaller+1)
			}
		}
		if !full(SessionCaller("another", false)) || !full(Caller{Owner: true}) {
			t.Errorf("there are more than %d streams", allStreams)
		}
		ends[0]()
		synctest.Wait()
		if full(SessionCaller("another", false)) {
			t.Error("the place that was given back is not to be had")
		}
		for _, end := range ends {
			end()
		}
	})
}

// TestWhoeverComesBackLateMissesNothing: more has happened than one piece of the journal, or a stream's buffer, holds.
func TestWhoeverComesBackLateMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		all := h.fill(5*journalPiece + 3)
		ctx, cancel := context.WithCancel(WithCaller(t.Context(), h.as))
		req := httptest.NewRequestWithContext(ctx, "GET", "/api/v1/events?after=1", nil)
		w := httptest.NewRecorder()
		go h.Server.ServeHTTP(w, req)
		synctest.Wait()
		h.record(t)
		synctest.Wait()
		cancel()
		synctest.Wait()
		next := uint64(2)
		for line := range strings.Lines(w.Body.String()) {
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				if strings.TrimSpace(id) != fmt.Sprint(next) {
					t.Fatalf("%s came, and %d is next", id, next)
				}
				next++
			}
		}
		if last := all[len(all)-1].Seq; next != last+2 {
			t.Errorf("the last was %d, and there are %d", next-1, last+1)
		}
	})
}
