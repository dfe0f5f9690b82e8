package account

import (
	"errors"
	"testing"
	"time"
)

const century = 99 * 365 * 24 * time.Hour

func (c *wallClock) lies(by time.Duration) { c.wrong, c.unsure = by, true }
func (c *wallClock) right()                { c.wrong, c.unsure = 0, false }

// TestClaimBeforeTheNetworkTime: a new Pi starts in 1970, is claimed, and then learns the time. Nobody is signed out.
func TestClaimBeforeTheNetworkTime(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.clock.lies(-30 * 365 * 24 * time.Hour)
		h.settle()
		in := h.signIn(kitchen, false)
		h.clock.right()
		h.advance()
		must(h, h.Sweep())
		if !h.has(in.Cookie) || !h.Fresh(in.Session) {
			t.Fatal("signed out because the clock was set")
		}
		h.restart()
		if !h.has(in.Cookie) {
			t.Error("signed out by the restart after that")
		}
		time.Sleep(shortLife)
		if h.has(in.Cookie) {
			t.Error("it never ends")
		}
	})
}

// TestPowerCycleRevivesNothing: a session that has ended does not come back when the Pi wakes up in 1970.
func TestPowerCycleRevivesNothing(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		over := h.signIn(kitchen, false)
		time.Sleep(time.Hour)
		fresh := h.signIn(kitchen, true)
		time.Sleep(shortLife)
		if h.has(over.Cookie) {
			t.Fatal("still signed in")
		}
		h.advance()
		h.clock.lies(-30 * 365 * 24 * time.Hour)
		for range 3 {
			h.restart()
			if h.has(over.Cookie) {
				t.Fatal("back to life")
			}
			if !h.has(fresh.Cookie) {
				t.Fatal("the other one is gone")
			}
			time.Sleep(time.Hour)
		}
	})
}

// TestClockInTheFutureDestroysNothing: a clock that nobody vouches for says 2099. Sessions that this process has not seen
// are denied as long as it does, and are there again with the right time. Those that it has seen stay.
func TestClockInTheFutureDestroysNothing(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		in := h.signIn(kitchen, true)
		h.advance()
		h.clock.lies(century)
		if !h.has(in.Cookie) {
			t.Error("a jump of the clock ended a session that is in use")
		}
		h.clock.right()
		if !h.has(in.Cookie) {
			t.Error("a jump back ended it")
		}
		h.clock.lies(century)
		h.restart()
		if h.has(in.Cookie) {
			t.Error("a session of the last century")
		}
		must(h, h.Sweep())
		h.signIn(kitchen, false) // which sweeps, too
		h.clock.right()
		h.restart()
		if !h.has(in.Cookie) {
			t.Error("the wrong clock destroyed it")
		}
	})
}

// TestSessionFromTheFutureEnds: one that was made while the clock said 2099, and was not used since, does not live until then.
func TestSessionFromTheFutureEnds(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		h.clock.lies(century)
		in := h.signIn(kitchen, true)
		h.clock.right()
		h.restart()
		must(h, h.Sweep())
		h.clock.lies(century)
		h.restart()
		if h.has(in.Cookie) {
			t.Error("it came back with the wrong clock")
		}
		if _, known, _ := h.knownDevice(in.Device); known {
			t.Error("its device cookie came back")
		}
	})
}

// TestSweep: what is over goes from the disk and from memory, and when there is nothing the card is not written to.
func TestSweep(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		h.signIn(kitchen, false)
		kept := h.signIn(kitchen, true)
		time.Sleep(shortLife)
		must(h, h.Sweep())
		if n := h.records(sessionBucket); n != 1 || len(h.seen) != 1 || len(h.fresh) != 1 {
			t.Errorf("%d on the disk, %d and %d in memory", n, len(h.seen), len(h.fresh))
		}
		before := h.file()
		must(h, h.Sweep())
		if h.file() != before {
			t.Error("it wrote with nothing to do")
		}
		time.Sleep(deviceLife)
		must(h, h.Sweep())
		if h.records(sessionBucket)+h.records(deviceBucket) != 0 || h.has(kept.Cookie) {
			t.Error("something is left after a year")
		}
	})
}

// TestWaitsDoNotGoByTheClock: setting it forgives nothing.
func TestWaitsDoNotGoByTheClock(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		h.attack(passphraseGuess, time.Hour, fromOne, nothing)
		before := waitOf(h.try(fromOne(0)))
		for _, lie := range []time.Duration{century, -century / 3, 0} {
			h.clock.lies(lie)
			if after := waitOf(h.try(fromOne(0))); before == 0 || after != before {
				t.Errorf("the wait was %v and is %v", before, after)
			}
		}
	})
}

func TestPendingDoesNotGoByTheClock(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		two := h.twoStep()
		pending := h.pending(kitchen)
		h.clock.lies(-century / 3)
		time.Sleep(pendingFor)
		if _, err := h.SignInCode(t.Context(), pending, two.recovery[0], kitchen); !errors.Is(err, ErrPending) {
			t.Errorf("after five minutes: %v", err)
		}
	})
}
