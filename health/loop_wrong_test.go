package health

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// This file is about ways in which the loop, and not the verdict, could make somebody believe what is not so.

// with6 gives the world's home an IPv6 address.
func (w *world) with6(address string) {
	a := netip.MustParseAddr(address)
	w.facts.Home.IPv6, w.facts.Home.Global6 = Known, append(slices.Clone(w.facts.Home.Global6), a)
	w.facts.Own6 = []netip.Addr{own6}
}

// scripted is a vantage that does as it is told.
type scripted struct {
	kind  Kind
	every time.Duration
	look  func(ctx context.Context, r Round) []Observation
}

func (s scripted) Kind() Kind                                      { return s.kind }
func (s scripted) Every() time.Duration                            { return s.every }
func (s scripted) Look(ctx context.Context, r Round) []Observation { return s.look(ctx, r) }

// TestWhatProvesNothingIsNotAskedAllTheTime: a day is a day for a service that said no, whatever changes.
func TestWhatProvesNothingIsNotAskedAllTheTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.facts.Seats = append(w.facts.Seats, Seat{PortCheck, "port_check", false}, Seat{InternetDB, "internetdb", false})
		w.facts.Changed = map[Family]Change{IPv4: {time.Now().Add(-time.Hour), "gateway"}}
		asked := map[Kind]int{}
		b := begin(t, dir, w)
		for _, kind := range []Kind{PortCheck, InternetDB} {
			every := map[Kind]time.Duration{PortCheck: 24 * time.Hour, InternetDB: 7 * 24 * time.Hour}[kind]
			b.cfg.Vantages = append(b.cfg.Vantages, scripted{kind, every, func(_ context.Context, r Round) []Observation {
				w.set(func() { asked[kind]++ })
				o := r.Observe(kind, string(kind), string(kind), IPv4, pub4, 8123)
				o.Why = NothingThere
				return []Observation{o}
			}})
		}
		b.run()
		for range 48 {
			time.Sleep(time.Hour)
			select {
			case w.news <- struct{}{}:
			default:
			}
		}
		b.stop()
		b = begin(t, dir, w) // and a restart is no reason either
		b.run()
		time.Sleep(time.Minute)
		b.stop()
		if asked[PortCheck] > 4 || asked[InternetDB] != 1 {
			t.Errorf("in two days they were asked %v times", asked)
		}
	})
}

// TestARoundThatTakesTooLongIsNotGivenUp: one vantage that hangs does not keep the others from being heard, nor has all repeated.
func TestARoundThatTakesTooLongIsNotGivenUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(t, dir, w)
		hung := 0
		b.cfg.Vantages = append(b.cfg.Vantages, scripted{Hairpin, 6 * time.Hour, func(ctx context.Context, _ Round) []Observation {
			hung++
			<-ctx.Done()
			return nil
		}})
		b.run()
		time.Sleep(time.Hour)
		if r := b.Report(); r.Verdict != Closed || w.looked(Witness) != 1 || hung != 1 {
			t.Errorf("it is %v: %v; the witness was asked %d times, and who hangs %d times", r.Verdict, r.Reasons, w.looked(Witness), hung)
		}
		b.stop()
	})
}

// TestWhatChangesDuringARoundCountsAtOnce: and the next round follows soon, although the one that ends was in vain.
func TestWhatChangesDuringARoundCountsAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(t, dir, w)
		slow := scripted{Hairpin, 6 * time.Hour, func(ctx context.Context, r Round) []Observation {
			select {
			case <-time.After(4 * time.Minute):
			case <-ctx.Done():
			}
			return nil
		}}
		b.cfg.Vantages = append(b.cfg.Vantages, slow)
		b.run()
		if r := b.check(t); r.Verdict != Closed {
			t.Fatalf("it is %v: %v", r.Verdict, r.Reasons)
		}
		time.Sleep(20 * time.Minute)
		b.Check()
		time.Sleep(time.Minute)
		w.set(func() { w.facts.Changed = map[Family]Change{IPv4: {time.Now(), "gateway"}} })
		w.news <- struct{}{}
		time.Sleep(settle + time.Second)
		if r := b.Report(); r.Verdict != Unverified {
			t.Errorf("while a round runs, after a change it is %v", r.Verdict)
		}
		time.Sleep(20 * time.Minute)
		if r := b.Report(); r.Verdict != Closed {
			t.Errorf("twenty minutes later it is %v: %v", r.Verdict, r.Reasons)
		}
		b.stop()
	})
}

