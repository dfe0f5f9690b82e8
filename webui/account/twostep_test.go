package account

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
)

// authenticator is the app on the phone, and the paper with the recovery codes.
type authenticator struct {
	key      string
	recovery []string
}

func (p authenticator) code() string { return p.codeAt(time.Now()) }

func (p authenticator) codeAt(at time.Time) string {
	code, _ := totpCode(p.key, totpStep(at))
	return code
}

// twoStep turns it on, and waits until the code that did so is past.
func (h *home) twoStep() authenticator {
	h.t.Helper()
	s := h.signIn(kitchen, true).Session
	o, err := h.OfferTwoStep(s)
	must(h, err)
	p := authenticator{key: strings.ReplaceAll(o.Key, " ", "")}
	p.recovery, err = h.ConfirmTwoStep(s, p.code())
	must(h, err)
	time.Sleep(2 * totpPeriod * time.Second)
	return p
}

// pending is the first step.
func (h *home) pending(v Visitor) string {
	h.t.Helper()
	in, err := h.SignIn(h.t.Context(), passphrase, true, v)
	must(h, err)
	if !in.NeedsCode || in.Cookie != "" || in.Device != "" {
		h.t.Fatal("no code is asked for")
	}
	return in.Pending
}

func (h *home) second(code string) error {
	h.t.Helper()
	_, err := h.SignInCode(h.t.Context(), h.pending(kitchen), code, kitchen)
	return err
}

func TestTwoStep(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		_, seq := h.events(0)
		in := h.signIn(kitchen, false)
		o, err := h.OfferTwoStep(in.Session)
		must(h, err)
		if again, err := h.OfferTwoStep(in.Session); err != nil || again != o {
			t.Error("loading the page again shows another key")
		}
		key := strings.ReplaceAll(o.Key, " ", "")
		uri, err := url.Parse(o.URI)
		if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" || uri.Query().Get("secret") != key || uri.Query().Get("issuer") != "Hearthgate" {
			t.Errorf("the QR code says %q", o.URI)
		}
		if len(key) != 32 || strings.Count(o.Key, " ") != 7 || h.onDisk(key) {
			t.Errorf("the key is %q, on disk: %v", o.Key, h.onDisk(key))
		}
		p := authenticator{key: key}
		if _, err := h.ConfirmTwoStep(in.Session, other(p.code())); !errors.Is(err, ErrWrong) {
			t.Errorf("a wrong code: %v", err)
		}
		if two, err := h.TwoStep(); two.On || err != nil {
			t.Error("it is on before a code confirmed it")
		}
		h.signIn(kitchen, false)
		p.recovery, err = h.ConfirmTwoStep(in.Session, p.code()[:3]+" "+p.code()[3:])
		must(h, err)
		if two, err := h.TwoStep(); !two.On || two.RecoveryLeft != 10 || !two.Since.Equal(time.Now()) || err != nil {
			t.Errorf("%+v, %v", two, err)
		}
		if err := h.second(p.code()); !errors.Is(err, ErrWrong) {
			t.Errorf("the code that turned it on signs in: %v", err)
		}
		if _, err := h.ConfirmTwoStep(in.Session, p.code()); !errors.Is(err, ErrNoOffer) {
			t.Errorf("confirming twice: %v", err)
		}
		time.Sleep(time.Minute)
		signed, err := h.SignInCode(t.Context(), h.pending(kitchen), p.code(), kitchen)
		must(h, err)
		if !h.has(signed.Cookie) || !signed.Session.Keep || signed.Device == "" {
			t.Errorf("not signed in")
		}
		must(h, h.EndTwoStep())
		must(h, h.EndTwoStep())
		h.signIn(kitchen, false)
		types, _ := h.events(seq)
		if want := []journal.Type{
			EventSignedIn, EventSignedIn, EventTwoStepOn, EventSigninRefused, EventSignedIn, EventTwoStepOff, EventSignedIn,
		}; !slices.Equal(types, want) {
			t.Errorf("the journal has %v", types)
		}
	})
}

// TestReplay: a code counts once, also after a restart, and also for two who give it at the same moment.
func TestReplay(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		p := h.twoStep()
		early := p.codeAt(time.Now().Add(-totpPeriod * time.Second))
		code := p.code()
		must(h, h.second(code))
		for range 2 {
			for _, old := range []string{code, early} {
				if err := h.second(old); !errors.Is(err, ErrWrong) {
					t.Errorf("a code that was used, or is older: %v", err)
				}
			}
			h.restart()
		}
		time.Sleep(2 * time.Minute)
		pending, code := h.pending(kitchen), p.code()
		var group sync.WaitGroup
		var mu sync.Mutex
		in := 0
		for i := range 4 {
			group.Go(func() {
				if _, err := h.SignInCode(t.Context(), pending, code, fromMany(i)); err == nil {
					mu.Lock()
					in++
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if in != 1 {
			t.Errorf("one code signed %d in", in)
		}
	})
}

func TestCodesOfTheTime(t *testing.T) {
	const key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for unix, want := range map[int64]string{ // RFC 6238, appendix B, the last six digits
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		at := time.Unix(unix, 0)
		step := unix / totpPeriod
		for off, fits := range map[time.Duration]bool{
			0: true, totpPeriod * time.Second: true, -totpPeriod * time.Second: true, 2 * totpPeriod * time.Second: false, -2 * totpPeriod * time.Second: false,
		} {
			if at.Add(off).Unix() < 0 {
				continue // before 1970 no phone shows a code
			}
			if got, ok := matchTOTP(key, want, at.Add(off), -1); ok != fits || ok && got != step {
				t.Errorf("%s %v after its time: %v", want, off, ok)
			}
		}
		if _, ok := matchTOTP(key, want, at, step); ok {
			t.Errorf("%s counts twice", want)
		}
		if _, ok := matchTOTP(key, want, at, step+1e6); !ok {
			t.Errorf("%s is refused because a wrong clock once said the future", want)
		}
	}
	for _, typed := range []string{"", "28708", "2870822", "abcdef"} {
		if _, ok := matchTOTP(key, typed, time.Unix(59, 0), -1); ok {
			t.Errorf("%q fits", typed)
		}
	}
}

// TestClockNotSet: a TOTP code cannot be judged, a recovery code can.
func TestClockNotSet(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		p := h.twoStep()
		h.clock.unsure = true
		in, err := h.SignIn(t.Context(), passphrase, false, kitchen)
		if err != nil || !in.NeedsCode || !in.RecoveryOnly {
			t.Fatalf("%v", err)
		}
		for range 50 {
			if _, err := h.SignInCode(t.Context(), in.Pending, p.code(), kitchen); !errors.Is(err, ErrClock) {
				t.Fatalf("got %v", err)
			}
		}
		in, err = h.SignInCode(t.Context(), in.Pending, p.recovery[3], kitchen)
		must(h, err)
		if _, err := h.OfferTwoStep(in.Session); err != nil {
			t.Error(err)
		}
		if _, err := h.ConfirmTwoStep(in.Session, "123456"); !errors.Is(err, ErrClock) {
			t.Errorf("turning it on: %v", err)
		}
	})
}

