package clock

import (
	"errors"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

var (
	monday = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	epoch  = time.Unix(0, 0).UTC()
	far    = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
)

func TestNormalDay(t *testing.T) {
	story(t, func(p *pi) {
		p.powerOn(monday, true)
		p.expect("before the first mark", monday, true)
		p.run(time.Hour)
		p.expect("an hour later", monday.Add(time.Hour), true)
		if lag := p.mark.Effective().Sub(p.saved()); lag < 0 || lag > step {
			t.Errorf("the mark is %v behind", lag)
		}
	})
}

func TestMarkIsWrittenSeldom(t *testing.T) {
	story(t, func(p *pi) {
		p.powerOn(monday, true)
		writes, last := 0, time.Time{}
		for range 24 * 60 {
			p.run(time.Minute)
			if saved := p.saved(); !saved.Equal(last) {
				writes, last = writes+1, saved
			}
		}
		if writes < 100 || writes > 6*24 {
			t.Errorf("%d writes a day", writes)
		}
	})
}

func TestPowerCycleWithoutNTP(t *testing.T) {
	story(t, func(p *pi) {
		p.powerOn(monday, true)
		p.run(2 * time.Hour)
		mark := p.saved()
		p.powerOff()

		p.powerOn(epoch, false)
		p.expect("at 1970", mark, false)
		p.run(3 * time.Hour)
		p.expect("three hours on", mark.Add(3*time.Hour), false)
		if !p.saved().Equal(mark) {
			t.Errorf("a clock that nobody vouches for moved the mark to %v", p.saved())
		}
		p.powerOff()

		p.powerOn(epoch, false)
		p.expect("at 1970 again", mark, false)
		later := monday.AddDate(0, 0, 1)
		p.setClock(later, true)
		p.expect("once the network has set it", later, true)
		p.advance()
		if !p.saved().Equal(later) {
			t.Errorf("a clock that has been set did not move the mark at once: %v", p.saved())
		}
		p.powerOff()

		p.powerOn(epoch, false)
		p.expect("and the mark survives", later, false)
	})
}

func TestClockThatJumpsTo2099(t *testing.T) {
	story(t, func(p *pi) {
		p.powerOn(monday, true)
		p.advance()
		p.setClock(far, false)
		p.run(time.Hour)
		p.expect("in 2099", far.Add(time.Hour), false)
		if !p.saved().Equal(monday) {
			t.Fatalf("2099 became the mark: %v", p.saved())
		}
		p.setClock(monday.Add(time.Hour), false)
		p.expect("back, and nobody vouches for it yet", monday.Add(time.Hour), false)
		p.setClock(monday.Add(time.Hour), true)
		p.run(time.Hour)
		p.expect("back", monday.Add(2*time.Hour), true)
		p.powerOff()

		p.powerOn(far, false)
		p.expect("2099 from the start", far, false)
		p.setClock(monday.Add(3*time.Hour), true)
		p.expect("then synchronised", monday.Add(3*time.Hour), true)
	})
}

func TestClockThatGoesBackWhileRunning(t *testing.T) {
	story(t, func(p *pi) {
		p.powerOn(monday, true)
		p.advance()
		p.run(5 * time.Minute) // less than a step: the mark stays
		p.setClock(epoch, false)
		p.expect("gone back", monday.Add(5*time.Minute), false)
		p.run(time.Hour)
		p.expect("counting on", monday.Add(65*time.Minute), false)
	})
}

func TestSmallCorrectionBack(t *testing.T) {
	story(t, func(p *pi) {
		p.powerOn(monday.Add(30*time.Second), true)
		p.advance()
		p.setClock(monday, true)
		p.expect("half a minute back", monday.Add(30*time.Second), true)
		p.run(time.Hour)
		p.expect("caught up with", monday.Add(time.Hour), true)
	})
}

// TestSynchronisedClockFarBehindTheMark: one of the two was wrong, so that nothing may be destroyed by either.
func TestSynchronisedClockFarBehindTheMark(t *testing.T) {
	story(t, func(p *pi) {
		p.powerOn(far, true) // a time server that lies
		p.advance()
		p.setClock(monday, true)
		p.expect("corrected", far, false)
		p.run(time.Hour)
		if !p.saved().Equal(far) {
			t.Errorf("the mark went back to %v", p.saved())
		}
	})
}

func TestNeverSynchronised(t *testing.T) {
	story(t, func(p *pi) {
		p.powerOn(monday, false)
		p.run(time.Hour)
		p.expect("the clock alone", monday.Add(time.Hour), false)
		if !p.saved().IsZero() {
			t.Errorf("there is a mark: %v", p.saved())
		}
	})
}

// TestEffectiveInsideTransaction: the peers ask in the middle of a change, while the mark waits for its turn to be
// written. Each would wait for the other for ever if the mark held its lock meanwhile.
func TestEffectiveInsideTransaction(t *testing.T) {
	p := &pi{t: t, dir: filepath.Join(t.TempDir(), "state")}
	p.powerOn(monday, true)
	defer p.powerOff()
	advanced := make(chan error, 1)
	err := p.store.Update(func(*store.Tx) error {
		go func() { advanced <- p.mark.Advance() }()
		answered := make(chan time.Time)
		go func() {
			for range 1000 { // until Advance waits for this transaction, and then some
				runtime.Gosched()
				_ = p.mark.Effective()
			}
			answered <- p.mark.Effective()
		}()
		select {
		case now := <-answered:
			if now.Before(monday) {
				t.Errorf("effective time is %v", now)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it hangs")
		}
		return nil
	})
	if err := errors.Join(err, <-advanced); err != nil {
		t.Fatal(err)
	}
}

func TestClosedStore(t *testing.T) {
	story(t, func(p *pi) {
		p.powerOn(monday, true)
		p.powerOff()
		if err := p.mark.Advance(); err == nil {
			t.Error("a mark that could not be saved is no error")
		}
		p.mark = NewMark(p.store, p)
		p.expect("without a mark", monday, true)
		if err := p.mark.Advance(); err == nil {
			t.Error("a mark that could not be read is no error")
		}
	})
}
