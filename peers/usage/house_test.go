package usage

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// house is a count on a real store, with counters and a clock that a test sets.
type house struct {
	*Usage
	t     *testing.T
	dir   string
	store *store.Store
	where *time.Location

	mu       sync.Mutex
	counters map[string]Counters
	known    []string
	wrong    time.Duration
	unsure   bool

	stop func()
}

// inHouse runs a test in a bubble that begins at noon of 20 November 2026 in a zone.
func inHouse(t *testing.T, zone string, fn func(h *house)) {
	inHouseFrom(t, zone, time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), fn)
}

// inHouseFrom begins when the clocks of the zone show what from shows.
func inHouseFrom(t *testing.T, zone string, from time.Time, fn func(h *house)) {
	where, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		y, m, d := from.Date()
		time.Sleep(time.Until(time.Date(y, m, d, from.Hour(), 0, 0, 0, where)))
		h := &house{t: t, dir: t.TempDir() + "/state", where: where, counters: map[string]Counters{}}
		h.start()
		defer func() { h.end() }()
		fn(h)
	})
}

func (h *house) start() {
	h.t.Helper()
	var err error
	if h.store, err = store.Open(h.dir); err != nil {
		h.t.Fatal(err)
	}
	h.Usage = New(Config{
		Store: h.store, Location: h.where, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time {
			h.mu.Lock()
			defer h.mu.Unlock()
			return time.Now().Add(h.wrong)
		},
		Synchronised: func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return !h.unsure
		},
		Source: func() map[string]Counters {
			h.mu.Lock()
			defer h.mu.Unlock()
			return maps.Clone(h.counters)
		},
		Known: func() ([]string, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return slices.Clone(h.known), nil
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	h.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	}
	synctest.Wait()
}

// end is SIGTERM.
func (h *house) end() {
	h.t.Helper()
	h.stop()
	if err := h.store.Close(); err != nil {
		h.t.Error(err)
	}
}

// restart is another process on the same card: the tunnel counts from nothing.
func (h *house) restart() {
	h.t.Helper()
	h.end()
	clear(h.counters)
	h.start()
}

// carries lets a peer move bytes, and waits until they are counted.
func (h *house) carries(id string, received, sent int64) {
	h.mu.Lock()
	c := h.counters[id]
	h.counters[id] = Counters{c.Received + received, c.Sent + sent}
	if !slices.Contains(h.known, id) {
		h.known = append(h.known, id)
	}
	h.mu.Unlock()
	h.wait(sampleEvery)
}

// set changes what the house says.
func (h *house) set(fn func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fn()
}

func (h *house) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// want asks for what a peer has received on days: "2026-11-20" and so on. All others have to be nothing.
func (h *house) want(when, id string, want map[string]int64) {
	h.t.Helper()
	days, err := h.Days(id)
	if err != nil || len(days) != 30 {
		h.t.Fatalf("%s: %d days, %v", when, len(days), err)
	}
	got := map[string]int64{}
	for i, d := range days {
		if d.Received != 0 {
			got[d.Date.Format(time.DateOnly)] = d.Received
		}
		if d.Sent != 2*d.Received {
			h.t.Errorf("%s: %v", when, d)
		}
		if i > 0 && d.Date.Sub(days[i-1].Date).Abs() > 26*time.Hour {
			h.t.Errorf("%s: %v follows %v", when, d.Date, days[i-1].Date)
		}
	}
	if !maps.Equal(got, want) {
		h.t.Errorf("%s: received is %v, want %v", when, got, want)
	}
	if today := h.Today(id); today != days[29] {
		h.t.Errorf("%s: today is %v, the last day %v", when, today, days[29])
	}
	if today := h.cfg.Now().In(h.where).Format(time.DateOnly); days[29].Date.Format(time.DateOnly) != today {
		h.t.Errorf("%s: the last day is %v, today is %s", when, days[29].Date, today)
	}
}

// records gives what is on the disk.
func (h *house) records() map[string]record {
	h.t.Helper()
	all := map[string]record{}
	err := h.store.View(func(tx *store.Tx) error {
		return store.Each(tx, bucket, func(id string, r record) error { all[id] = r; return nil })
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}
