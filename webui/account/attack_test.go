package account

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// An attacker guesses as often as he is let. What is counted is how many of his guesses are looked at.

const day = 24 * time.Hour

// attack has the attacker guess for a time: who says which address is next, and what happens after each guess that was
// looked at. He tries again as soon as he is told that he may, and at the latest after ten seconds.
func (h *home) attack(s subject, long time.Duration, next func(i int) Visitor, after func(n int)) (looked int) {
	h.t.Helper()
	end := time.Now().Add(long)
	for i := 0; time.Now().Before(end); i++ {
		v := next(i)
		l, err := h.laneOf(s, v)
		must(h, err)
		err = h.guess(l, v, func() error { return ErrWrong })
		if wait := waitOf(err); wait > 0 {
			time.Sleep(min(wait, 10*time.Second))
			continue
		}
		if !errors.Is(err, ErrWrong) {
			h.t.Fatal(err)
		}
		if looked++; looked > 5000 {
			h.t.Fatal("guesses are not held up at all")
		}
		after(looked)
	}
	return looked
}

func fromOne(int) Visitor { return visitor("192.168.1.66") }

func fromMany(i int) Visitor {
	return Visitor{Addr: netip.AddrFrom4([4]byte{10, 0, byte(i % 10_000 / 250), byte(i % 250)})}
}

func nothing(int) {}

func assertGuesses(t testing.TB, got, least, most int) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%d guesses were looked at, want %d to %d", got, least, most)
	}
}

func TestGuessesOfOneSource(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		assertGuesses(t, h.attack(passphraseGuess, day, fromOne, nothing), 105, 111)
		assertGuesses(t, h.attack(passphraseGuess, day, fromOne, nothing), 90, 96)
	})
}

// TestGuessesOfARestingSource: who uses his free guesses and then waits until they are forgotten has far fewer.
func TestGuessesOfARestingSource(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		n := h.attack(passphraseGuess, 10*day, fromOne, func(n int) {
			if n%freeGuesses == 0 {
				time.Sleep(forgetAfter)
			}
		})
		assertGuesses(t, n, 50, 55)
	})
}

func TestGuessesOfTenThousandSources(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		_, seq := h.events(0)
		assertGuesses(t, h.attack(passphraseGuess, 5*time.Hour, fromMany, nothing), 310, 20+300)
		types, _ := h.events(seq)
		if n := len(types); n < 5 || n > 5*mostRefusals {
			t.Errorf("the journal has %d lines of it", n)
		}
		if n := len(h.guard.counters); n > mostSources+1 {
			t.Errorf("%d sources are kept", n)
		}
	})
}

// TestGuessesAcrossRestarts: ending the daemon forgives nothing, neither to one source nor to many.
func TestGuessesAcrossRestarts(t *testing.T) {
	for name, c := range map[string]struct {
		next func(int) Visitor
		most int
	}{
		"one source":   {fromOne, 15 + 8},
		"many sources": {fromMany, 20 + 120},
	} {
		t.Run(name, func(t *testing.T) {
			inHome(t, func(t *testing.T, h *home) {
				h.settle()
				n := h.attack(passphraseGuess, 2*time.Hour, c.next, func(n int) {
					if n%3 == 0 {
						h.restart()
					}
				})
				assertGuesses(t, n, 12, c.most)
			})
		})
	}
}

// TestSetupCodeSurvivesAWeek: of a million codes fewer than 1,000 are tried, so that the chance is below 0.1%.
func TestSetupCodeSurvivesAWeek(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		n := h.attack(setupCodeGuess, 7*day, fromMany, func(n int) {
			if n%50 == 0 {
				h.restart()
			}
		})
		assertGuesses(t, n, 600, 692)
	})
}

// TestSecondStepSurvives: who knows the passphrase has 96 guesses a day at three codes of a million.
func TestSecondStepSurvives(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		assertGuesses(t, h.attack(totpGuess, day, fromMany, nothing), 100, 20+96)
	})
}

// TestNoPolicyBeatsTheBucket: whatever an attacker does with addresses, pauses and restarts, in no stretch of time are
// more guesses looked at than the bucket gives, and of one source never more than its own count gives.
func TestNoPolicyBeatsTheBucket(t *testing.T) {
	for seed, addresses := range []int{1, 3, 30, 1000} {
		t.Run(fmt.Sprint(addresses, " addresses"), func(t *testing.T) {
			inHome(t, func(t *testing.T, h *home) {
				h.settle()
				rng := rand.New(rand.NewPCG(uint64(seed), 3))
				var at []time.Time
				bySource := map[int][]time.Time{}
				for end := time.Now().Add(2 * time.Hour); time.Now().Before(end); {
					i := rng.IntN(addresses)
					v := fromMany(i)
					err := h.guess(sourceLane(passphraseGuess, v), v, func() error { return ErrWrong })
					if errors.Is(err, ErrWrong) {
						at, bySource[i] = append(at, time.Now()), append(bySource[i], time.Now())
					}
					switch rng.IntN(60) {
					case 0:
						h.restart()
					case 1:
						time.Sleep(time.Duration(rng.Int64N(int64(40 * time.Minute))))
					default:
						time.Sleep(time.Duration(rng.Int64N(int64(max(time.Second, min(2*waitOf(err), time.Minute))))))
					}
				}
				b := bucketOf(passphraseGuess)
				assertNever(t, at, func(long time.Duration) int { return b.burst + int(long/b.every) })
				for _, of := range bySource {
					assertNever(t, of, func(long time.Duration) int { return 15 + int(long/longestWait) })
				}
				if len(at) < 12 {
					t.Errorf("only %d guesses: this tests nothing", len(at))
				}
			})
		})
	}
}

