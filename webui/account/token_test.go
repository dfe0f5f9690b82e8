package account

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
)

func TestTokens(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		made, secret, err := h.AddToken(" Prometheus ", []Scope{Metrics, Read, Metrics})
		must(h, err)
		if made.Name != "Prometheus" || !slices.Equal(made.Scopes, []Scope{Metrics, Read}) || !strings.HasPrefix(secret, "hg_") || len(secret) != 46 {
			t.Errorf("%+v", made)
		}
		if h.onDisk(secret) || h.onDisk(secret[3:]) {
			t.Error("the secret is on the disk")
		}
		time.Sleep(time.Minute)
		h.restart()
		got, err := h.Token(t.Context(), secret, kitchen)
		if err != nil || got.ID != made.ID || !got.LastUsedAt.Equal(time.Now()) {
			t.Errorf("%+v, %v", got, err)
		}
		used := got.LastUsedAt
		time.Sleep(tokenTouch - time.Second)
		if got := must1(h.Token(t.Context(), secret, kitchen)); !got.LastUsedAt.Equal(used) {
			t.Error("written within the hour")
		}
		time.Sleep(time.Second)
		if got := must1(h.Token(t.Context(), secret, kitchen)); !got.LastUsedAt.Equal(time.Now()) {
			t.Error("not written after an hour")
		}
		must1(h.addToken("Backup", Manage))
		all := must1(h.Tokens())
		if len(all) != 2 || all[0].Name != "Backup" {
			t.Errorf("%+v", all)
		}
		must(h, h.RemoveToken(made.ID))
		if err := h.RemoveToken(made.ID); !errors.Is(err, ErrNoToken) {
			t.Errorf("twice: %v", err)
		}
		if _, err := h.Token(t.Context(), secret, kitchen); !errors.Is(err, ErrWrong) {
			t.Errorf("a token that was removed: %v", err)
		}
		types, _ := h.events(0)
		if want := []journal.Type{EventTokenAdded, EventTokenAdded, EventTokenRemoved, EventSigninRefused}; !slices.Equal(types, want) {
			t.Errorf("the journal has %v", types)
		}
	})
}

func (h *home) addToken(name string, scopes ...Scope) (Token, error) {
	token, _, err := h.AddToken(name, scopes)
	return token, err
}

func TestTokensThatCannotBe(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		must1(h.addToken("Grafana", Read))
		for name, want := range map[string]error{
			"": ErrInvalid, "  ": ErrInvalid, "a\nb": ErrInvalid, "a\u202eb": ErrInvalid, "\xff": ErrInvalid,
			strings.Repeat("x", 65): ErrInvalid, "grafana": ErrExists, " GRAFANA": ErrExists,
		} {
			if _, err := h.addToken(name, Read); !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", name, err, want)
			}
		}
		if _, err := h.addToken("none"); !errors.Is(err, ErrInvalid) {
			t.Errorf("no scope: %v", err)
		}
		if _, err := h.addToken("other", "admin"); !errors.Is(err, ErrInvalid) {
			t.Errorf("an unknown scope: %v", err)
		}
		for i := range mostTokens - 1 {
			must1(h.addToken("token "+itoa(i), Read))
		}
		if _, err := h.addToken("one more", Read); !errors.Is(err, ErrFull) {
			t.Errorf("one too many: %v", err)
		}
	})
}

func TestScopes(t *testing.T) {
	for _, c := range []struct {
		has, asked Scope
		want       bool
	}{
		{Read, Read, true},
		{Manage, Manage, true},
		{Metrics, Metrics, true},
		{Manage, Read, true},
		{Read, Manage, false},
		{Manage, Metrics, false},
		{Metrics, Read, false},
		{Read, Metrics, false},
		{Read, "", false},
	} {
		if got := (Token{Scopes: []Scope{c.has}}).May(c.asked); got != c.want {
			t.Errorf("%s may %s: %v", c.has, c.asked, got)
		}
	}
}

// TestWrongTokensKeepNobodyOut: a program with an old token is told to wait; the right token of its neighbour, and of its
// own machine, is taken all the same. Nothing of it is written to the card.
func TestWrongTokensKeepNobodyOut(t *testing.T) {
	inHome(t, func(t *testing.T, h *home) {
		_, secret, err := h.AddToken("Prometheus", []Scope{Metrics})
		must(h, err)
		looked := 0
		for range 1000 {
			_, err := h.Token(t.Context(), "hg_"+randomCookie(), kitchen)
			if errors.Is(err, ErrWrong) {
				looked++
			} else if waitOf(err) == 0 {
				t.Fatal(err)
			}
			must1(h.Token(t.Context(), secret, kitchen))
		}
		if looked != freeGuesses {
			t.Errorf("%d wrong tokens were not told to wait", looked)
		}
		if h.onDisk("192.168.1.20") && len(must1(h.Tokens())) == 1 {
			types, _ := h.events(0)
			if len(types) != 2 {
				t.Errorf("the journal has %v", types)
			}
		}
	})
}
