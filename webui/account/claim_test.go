package account

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
)

func TestClaimWithTheCode(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		if c, err := h.Claim(); err != nil || c.State != NeedsCode {
			t.Fatalf("%+v, %v", c, err)
		}
		if _, err := h.SignIn(t.Context(), passphrase, false, kitchen); !errors.Is(err, ErrUnclaimed) {
			t.Errorf("before there is a passphrase: %v", err)
		}
		code := h.SetupCode()
		if len(code) != codeDigits {
			t.Fatalf("the code is %q", code)
		}
		claiming := Claiming{Code: other(code), Passphrase: passphrase, Visitor: kitchen}
		if _, err := h.TakeClaim(t.Context(), claiming); !errors.Is(err, ErrWrong) {
			t.Errorf("another code: %v", err)
		}
		claiming.Passphrase = "short"
		for range 50 {
			if _, err := h.TakeClaim(t.Context(), claiming); !isWeak(err, TooShort) {
				t.Fatalf("a weak passphrase costs guesses: %v", err)
			}
		}
		claiming.Code, claiming.Passphrase = " "+code[:3]+" "+code[3:]+"\n", passphrase
		in, err := h.TakeClaim(t.Context(), claiming)
		must(h, err)
		if !h.has(in.Cookie) || !h.Fresh(in.Session) {
			t.Error("who claims is not signed in, or not fresh")
		}
		h.restart()
		c, err := h.Claim()
		if err != nil || c.State != ClaimDone || c.From != "192.168.1.20" || !c.At.Equal(time.Now()) {
			t.Errorf("%+v, %v", c, err)
		}
		if h.SetupCode() != "" {
			t.Error("there is a code for a page that is claimed")
		}
		if _, err := h.TakeClaim(t.Context(), claiming); !errors.Is(err, ErrClaimed) {
			t.Errorf("whoever comes second: %v", err)
		}
		if types, _ := h.events(0); !slices.Equal(types, []journal.Type{EventSigninRefused, EventClaimed}) {
			t.Errorf("the journal has %v", types)
		}
		h.signIn(kitchen, false)
	})
}

// other is a code that is not this one.
func other(code string) string {
	return string(rune('0'+(code[0]-'0'+1)%10)) + code[1:]
}

func TestClaimWindow(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.window = 15 * time.Minute
		time.Sleep(5 * time.Minute) // since power-on
		h.restart()
		if c, err := h.Claim(); err != nil || c.State != ClaimOpen || !c.Until.Equal(h.boot.Add(15*time.Minute)) || h.SetupCode() != "" {
			t.Fatalf("%+v, %v", c, err)
		}
		time.Sleep(10 * time.Minute)
		h.restart() // of the daemon, which opens nothing
		if c, err := h.Claim(); err != nil || c.State != ClaimShut {
			t.Fatalf("%+v, %v", c, err)
		}
		claiming := Claiming{Code: h.code, Passphrase: passphrase, Visitor: kitchen}
		if _, err := h.TakeClaim(t.Context(), claiming); !errors.Is(err, ErrShut) {
			t.Errorf("after the window: %v", err)
		}
		claiming.Code = ""
		if _, err := h.TakeClaim(t.Context(), claiming); !errors.Is(err, ErrShut) {
			t.Errorf("after the window, with no code: %v", err)
		}
		h.boot = time.Now()
		in, err := h.TakeClaim(t.Context(), claiming)
		must(h, err)
		if !h.has(in.Cookie) {
			t.Error("not signed in")
		}
	})
}

func TestUnknownUptimeOpensNothing(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.config.ClaimWindow = time.Hour
		h.config.Uptime = func() (time.Duration, error) { return 0, errors.New("no such clock") }
		if _, err := h.TakeClaim(t.Context(), Claiming{Passphrase: passphrase, Visitor: kitchen}); err == nil {
			t.Error("claimed")
		}
	})
}

// TestClaimsAtOnce: of several who claim at the same moment, one is signed in and the passphrase is his.
func TestClaimsAtOnce(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.config.ClaimWindow = time.Hour
		words := []string{passphrase, suggested, "harbor pencil glacier fox", "copper violin meadow ink"}
		won := make([]SignedIn, len(words))
		var group sync.WaitGroup
		for i, w := range words {
			group.Go(func() {
				in, err := h.TakeClaim(t.Context(), Claiming{Passphrase: w, Visitor: fromMany(i)})
				if err != nil && !errors.Is(err, ErrClaimed) {
					t.Errorf("%v", err)
				}
				won[i] = in
			})
		}
		group.Wait()
		winners := 0
		for i, in := range won {
			_, err := h.SignIn(t.Context(), words[i], false, kitchen)
			if in.Cookie == "" {
				if !errors.Is(err, ErrWrong) {
					t.Errorf("the passphrase of one who lost: %v", err)
				}
				continue
			}
			winners++
			if !h.has(in.Cookie) || err != nil {
				t.Errorf("the winner is not in: %v", err)
			}
		}
		if sessions, err := h.Sessions(); winners != 1 || len(sessions) != 2 || err != nil {
			t.Errorf("%d winners, %d sessions, %v", winners, len(sessions), err)
		}
	})
}

func TestClaimThatGivesUpWaiting(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		busy := make(chan struct{})
		go func() {
			_ = h.hashing.do(t.Context(), true, func() error { close(busy); <-release; return nil })
		}()
		<-busy
		cancel()
		_, err := h.TakeClaim(ctx, Claiming{Code: h.SetupCode(), Passphrase: passphrase, Visitor: kitchen})
		close(release)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if c, err := h.Claim(); err != nil || c.State != NeedsCode {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestSetupCodes(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		code := New(Config{}).code
		if len(code) != codeDigits || onlyDigits(code) != code {
			t.Fatalf("the code is %q", code)
		}
		seen[code] = true
	}
	if len(seen) < 198 { // of a million, two of 200 are the same once in 50 runs
		t.Errorf("%d of 200 codes differ", len(seen))
	}
}

func isWeak(err error, want Reason) bool {
	w, ok := errors.AsType[*Weak](err)
	return ok && w.Reason == want
}