func assertNever(t *testing.T, at []time.Time, most func(time.Duration) int) {
	t.Helper()
	for i := range at {
		for j := i; j < len(at); j++ {
			if n := j - i + 1; n > most(at[j].Sub(at[i])) {
				t.Fatalf("%d guesses within %v", n, at[j].Sub(at[i]))
			}
		}
	}
}

// TestHouseholdMemberTypesWrongly: a few mistakes cost nothing or seconds, and the right one wipes them out.
func TestHouseholdMemberTypesWrongly(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		for range 2 {
			for range freeGuesses {
				if err := h.try(kitchen); !errors.Is(err, ErrWrong) {
					t.Fatal(err)
				}
			}
			for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
				if got := waitOf(h.try(kitchen)); got != want {
					t.Fatalf("told to wait %v, want %v", got, want)
				}
				time.Sleep(want)
				if err := h.try(kitchen); !errors.Is(err, ErrWrong) {
					t.Fatal(err)
				}
			}
			time.Sleep(8 * time.Second)
			h.signIn(kitchen, false) // without a device cookie: another browser each time
		}
	})
}

// TestWaitingIsNotGuessing: who keeps trying while he has to wait does not wait longer.
func TestWaitingIsNotGuessing(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		for range freeGuesses + 1 {
			_ = h.try(kitchen)
			time.Sleep(time.Second)
		}
		before := waitOf(h.try(kitchen))
		for range 100 {
			_ = h.try(kitchen)
		}
		if after := waitOf(h.try(kitchen)); before == 0 || after != before {
			t.Errorf("the wait went from %v to %v", before, after)
		}
		time.Sleep(before)
		h.signIn(kitchen, false)
	})
}

// TestKnownBrowserDuringAFlood: nobody can lock out a browser of the household, not even from its own address.
func TestKnownBrowserDuringAFlood(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		v := kitchen
		v.Device = h.signIn(v, false).Device
		signedIn := 0
		flood := func(i int) Visitor {
			if i%2 == 0 {
				return Visitor{Addr: kitchen.Addr}
			}
			return fromMany(i)
		}
		h.attack(passphraseGuess, 2*time.Hour, flood, func(n int) {
			if n%10 != 0 {
				return
			}
			if n%20 == 0 {
				h.restart()
			}
			if err := h.try(v); !errors.Is(err, ErrWrong) { // and she may mistype
				t.Fatal(err)
			}
			v.Device = h.signIn(v, false).Device
			signedIn++
		})
		if signedIn < 10 {
			t.Fatalf("only %d sign-ins: this tests nothing", signedIn)
		}
	})
}

// TestDeviceCookieIsNoLicence: its guesses are counted too, and one that we did not make counts as none.
func TestDeviceCookieIsNoLicence(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		v := kitchen
		v.Device = h.signIn(v, false).Device
		elsewhere := func(i int) Visitor { w := fromMany(i); w.Device = v.Device; return w }
		assertGuesses(t, h.attack(passphraseGuess, day, elsewhere, nothing), 105, 111)
		invented := func(i int) Visitor { w := fromOne(i); w.Device = randomCookie(); return w }
		assertGuesses(t, h.attack(passphraseGuess, 6*time.Hour, invented, nothing), 30, 15+24)
	})
}

// TestNewBrowserAfterAFlood: once the flood stops, a browser that never signed in waits a minute at most.
func TestNewBrowserAfterAFlood(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		h.attack(passphraseGuess, time.Hour, fromMany, nothing)
		for i := 0; errors.Is(h.try(fromMany(i)), ErrWrong); i++ { // to the last moment
		}
		wait := waitOf(h.try(kitchen))
		if wait <= 0 || wait > time.Minute {
			t.Fatalf("told to wait %v", wait)
		}
		time.Sleep(wait)
		h.signIn(kitchen, false)
	})
}

// TestNewBrowserBesideAScript: a script with one address holds up nobody else.
func TestNewBrowserBesideAScript(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		n := 0
		h.attack(passphraseGuess, 6*time.Hour, fromOne, func(int) {
			n++
			h.signIn(visitor(fmt.Sprint("192.168.2.", n)), false)
		})
		if n < 30 {
			t.Errorf("%d sign-ins: this tests nothing", n)
		}
	})
}

// TestConfirmDuringAFlood: giving the passphrase again is counted for the session alone, and is no licence either.
func TestConfirmDuringAFlood(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		s := h.signIn(kitchen, false).Session
		h.attack(passphraseGuess, time.Hour, fromMany, nothing)
		must(h, h.Confirm(t.Context(), s, passphrase, kitchen))
		looked := 0
		for end := time.Now().Add(6 * time.Hour); time.Now().Before(end); {
			err := h.Confirm(t.Context(), s, wrong, fromMany(looked))
			if errors.Is(err, ErrWrong) {
				looked++
			}
			time.Sleep(min(waitOf(err), 10*time.Second))
		}
		assertGuesses(t, looked, 30, 15+24)
	})
}

func TestSources(t *testing.T) {
	for addr, want := range map[string]string{
		"192.168.1.7":           "192.168.1.7",
		"::ffff:192.168.1.7":    "192.168.1.7",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2:3:4:5:6",
		"fe80::1234%eth0":       "fe80::1234",
		"2001:db8:1:2:ffff::99": "2001:db8:1:2:ffff::99",
	} {
		if got := source(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is counted as %s, want %s", addr, got, want)
		}
	}
	if got := source(netip.Addr{}); got != "unknown" {
		t.Error(got)
	}
}

func TestWaits(t *testing.T) {
	var got []time.Duration
	for wrong := range 18 {
		got = append(got, waitAfter(wrong)/time.Second)
	}
	if want := []time.Duration{0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
