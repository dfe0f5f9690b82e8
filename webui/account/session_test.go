package account

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

func TestSessionAndItsCookie(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		v := kitchen
		v.Device = strings.Repeat("A", cookieLength) // as somebody else may have planted it
		v.Agent = "Mozilla/5.0\n" + strings.Repeat("é", 200)
		in := h.signIn(v, true)
		for name, cookie := range map[string]string{"session": in.Cookie, "device": in.Device} {
			if len(cookie) != cookieLength || cookie == v.Device {
				t.Errorf("the %s cookie is %q", name, cookie)
			}
			if h.onDisk(cookie) {
				t.Errorf("the %s cookie is on the disk as it is", name)
			}
		}
		s, err := h.Session(in.Cookie)
		must(h, err)
		if s.ID != in.Session.ID || s.From != "192.168.1.20" || !s.Keep || !s.ConfirmedAt.Equal(time.Now()) ||
			len(s.Agent) > agentLength || !strings.HasPrefix(s.Agent, "Mozilla/5.0é") {
			t.Errorf("%+v", s)
		}
		again := h.signIn(v, true)
		if again.Cookie == in.Cookie || again.Session.ID == in.Session.ID || again.Device == in.Device {
			t.Error("a second sign-in has something of the first")
		}
		for _, invented := range []string{"", "x", s.ID, strings.Repeat("A", cookieLength), in.Cookie + "A", fingerprint(in.Cookie), strings.Repeat("x", 1<<20)} {
			if h.has(invented) {
				t.Errorf("signed in with %.50q", invented)
			}
		}
		must(h, h.SignOut(s))
		must(h, h.SignOut(s))
		if h.has(in.Cookie) || !h.has(again.Cookie) || h.Fresh(s) {
			t.Error("signing out ended the wrong session, or left something")
		}
		types, _ := h.events(0)
		if want := []journal.Type{EventSignedIn, EventSignedIn, EventSessionEnded}; !slices.Equal(types, want) {
			t.Errorf("the journal has %v", types)
		}
	})
}

func TestDeviceCookieIsReplaced(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		v := kitchen
		v.Device = h.signIn(v, false).Device
		next := h.signIn(v, false).Device
		for cookie, want := range map[string]bool{v.Device: false, next: true, "": false, randomCookie(): false} {
			if _, known, err := h.knownDevice(cookie); known != want || err != nil {
				t.Errorf("known: %v, %v", known, err)
			}
		}
		time.Sleep(deviceLife - time.Minute)
		if _, known, _ := h.knownDevice(next); !known {
			t.Error("forgotten too early")
		}
		time.Sleep(time.Minute)
		if _, known, _ := h.knownDevice(next); known {
			t.Error("known after a year")
		}
	})
}

func TestIdleSessionsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		keep bool
		life time.Duration
	}{"kept": {true, keptLife}, "short": {false, shortLife}} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " restart ", restart), func(t *testing.T) {
				inHome(t, func(t *testing.T, h *home) {
					h.settle()
					in := h.signIn(kitchen, c.keep)
					for range 3 {
						time.Sleep(c.life - time.Second)
						if restart {
							h.restart()
						}
						if !h.has(in.Cookie) {
							t.Fatal("ended too early")
						}
					}
					time.Sleep(c.life)
					if restart {
						h.restart()
					}
					if all, err := h.Sessions(); len(all) != 0 || err != nil {
						t.Errorf("listed: %v, %v", all, err)
					}
					if h.has(in.Cookie) {
						t.Error("still signed in")
					}
				})
			})
		}
	}
}

func TestSessionsListedAndEnded(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		var in []SignedIn
		for i := range 4 {
			in = append(in, h.signIn(visitor(fmt.Sprint("192.168.1.", i+1)), false))
			time.Sleep(time.Minute)
		}
		time.Sleep(touchAfter)
		if !h.has(in[1].Cookie) {
			t.Fatal("not signed in")
		}
		h.restart()
		all, err := h.Sessions()
		must(h, err)
		var from []string
		for _, s := range all {
			from = append(from, s.From)
		}
		if want := []string{"192.168.1.2", "192.168.1.4", "192.168.1.3", "192.168.1.1"}; !slices.Equal(from, want) {
			t.Errorf("listed: %v", from)
		}
		must(h, h.EndSession(in[0].Session.ID))
		if err := h.EndSession(in[0].Session.ID); !errors.Is(err, ErrNoSession) {
			t.Errorf("ending it twice: %v", err)
		}
		if n, err := h.EndOtherSessions(in[3].Session.ID); n != 2 || err != nil {
			t.Errorf("%d ended, %v", n, err)
		}
		for i, s := range in {
			if h.has(s.Cookie) != (i == 3) {
				t.Errorf("session %d", i)
			}
		}
		if n := len(h.seen) + len(h.fresh); n > 2 {
			t.Errorf("%d entries are left in memory", n)
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		first := h.signIn(kitchen, true)
		for range mostSessions {
			time.Sleep(time.Second)
			must1(h.enter(kitchen, true, func(_ *store.Tx, r householdRecord) (householdRecord, error) { return r, nil }))
		}
		all, err := h.Sessions()
		if len(all) != mostSessions || err != nil || h.has(first.Cookie) {
			t.Errorf("%d sessions, %v", len(all), err)
		}
		if len(h.seen) != mostSessions || len(h.fresh) != mostSessions {
			t.Errorf("%d and %d in memory", len(h.seen), len(h.fresh))
		}
	})
}

// TestSessionSparesTheCard: an open page that asks every 15 seconds writes six times an hour.
func TestSessionSparesTheCard(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		in := h.signIn(kitchen, false)
		writes, last := 0, in.Session.SeenAt
		for range 24 * 60 * 4 {
			time.Sleep(15 * time.Second)
			s, err := h.Session(in.Cookie)
			must(h, err)
			if !s.SeenAt.Equal(last) {
				writes, last = writes+1, s.SeenAt
			}
		}
		if writes < 140 || writes > 144 {
			t.Errorf("%d writes in a day", writes)
		}
	})
}

func TestFresh(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		h.settle()
		in := h.signIn(kitchen, true)
		elsewhere := h.signIn(kitchen, true)
		time.Sleep(freshFor - time.Second)
		if !h.Fresh(in.Session) {
			t.Error("stale too early")
		}
		time.Sleep(time.Second)
		if h.Fresh(in.Session) {
			t.Error("fresh after 15 minutes")
		}
		if err := h.Confirm(t.Context(), in.Session, wrong, kitchen); !errors.Is(err, ErrWrong) || h.Fresh(in.Session) {
			t.Errorf("a wrong passphrase: %v", err)
		}
		must(h, h.Confirm(t.Context(), in.Session, passphrase, kitchen))
		if !h.Fresh(in.Session) || h.Fresh(elsewhere.Session) {
			t.Error("the wrong session is fresh")
		}
		s, err := h.Session(in.Cookie)
		if err != nil || !s.ConfirmedAt.Equal(time.Now()) {
			t.Errorf("%+v, %v", s, err)
		}
		h.restart()
		if s, err = h.Session(in.Cookie); err != nil || h.Fresh(s) || !s.ConfirmedAt.IsZero() {
			t.Errorf("after a restart: %+v, %v", s, err)
		}
		must(h, h.SignOut(s))
		if err := h.Confirm(t.Context(), s, passphrase, kitchen); !errors.Is(err, ErrNoSession) || h.Fresh(s) {
			t.Errorf("a session that has ended: %v", err)
		}
	})
}
