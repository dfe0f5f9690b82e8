package homeassistant

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// A world is a household's network for a Finder to perceive: what answers where, which machine has which address, what
// is announced. Its time is synctest's, so that an hour passes in no time.
type world struct {
	t       *testing.T
	dir     string
	store   *store.Store
	journal *journal.Journal
	finder  *Finder
	stop    func()

	mu       sync.Mutex
	answers  map[string]answer     // by host:port; http
	secure   map[string]bool       // those that answer over https only
	blips    int                   // so many looks from now on are in vain
	closer   map[string]inspection // by host:port; all well when absent
	machines map[string]machine    // by address
	names    map[string][]netip.Addr
	says     []Announcement
	crowded  bool // more is said than was heard
	offLink  map[string]bool
	looks    []time.Time // at anything of the pinned or told kind
	browsed  int
	greeted  int    // how often the version was asked for
	onBrowse func() // called while the LAN is asked
}

// inWorld runs a test in a bubble of its own, with an empty world.
func inWorld(t *testing.T, test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			t: t, dir: t.TempDir(), answers: map[string]answer{}, secure: map[string]bool{}, closer: map[string]inspection{},
			machines: map[string]machine{"127.0.0.1": {here: true}}, names: map[string][]netip.Addr{}, offLink: map[string]bool{},
		}
		w.open()
		defer w.close()
		test(w)
	})
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.store, err = store.Open(w.dir); err != nil {
		w.t.Fatal(err)
	}
	w.journal = journal.New(w.store, time.Now, slog.New(slog.DiscardHandler))
}

func (w *world) close() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
	_ = w.store.Close()
}

// start runs a Finder in this world.
func (w *world) start(url string) *Finder {
	w.t.Helper()
	f, err := New(Config{Store: w.store, Journal: w.journal, URL: url})
	if err != nil {
		w.t.Fatal(err)
	}
	f.senses = senses{
		look: w.look, inspect: w.inspect, version: w.version, browse: w.browse, resolve: w.resolve,
		machine: w.machine, onLink: w.onLink,
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	w.finder, w.stop = f, func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run ended with %v, want nil", err)
		}
	}
	return f
}

// restart is a power cycle: only what is on the disk stays.
func (w *world) restart(url string) *Finder {
	w.t.Helper()
	w.close()
	w.open()
	return w.start(url)
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// change changes the world between two looks.
func (w *world) change(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
}

// A home is one Home Assistant on the LAN.
type home struct {
	addr, mac, uuid string
	port            uint16
}

// put makes a Home Assistant answer, and announce itself if it has a UUID. It must be called within change, or before
// start.
func (w *world) put(h home) {
	addr := netip.MustParseAddr(h.addr)
	at := Target{"http", h.addr, h.port}.Addr()
	w.answers[at] = itself
	w.machines[h.addr] = machine{mac: h.mac, here: h.mac == "here"}
	if h.mac == "here" {
		w.machines[h.addr] = machine{here: true}
	}
	if h.uuid != "" {
		w.says = append(w.says, Announcement{
			Source: addr, Name: "Home", Host: h.uuid + ".local", Port: h.port, Addrs: []netip.Addr{addr}, UUID: h.uuid, Version: "2026.9.1",
		})
	}
}

// remove takes it away: nothing answers there, nobody announces it.
func (w *world) remove(h home) {
	delete(w.answers, Target{"http", h.addr, h.port}.Addr())
	w.says = slices.DeleteFunc(w.says, func(a Announcement) bool { return a.Source == netip.MustParseAddr(h.addr) && a.Port == h.port })
}

func (w *world) look(ctx context.Context, t Target) sight {
	if !w.took(ctx, 5*time.Millisecond) {
		return sight{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks = append(w.looks, time.Now())
	a := w.answers[t.Addr()]
	if w.secure[t.Addr()] != (t.Scheme == "https") {
		a = silent
	}
	if w.blips > 0 {
		w.blips--
		a = silent
	}
	details := map[answer]string{silent: "nothing listens there", stranger: "its /manifest.json is not Home Assistant's", banned: "it answers 403"}
	return sight{answer: a, from: netip.MustParseAddr("192.168.1.2"), detail: details[a]}
}

func (w *world) took(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (w *world) inspect(_ context.Context, t Target) inspection {
	w.mu.Lock()
	defer w.mu.Unlock()
	if in, ok := w.closer[t.Addr()]; ok {
		return in
	}
	return inspection{known: true}
}

func (w *world) version(context.Context, Target) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.greeted++
	return "2026.9.1"
}

func (w *world) browse(ctx context.Context) (Hearsay, error) {
	if !w.took(ctx, listenFor) {
		return Hearsay{}, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.browsed++
	if w.onBrowse != nil {
		w.onBrowse()
	}
	return Hearsay{slices.Clone(w.says), w.crowded}, nil
}

func (w *world) resolve(_ context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if addrs, ok := w.names[host]; ok {
		return addrs, nil
	}
	return nil, errors.New("nobody on this network has that name")
}

func (w *world) machine(addr netip.Addr) machine {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.machines[addr.String()]
}

func (w *world) onLink(addr netip.Addr) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.offLink[addr.String()]
}

// asked, lookCount and greetings say how often something was done; the first two since they were last called.
func (w *world) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.browsed
	w.browsed = 0
	return n
}

func (w *world) lookCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.looks)
	w.looks = nil
	return n
}

func (w *world) greetings() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.greeted
}

// What a test says about the outcome.

func (w *world) wantFound(addr string) {
	w.t.Helper()
	st := w.finder.State()
	if st.Phase != Found || st.Addr != addr {
		w.t.Errorf("phase %s at %q (%s), want found at %s", st.Phase, st.Addr, st.Reason, addr)
	}
	if got, err := w.finder.Address(); err != nil || got != addr {
		w.t.Errorf("Address() = %q, %v, want %s", got, err, addr)
	}
}

func (w *world) wantPhase(phase Phase, words ...string) State {
	w.t.Helper()
	st := w.finder.State()
	if st.Phase != phase {
		w.t.Errorf("phase %s (%s), want %s", st.Phase, st.Reason, phase)
	}
	wantWords(w.t, st.Reason, words...)
	return st
}

// wantNowhere is a phase in which nobody may dial.
func (w *world) wantNowhere(phase Phase, words ...string) State {
	w.t.Helper()
	st := w.wantPhase(phase, words...)
	if addr, err := w.finder.Address(); err == nil {
		w.t.Errorf("Address() = %q while %s, want an error", addr, st.Phase)
	} else {
		wantWords(w.t, err.Error(), words...)
	}
	return st
}

// wantEvents compares the types of all events so far.
func (w *world) wantEvents(want ...journal.Type) []journal.Event {
	w.t.Helper()
	events, err := w.journal.After(0, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var got []journal.Type
	for _, e := range events {
		got = append(got, e.Type)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("events %q, want %q", got, want)
	}
	return events
}
