package health

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// world is a household whose doors the test opens and shuts, and everybody who looks at it.
type world struct {
	mu      sync.Mutex
	facts   Facts
	down    bool // Home Assistant
	open    map[Door]bool
	silent  bool                      // the witness
	sure    bool                      // the clock
	ahead   atomic.Int64              // nanoseconds, of the true time, the clock is
	blind   error                     // what becomes of a look at the surroundings
	shows   homeassistant.Fingerprint // Home Assistant
	refuses func(netip.Addr) bool     // nobody listens there
	looks   map[Kind]int
	news    chan struct{}
}

func newWorld() *world {
	return &world{
		facts: household(), open: map[Door]bool{}, looks: map[Kind]int{}, sure: true, news: make(chan struct{}, 1),
		shows: homeassistant.Fingerprint{HTTP: true, Status: 200, Manifest: "aa", Version: "2026.11.0"}, refuses: func(netip.Addr) bool { return false },
	}
}

func (w *world) now() time.Time {
	return time.Now().Add(time.Duration(w.ahead.Load()))
}

// looked is how often a kind of vantage has looked.
func (w *world) looked(kind Kind) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.looks[kind]
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) Facts(context.Context) (Facts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.facts, w.blind
}

func (w *world) Home(_ context.Context, f Facts) (look HomeLook) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.down {
		look.Fingerprint = w.shows
	}
	for _, a := range f.Home.Global6 {
		look.Answers = append(look.Answers, Reached{Address: a, Answers: !w.down && !w.refuses(a), Refused: w.refuses(a)})
	}
	return look
}

func (w *world) Watch() <-chan struct{} { return w.news }

// onlooker is a vantage of the world.
type onlooker struct {
	*world
	kind  Kind
	every time.Duration
}

func (o onlooker) Kind() Kind           { return o.kind }
func (o onlooker) Every() time.Duration { return o.every }