// TestWhereNobodyListensDoesNotFlap: Home Assistant that listens on IPv4 only is closed over IPv6, at every look.
func TestWhereNobodyListensDoesNotFlap(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.with6("2a77:db8:77::20")
		w.refuses = func(netip.Addr) bool { return true }
		b := start(t, dir, w)
		for range 24 {
			time.Sleep(10 * time.Minute)
			select {
			case w.news <- struct{}{}:
			default:
			}
		}
		if got := b.changes(t); !slices.Equal(got, []string{"unverified>closed"}) {
			t.Errorf("the verdict changed: %v; it is %v", got, b.Report().Reasons)
		}

		// It is stopped: all its addresses refuse, and that says nothing of where it will listen.
		w.set(func() { w.refuses = func(a netip.Addr) bool { return w.down }; w.facts.Home.Global6 = nil })
		w.set(func() { w.with6("2a77:db8:77::21"); w.down = true })
		time.Sleep(40 * time.Minute)
		if r := b.Report(); r.Verdict == Closed {
			t.Error("with Home Assistant stopped, over IPv6 there is nothing to be reached")
		}
		b.stop()
	})
}

// TestAnAddressThatNobodyKnowsIsLookedAtSoon.
func TestAnAddressThatNobodyKnowsIsLookedAtSoon(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := start(t, dir, w)
		time.Sleep(time.Hour)
		w.set(func() { w.with6("2a77:db8:77::20") })
		w.news <- struct{}{}
		looks := w.looked(Witness)
		time.Sleep(2 * time.Minute)
		if w.looked(Witness) != looks+1 {
			t.Errorf("two minutes after its first IPv6 address the witness was asked %d times", w.looked(Witness)-looks)
		}
		time.Sleep(3 * time.Hour)
		if w.looked(Witness) > looks+2 {
			t.Errorf("and then %d times", w.looked(Witness)-looks)
		}
		b.stop()
	})
}

// TestAnUpdateIsLookedAtSoon: what those outside would have to recognise is another thing now.
func TestAnUpdateIsLookedAtSoon(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := start(t, dir, w)
		time.Sleep(time.Hour)
		looks := w.looked(Witness)
		w.set(func() {
			w.shows = homeassistant.Fingerprint{HTTP: true, Status: 200, Manifest: "aa", Version: "2026.12.0"}
		})
		w.news <- struct{}{}
		time.Sleep(settle + time.Second)
		if r := b.Report(); r.Verdict != Closed {
			t.Errorf("an update made it %v: %v", r.Verdict, r.Reasons)
		}
		time.Sleep(2 * time.Minute)
		if w.looked(Witness) != looks+1 {
			t.Errorf("after an update the witness was asked %d times", w.looked(Witness)-looks)
		}
		time.Sleep(2 * time.Hour)
		if w.looked(Witness) != looks+1 {
			t.Errorf("and later %d times", w.looked(Witness)-looks)
		}
		b.stop()
	})
}

// TestWhatIsFromTheFutureDoesNotComeBack: the clock was ahead and is put right. Nobody waits until it is there again, and what
// was seen then is not news when its time comes; not after a restart, either.
func TestWhatIsFromTheFutureDoesNotComeBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.ahead.Store(int64(12 * time.Hour))
		b := start(t, dir, w)
		if r := b.check(t); r.Verdict != Closed {
			t.Fatalf("it is %v", r.Verdict)
		}
		w.ahead.Store(0)
		w.set(func() { w.silent = true })
		w.news <- struct{}{}
		looks := w.looked(Witness)
		time.Sleep(time.Hour)
		if r := b.Report(); r.Verdict == Closed {
			t.Error("what was seen in the future counts")
		}
		if w.looked(Witness) == looks {
			t.Error("nobody looks until the clock is there again")
		}
		b.stop()
		b = start(t, dir, w)
		time.Sleep(13 * time.Hour)
		if r := b.Report(); r.Verdict == Closed {
			t.Error("what was seen in the future became news")
		}
		b.stop()
		b = start(t, dir, w)
		time.Sleep(time.Minute)
		if r := b.Report(); r.Verdict == Closed {
			t.Error("what was seen in the future became news after a restart")
		}
		b.stop()
	})
}

// TestAfterwardsNobodyKnows: when the surroundings cannot be looked at afterwards, the address may have been another one's.
func TestAfterwardsNobodyKnows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := start(t, dir, w)
		b.Check()
		time.Sleep(15 * time.Second)
		w.set(func() { w.blind = errors.New("the kernel says nothing") })
		if r := b.check(t); r.Verdict != Unverified {
			t.Errorf("it is %v: %v", r.Verdict, r.Reasons)
		}
		b.stop()
	})
}
