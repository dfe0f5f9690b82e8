package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

func TestChangePassphrase(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		in, elsewhere := h.signIn(kitchen, true), h.signIn(kitchen, true)
		if err := h.ChangePassphrase(t.Context(), in.Session, "homeassistant"); !isWeak(err, GuessableName) {
			t.Errorf("a weak one: %v", err)
		}
		must(h, h.ChangePassphrase(t.Context(), in.Session, suggested))
		if !h.has(in.Cookie) || h.has(elsewhere.Cookie) {
			t.Error("the wrong sessions ended")
		}
		h.restart()
		if _, err := h.SignIn(t.Context(), passphrase, false, kitchen); !errors.Is(err, ErrWrong) {
			t.Errorf("the old one: %v", err)
		}
		if _, err := h.SignIn(t.Context(), suggested, false, kitchen); err != nil {
			t.Errorf("the new one: %v", err)
		}
		if err := h.ChangePassphrase(t.Context(), elsewhere.Session, passphrase); !errors.Is(err, ErrNoSession) {
			t.Errorf("by a session that has ended: %v", err)
		}
	})
}

func TestReset(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		h.twoStep()
		_, secret, err := h.AddToken("prometheus", []Scope{Metrics})
		must(h, err)
		sessions := must1(h.Sessions())
		v := kitchen
		h.attack(passphraseGuess, time.Hour, func(int) Visitor { return v }, nothing)
		words, err := h.Reset(t.Context())
		if err != nil || words != suggested {
			t.Fatalf("%q, %v", words, err)
		}
		if two := must1(h.TwoStep()); two.On || len(must1(h.Sessions())) != 0 || len(sessions) == 0 {
			t.Error("something is left")
		}
		in, err := h.SignIn(t.Context(), words, false, v)
		if err != nil || in.NeedsCode {
			t.Errorf("the new one, at once: %v", err)
		}
		if _, err := h.Token(t.Context(), secret, v); err != nil {
			t.Errorf("the token: %v", err)
		}
		if h.onDisk(words) {
			t.Error("the passphrase is on the disk")
		}
	})
}

// TestResetBeforeTheClaim: whoever is kept out of claiming by a flood comes in through the socket.
func TestResetBeforeTheClaim(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		words, err := h.Reset(t.Context())
		must(h, err)
		if c := must1(h.Claim()); c.State != ClaimDone || c.From != "" || h.SetupCode() != "" {
			t.Errorf("%+v", c)
		}
		must1(h.SignIn(t.Context(), words, false, kitchen))
	})
}

func TestResetToAWeakOne(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		h.config.Suggest = func() string { return "one" }
		if _, err := h.Reset(t.Context()); !isWeak(err, TooShort) {
			t.Errorf("got %v", err)
		}
		h.signIn(kitchen, false)
	})
}

// TestQueue: one passphrase is looked at at a time, few strangers wait, and browsers of the household find a place.
func TestQueue(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		v := kitchen
		v.Device = h.signIn(v, false).Device
		release, busy := make(chan struct{}), make(chan struct{})
		go func() {
			_ = h.hashing.do(t.Context(), true, func() error { close(busy); <-release; return nil })
		}()
		<-busy
		results := make(chan error, 20)
		for i := range 20 {
			go func() { results <- h.try(fromMany(i)) }()
		}
		for range 20 - placesForAll {
			if err := <-results; !errors.Is(err, ErrBusy) {
				t.Fatalf("got %v", err)
			}
		}
		known := make(chan error)
		go func() {
			_, err := h.SignIn(t.Context(), passphrase, false, v)
			known <- err
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.SignIn(ctx, passphrase, false, v); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who gives up waiting: %v", err)
		}
		close(release)
		if err := <-known; err != nil {
			t.Errorf("a browser of the household: %v", err)
		}
		for range placesForAll {
			if err := <-results; !errors.Is(err, ErrWrong) {
				t.Errorf("who waited: %v", err)
			}
		}
		if h.hashing.waiting != 0 {
			t.Errorf("%d are still counted as waiting", h.hashing.waiting)
		}
	})
}

// TestGuessesAtOnce: to guess many times at the same moment gives no more guesses.
func TestGuessesAtOnce(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		results := make(chan error, 200)
		for range 200 {
			go func() { results <- h.try(kitchen) }()
		}
		looked := 0
		for range 200 {
			switch err := <-results; {
			case errors.Is(err, ErrWrong):
				looked++
			case waitOf(err) == 0 && !errors.Is(err, ErrBusy):
				t.Error(err)
			}
		}
		if looked > freeGuesses {
			t.Errorf("%d were looked at", looked)
		}
	})
}

func TestNothingPrintsASecret(t *testing.T) {
	secrets := []any{
		SignedIn{Cookie: "secret", Device: "secret", Pending: "secret"},
		&SignedIn{Cookie: "secret"},
		Claiming{Code: "secret", Passphrase: "secret"},
		Offer{Key: "secret", URI: "secret"},
		Visitor{Device: "secret"},
	}
	for _, v := range secrets {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, v); got == "" || strings.Contains(got, "secret") || strings.Contains(got, "736563726574") {
				t.Errorf("%T with %s is %s", v, verb, got)
			}
		}
	}
}

// TestChangedMeanwhile: who was waiting with what was right when he came does not get in with it any more.
func TestChangedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(*householdRecord){
		"passphrase": func(r *householdRecord) { r.Passphrase = hashPassphrase(suggested) },
		"two-step":   func(r *householdRecord) { r.TwoStep = &twoStepRecord{Key: newTOTPKey()} },
	} {
		t.Run(name, func(t *testing.T) {
			inHome(t, func(t *testing.T, h *home) {
				h.settle()
				session := h.signIn(kitchen, true).Session
				release := make(chan struct{})
				go func() { _ = h.hashing.do(t.Context(), true, func() error { <-release; return nil }) }()
				synctest.Wait()
				results := make(chan error, 2)
				go func() {
					in, err := h.SignIn(t.Context(), passphrase, true, kitchen)
					if in.Cookie != "" {
						t.Error("signed in")
					}
					results <- err
				}()
				if name == "passphrase" {
					go func() { results <- h.Confirm(t.Context(), session, passphrase, kitchen) }()
				} else {
					results <- ErrWrong
				}
				synctest.Wait()
				must(h, h.change(journal.Event{}, func(_ *store.Tx, r *householdRecord) error { change(r); return nil }))
				close(release)
				for range 2 {
					if err := <-results; !errors.Is(err, ErrWrong) {
						t.Errorf("got %v", err)
					}
				}
			})
		})
	}
}