func (o onlooker) Look(ctx context.Context, r Round) (seen []Observation) {
	o.mu.Lock()
	o.looks[o.kind]++
	silent := o.silent
	o.mu.Unlock()
	r.Tell(o.kind, "looking")
	if o.kind == Router {
		return []Observation{o.said(r, 0, Untested, NothingThere)}
	}
	if silent {
		return []Observation{o.said(r, 0, Untested, VantageSilent)}
	}
	select {
	case <-time.After(30 * time.Second):
	case <-ctx.Done():
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, w := range r.Ports {
		p := o.said(r, w.Port, PortFiltered, NoAnswer)
		p.Controls = Controls{PathBefore: Held, PathAfter: Held, Decoy: Held, Reach: Held, Outside: Held}
		if o.open[Door{IPv4, w.Port}] {
			p.State, p.Why, p.Identity = PortOpen, Connected, OurHome
		}
		seen = append(seen, p)
		for _, a := range r.Facts.Home.Global6 {
			p.Family, p.Address = IPv6, a
			seen = append(seen, p)
		}
	}
	return seen
}

func (o onlooker) said(r Round, port uint16, state State, why Code) Observation {
	p := r.Observe(o.kind, "tower", "tower", IPv4, pub4, port)
	if o.kind != Witness {
		p.Seat = string(o.kind)
	}
	p.State, p.Why = state, why
	return p
}

// bench is a loop that runs in a bubble.
type bench struct {
	*world
	*Loop
	journal *journal.Journal
	store   *store.Store
	run     func()
	stop    func()
}

func start(t *testing.T, dir string, w *world) *bench {
	t.Helper()
	b := begin(t, dir, w)
	b.run()
	return b
}

// begin makes a loop that does not run yet.
func begin(t *testing.T, dir string, w *world) *bench {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	j := journal.New(st, time.Now, log)
	b := &bench{world: w, journal: j, store: st}
	b.Loop = NewLoop(LoopConfig{
		Store: st, Journal: j, Settings: NewSettings(st, j, func(s string) (string, error) { return s, nil }), Surroundings: w,
		Vantages: []Vantage{onlooker{w, Witness, 6 * time.Hour}, onlooker{w, Router, 15 * time.Minute}}, Now: w.now, Log: log,
		Synchronised: func() bool { return w.sure },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	b.run = func() { go func() { done <- b.Run(ctx) }() }
	b.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	return b
}

// check asks for a round and waits for its end.
func (b *bench) check(t *testing.T) Report {
	t.Helper()
	b.Check()
	for range 1000 {
		synctest.Wait()
		if p := b.Progress(); !p.Running {
			return b.Report()
		}
		time.Sleep(time.Second)
	}
	t.Fatal("the round does not end")
	return Report{}
}

func (b *bench) changes(t *testing.T) (out []string) {
	t.Helper()
	events, err := b.journal.After(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == journal.ExposureChanged {
			out = append(out, e.Data["before"]+">"+e.Data["verdict"])
		}
	}
	return out
}

func TestTheLoopProvesAndTellsOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := start(t, dir, w)
		time.Sleep(time.Minute)
		if r := b.Report(); r.Verdict != Closed {
			t.Fatalf("a minute after the start it is %v: %v", r.Verdict, r.Reasons)
		}
		w.set(func() { w.open[Door{IPv4, 443}] = true })
		if r := b.check(t); r.Verdict != Exposed || r.Reasons[0].Code != SeenOpen || r.Reasons[0].Args["port"] != "443" {
			t.Fatalf("with 443 open it is %v: %v", r.Verdict, r.Reasons)
		}
		b.check(t)
		w.set(func() { clear(w.open) })
		if r := b.check(t); r.Verdict != Exposed {
			t.Fatalf("after one closed round it is %v", r.Verdict)
		}
		time.Sleep(20 * time.Minute) // the loop looks again by itself
		if r := b.Report(); r.Verdict != Closed {
			t.Errorf("twenty minutes later it is %v: %v", r.Verdict, r.Reasons)
		}
		if got, want := b.changes(t), []string{"unverified>closed", "closed>exposed", "exposed>closed"}; !slices.Equal(got, want) {
			t.Errorf("the journal has %v, want %v", got, want)
		}
		b.stop()
	})
}

// TestASightingIsToldAtOnce, while somebody who is slow still looks.
func TestASightingIsToldAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.open[Door{IPv4, 8123}] = true
		b := begin(t, dir, w)
		b.cfg.Vantages = append(b.cfg.Vantages, slowcoach{})
		b.run()
		b.Check()
		time.Sleep(time.Minute)
		if r := b.Report(); r.Verdict != Exposed || !b.Progress().Running {
			t.Errorf("after a minute it is %v: %v", r.Verdict, r.Reasons)
		}
		time.Sleep(5 * time.Minute)
		if r := b.Report(); r.Verdict != Exposed || r.Reasons[0].Code != SeenOpen || b.Progress().Running {
			t.Errorf("at the end it is %v: %v", r.Verdict, r.Reasons)
		}
		if got := b.changes(t); !slices.Equal(got, []string{"unverified>exposed"}) {
			t.Errorf("the journal has %v", got)
		}
		b.stop()
	})
}

// slowcoach looks for four minutes and sees nothing.
type slowcoach struct{}

func (slowcoach) Kind() Kind           { return Globalping }
func (slowcoach) Every() time.Duration { return 24 * time.Hour }
func (slowcoach) Look(ctx context.Context, _ Round) []Observation {
	select {
	case <-time.After(4 * time.Minute):
	case <-ctx.Done():
	}
	return nil
}

func TestARestartForgetsAndRepeatsNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := start(t, dir, w)
		w.set(func() { w.open[Door{IPv4, 8123}] = true })
		b.check(t)
		b.stop()
		looks := w.looked(Witness)

		w.set(func() { w.silent = true })
		b = start(t, dir, w)
		time.Sleep(time.Minute)
		if r := b.Report(); r.Verdict != Exposed {
			t.Errorf("after a restart it is %v", r.Verdict)
		}
		if w.looked(Witness) != looks {
			t.Error("the witness was asked again because of a restart")
		}
		if got := b.changes(t); !slices.Equal(got, []string{"unverified>exposed"}) {
			t.Errorf("the journal has %v", got)
		}
		time.Sleep(40 * time.Hour)
		if r := b.Report(); r.Verdict != Exposed {
			t.Errorf("days later, and nobody looked, it is %v", r.Verdict)
		}
		b.stop()
	})
}

// TestNoClosedFromBeforeAnUnsureClock: a machine without a clock may have been off for days.
func TestNoClosedFromBeforeAnUnsureClock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := start(t, dir, w)
		if r := b.check(t); r.Verdict != Closed {
			t.Fatalf("it is %v", r.Verdict)
		}
		b.stop()
		w.set(func() { w.silent = true })
		for _, sure := range []bool{true, false} {
			w.sure = sure
			b = start(t, dir, w)
			time.Sleep(time.Minute)
			if r := b.Report(); (r.Verdict == Closed) != sure {
				t.Errorf("with a clock that is right %v it is %v", sure, r.Verdict)
			}
			b.stop()
		}
	})
}

func TestWhatChangesMakesAClosedWorthless(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := start(t, dir, w)
		b.check(t)
		time.Sleep(30 * time.Minute)
		looks := w.looked(Witness)
		w.set(func() { w.facts.Changed = map[Family]Change{IPv4: {time.Now(), "gateway"}} })
		w.news <- struct{}{}
		time.Sleep(settle + time.Second)
		if r := b.Report(); r.Verdict != Unverified || r.Reasons[0].Code != Changed {
			t.Errorf("after a change it is %v: %v", r.Verdict, r.Reasons)
		}
		time.Sleep(2 * time.Minute)
		if r := b.Report(); r.Verdict != Closed || w.looked(Witness) != looks+1 {
			t.Errorf("two minutes later it is %v, and the witness was asked %d times", r.Verdict, w.looked(Witness)-looks)
		}
		b.stop()
	})
}

func TestARoundCountsOnlyWithHomeAssistantThere(t *testing.T) {
	for name, during := range map[string]func(w *world){
		"down":  func(w *world) { w.down = true },
		"moved": func(w *world) { w.facts.Home.Port = 8124 },
		"another address": func(w *world) {
			w.facts.Public = map[Family]Public{IPv4: {Standing: Known, Address: lan4}, IPv6: {Standing: Absent}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				b := start(t, dir, w)
				b.Check()
				time.Sleep(15 * time.Second)
				w.set(func() { during(w) })
				if r := b.check(t); r.Verdict != Unverified {
					t.Errorf("it is %v: %v", r.Verdict, r.Reasons)
				}
				b.stop()
			})
		})
	}
}

// TestAMonthOfHistory: a month of rounds takes little room, and every look can be read back.
func TestAMonthOfHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := start(t, dir, w)
		time.Sleep(30 * 24 * time.Hour)
		times := map[Kind]int{}
		var before uint64
		for {
			page, err := b.History(before, 50)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				times[e.Kind] += e.Times
				if e.Kind == Witness && len(e.Seen) != 5 && len(e.Seen) != 35 {
					t.Fatalf("an entry has %d observations", len(e.Seen))
				}
			}
			before = page[len(page)-1].Seq
		}
		b.stop()
		info, err := os.Stat(filepath.Join(dir, "hearthgate.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("a month: %d looks by the witness, %d at the router, %d KiB in all", times[Witness], times[Router], info.Size()>>10)
		if times[Witness] < 100 || times[Router] < 2500 || times[Router] > 3100 {
			t.Errorf("the history has %v", times)
		}
		if info.Size() > 10<<20 {
			t.Errorf("the state takes %d bytes", info.Size())
		}
	})
}
