package webui

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
)

// mountAPI gives the house the JSON API that the page's script listens to.
func (h *phoneHouse) mountAPI() {
	h.Mount(api.New(api.Config{
		Peers: h.cfg.Peers, Services: h, Tunnel: h, Endpoint: houseEndpoint{h}, HomeAssistant: h.cfg.HomeAssistant, Journal: h.cfg.Journal,
		Now: time.Now, Synchronised: h.cfg.Synchronised, Version: "test", Account: h.account, Usage: h, Settings: houseEndpoint{h},
		Links: h, Desk: h, Log: slog.New(slog.DiscardHandler),
	}))
}

// reader is the browser's end of an event stream.
type reader struct {
	*httptest.ResponseRecorder
	mu   sync.Mutex
	text strings.Builder
}

func (r *reader) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}
func (r *reader) Flush()                             {}
func (r *reader) SetWriteDeadline(_ time.Time) error { return nil }

// taken gives what has come since the last call.
func (r *reader) taken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.text.Reset()
	return r.text.String()
}

// listen opens the event stream as the page's script does, until the function that it gives is called.
func (b *browser) listen(ctx context.Context) (events *reader, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events", nil)
	r.Host, r.RemoteAddr = b.host, "192.168.1.20:40000"
	r.AddCookie(b.cookies[sessionCookie])
	events = &reader{ResponseRecorder: httptest.NewRecorder()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.house.Handler().ServeHTTP(events, r)
	}()
	return events, func() { cancel(); <-done }
}

// TestAPageThatIsOpenForADayLeaksNothing keeps the front page open for 24 hours: its event stream, the look that it takes every
// 15 seconds, and a phone that changes every ten minutes. The clock is the test's.
func TestAPageThatIsOpenForADayLeaksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		h.mountAPI()
		b := h.owner()
		path := b.add("Anna")
		id := strings.TrimPrefix(path, "/phones/")
		runtime.GC()
		before := runtime.NumGoroutine()
		events, stop := b.listen(t.Context())
		synctest.Wait()
		var early, late uint64
		begun := runtime.NumGoroutine()
		for minute := range 24 * 60 {
			for range 4 {
				time.Sleep(15 * time.Second)
				if w := b.ask(http.MethodGet, "/", "*/*", nil); w.Code != http.StatusOK {
					t.Fatalf("minute %d: the page answers %d", minute, w.Code)
				}
			}
			if minute%10 != 0 {
				events.taken()
				continue
			}
			name := fmt.Sprintf("Anna %d", minute)
			if _, err := h.cfg.Peers.Rename(id, name); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := events.taken(); !strings.Contains(got, name) {
				t.Fatalf("minute %d: the stream says %q", minute, got)
			}
			switch minute {
			case 120:
				early = heap()
			case 1430:
				late = heap()
			}
		}
		if n := runtime.NumGoroutine(); n != begun {
			t.Errorf("%d goroutines after a day, %d at its beginning", n, begun)
		}
		if late > early+512<<10 {
			t.Errorf("the heap grew from %d to %d KiB between the second hour and the last", early>>10, late>>10)
		}
		stop()
		synctest.Wait()
		if n := runtime.NumGoroutine(); n != before {
			t.Errorf("%d goroutines once it is closed, %d before it was opened", n, before)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestThePageWorksWhileAThousandPhonesChange asks for pages while others change what is on them.
func TestThePageWorksWhileAThousandPhonesChange(t *testing.T) {
	t.Parallel() // 20 s of two busy cores
	h := newPhoneHouse(t)
	h.mountAPI()
	var ids []string
	for i := range 1000 {
		e, err := h.cfg.Peers.Add(peers.AddRequest{Name: fmt.Sprintf("Phone %d", i)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.Peer.ID)
	}
	b := h.owner()
	events, stop := b.listen(t.Context())
	defer stop()
	changed, some := make(chan error, 1), make(chan struct{}, 1)
	go func() {
		defer close(changed)
		for i, id := range ids {
			var err error
			switch i % 4 {
			case 0:
				_, err = h.cfg.Peers.Rename(id, fmt.Sprintf("Renamed %d", i))
			case 1:
				_, err = h.cfg.Peers.SetDisabled(id, true)
			case 2:
				_, err = h.cfg.Peers.Rekey(id, nil, true)
			case 3:
				err = h.cfg.Peers.Remove(id)
			}
			if err != nil {
				changed <- err
				return
			}
			if i%25 == 0 {
				select {
				case some <- struct{}{}:
				default: // the pages are slower than the changes
				}
			}
		}
	}()
	looks := 0
	for done := false; !done; looks++ {
		select {
		case err, bad := <-changed:
			if bad {
				t.Fatal(err)
			}
			done = true
		case <-some:
		}
		for _, target := range []string{"/", "/?page=3", "/phones/" + ids[looks%len(ids)], "/journal", "/api/v1/peers"} {
			w := b.get(target)
			gone := w.Code == http.StatusNotFound && strings.HasPrefix(target, "/phones/")
			if w.Code != http.StatusOK && !gone {
				t.Fatalf("%s: %d\n%s", target, w.Code, text(w))
			}
		}
	}
	if got := events.taken(); !strings.Contains(got, "peer.changed") && !strings.Contains(got, "peer.removed") {
		t.Errorf("after %d rounds the stream has said %q", looks, got)
	}
	list, err := h.cfg.Peers.List()
	if err != nil || len(list) != 750 {
		t.Errorf("%d phones are left, %v", len(list), err)
	}
}