func TestRecoveryCodes(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		if _, err := h.NewRecoveryCodes(); !errors.Is(err, ErrTwoStepOff) {
			t.Errorf("without two-step sign-in: %v", err)
		}
		p := h.twoStep()
		if len(p.recovery) != 10 || len(slices.Compact(slices.Sorted(slices.Values(p.recovery)))) != 10 {
			t.Fatalf("%d codes", len(p.recovery))
		}
		for _, c := range p.recovery {
			if len(c) != 19 || h.onDisk(c) || h.onDisk(strings.ReplaceAll(c, "-", "")) {
				t.Errorf("a code of %d characters, or it is on the disk", len(c))
			}
		}
		_, seq := h.events(0)
		must(h, h.second(p.recovery[0]))
		if types, _ := h.events(seq); !slices.Equal(types, []journal.Type{EventRecoveryUsed, EventSignedIn}) {
			t.Errorf("the journal has %v", types)
		}
		h.restart()
		if err := h.second(p.recovery[0]); !errors.Is(err, ErrWrong) {
			t.Errorf("twice: %v", err)
		}
		must(h, h.second(" "+strings.ToUpper(strings.ReplaceAll(p.recovery[1], "-", " "))+"\n"))
		must(h, h.second(strings.NewReplacer("0", "O", "1", "l").Replace(p.recovery[2])))
		if two, err := h.TwoStep(); two.RecoveryLeft != 7 || err != nil {
			t.Errorf("%+v, %v", two, err)
		}
		next, err := h.NewRecoveryCodes()
		must(h, err)
		if err := h.second(p.recovery[5]); !errors.Is(err, ErrWrong) {
			t.Errorf("one of the old codes: %v", err)
		}
		must(h, h.second(next[9]))
	})
}

// TestFirstStepIsNoSignIn: what is carried between the steps opens nothing, and not for long.
func TestFirstStepIsNoSignIn(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		p := h.twoStep()
		pending := h.pending(kitchen)
		if h.has(pending) {
			t.Error("it is a session")
		}
		forged := []byte(pending)
		for i := range forged {
			forged[i] ^= 1
			_, err := h.SignInCode(t.Context(), string(forged), p.code(), kitchen)
			if !errors.Is(err, ErrPending) {
				t.Fatalf("with byte %d changed: %v", i, err)
			}
			forged[i] ^= 1
		}
		for name, c := range map[string]func(){
			"five minutes":   func() { time.Sleep(pendingFor) },
			"a restart":      h.restart,
			"new passphrase": func() { must(h, h.ChangePassphrase(t.Context(), must1(h.Sessions())[0], passphrase)) },
			"turned off":     func() { must(h, h.EndTwoStep()) },
		} {
			h.settle()
			p = h.twoStep()
			pending := h.pending(kitchen)
			c()
			if _, err := h.SignInCode(t.Context(), pending, p.recovery[1], kitchen); !errors.Is(err, ErrPending) {
				t.Errorf("after %s: %v", name, err)
			}
		}
	})
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestOffersEnd(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		in, elsewhere := h.signIn(kitchen, true), h.signIn(kitchen, true)
		o := must1(h.OfferTwoStep(in.Session))
		p := authenticator{key: strings.ReplaceAll(o.Key, " ", "")}
		if _, err := h.ConfirmTwoStep(elsewhere.Session, p.code()); !errors.Is(err, ErrNoOffer) {
			t.Errorf("from another session: %v", err)
		}
		time.Sleep(offerFor)
		if _, err := h.ConfirmTwoStep(in.Session, p.code()); !errors.Is(err, ErrNoOffer) {
			t.Errorf("after 15 minutes: %v", err)
		}
		if next := must1(h.OfferTwoStep(in.Session)); next.Key == o.Key {
			t.Error("the same key again")
		}
		must(h, h.SignOut(in.Session))
		if _, err := h.OfferTwoStep(in.Session); !errors.Is(err, ErrNoSession) || len(h.offers) != 0 {
			t.Errorf("for a session that has ended: %v, %d left", err, len(h.offers))
		}
	})
}
