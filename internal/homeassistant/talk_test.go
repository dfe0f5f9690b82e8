package homeassistant

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
	"github.com/hearthgate/hearthgate/internal/secret"
	"github.com/hearthgate/hearthgate/internal/store"
)

// talking is a Talker with a target and a token that a test may change.
type talking struct {
	*Talker
	state State
	token secret.Text
}

func newTalking(t *testing.T, target, token string) *talking {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	k := &talking{state: State{Phase: Found, Target: target}, token: secret.Of(token)}
	k.Talker = NewTalker(TalkConfig{
		Where: func() State { return k.state },
		Token: func() (secret.Text, error) { return k.token, nil },
		Store: st,
	})
	return k
}

func TestTalk(t *testing.T) {
	t.Parallel()
	h := standin.New(standin.Options{
		External: "https://ha.example.org", Cloud: "https://x.ui.nabu.casa", Addresses: []string{"192.168.1.5", "2001:db8::5", "fe80::1"},
	})
	k := newTalking(t, serve(t, h).URL(), h.Token())
	ctx := t.Context()

	created := time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC)
	h.Note("http-login", standin.Note{Title: "Login attempt failed", Message: "from x (203.0.113.9). See", Created: created})
	all, err := k.Notifications(ctx)
	if err != nil || len(all) != 1 || all[0].ID != "http-login" || !all[0].Created.Equal(created) || !strings.Contains(all[0].Message, "203") {
		t.Errorf("notifications %+v, %v", all, err)
	}

	places, err := k.Places(ctx)
	want := []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("2001:db8::5"), netip.MustParseAddr("fe80::1")}
	if err != nil || !places.Adapters || !slices.Equal(places.Addresses, want) ||
		places.External != "https://ha.example.org" || places.Cloud != "https://x.ui.nabu.casa" || places.Version != "2026.9.1" {
		t.Errorf("places %+v, %v", places, err)
	}
	h.Set(standin.Options{NotAdmin: true})
	if places, err := k.Places(ctx); err != nil || places.Adapters || len(places.Addresses) > 0 {
		t.Errorf("places without being an administrator %+v, %v", places, err)
	}

	if err := k.Notify(ctx, "hearthgate_exposure", "Open", "It is open."); err != nil {
		t.Error(err)
	}
	if n := h.Notes()["hearthgate_exposure"]; n.Title != "Open" || n.Message != "It is open." {
		t.Errorf("notification %+v", n)
	}
	for range 2 {
		if err := k.Dismiss(ctx, "hearthgate_exposure"); err != nil {
			t.Error(err)
		}
	}
	if _, ok := h.Notes()["hearthgate_exposure"]; ok || h.FailedLogins() != 0 {
		t.Errorf("it is still there, or %d failed sign-ins", h.FailedLogins())
	}
}

// TestAWrongTokenIsTriedOnce: whatever is asked, by whom and how often, until it is another one.
func TestAWrongTokenIsTriedOnce(t *testing.T) {
	t.Parallel()
	for _, first := range []func(context.Context, *Talker) error{
		func(ctx context.Context, k *Talker) error { _, err := k.Notifications(ctx); return err },
		func(ctx context.Context, k *Talker) error { return k.Notify(ctx, "a", "b", "c") },
	} {
		h := standin.New(standin.Options{})
		k := newTalking(t, serve(t, h).URL(), "wrong")
		if err := first(t.Context(), k.Talker); !errors.Is(err, ErrTokenRefused) {
			t.Errorf("%v, want that it is refused", err)
		}
		k.Talker = NewTalker(k.cfg) // a restart
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := k.Dismiss(t.Context(), "a"); !errors.Is(err, ErrTokenRefused) {
					t.Errorf("%v, want that it is refused", err)
				}
				if _, err := k.Places(t.Context()); !errors.Is(err, ErrTokenRefused) {
					t.Errorf("%v, want that it is refused", err)
				}
			})
		}
		all.Wait()
		if n := h.FailedLogins(); n != 1 {
			t.Errorf("%d failed sign-ins, want 1", n)
		}
		k.token = secret.Of(h.Token())
		if err := k.Notify(t.Context(), "a", "b", "c"); err != nil {
			t.Errorf("with a good token: %v", err)
		}
		k.token = secret.Of("wrong")
		if err := k.Retry(); err != nil {
			t.Error(err)
		}
		if err := first(t.Context(), k.Talker); !errors.Is(err, ErrTokenRefused) || h.FailedLogins() != 2 {
			t.Errorf("tried again at the owner's word: %v, %d failed sign-ins", err, h.FailedLogins())
		}
	}
}

// TestTheTokenGoesNowhereElse: no phase but Found, no redirect, and nothing without a token.
func TestTheTokenGoesNowhereElse(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	thief := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Error("the token was sent")
		}
	}))
	k := newTalking(t, thief.URL(), "token")
	for _, phase := range []Phase{Searching, Lost, Choose, Changed, ""} {
		k.state.Phase = phase
		if err := k.Notify(t.Context(), "a", "b", "c"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", phase, err)
		}
		if _, err := k.Notifications(t.Context()); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", phase, err)
		}
	}
	if asked.Load() != 0 {
		t.Error("something was asked")
	}
	k.state = State{Phase: Found, Target: serve(t, http.RedirectHandler(thief.URL(), http.StatusTemporaryRedirect)).URL()}
	if err := k.Notify(t.Context(), "a", "b", "c"); err == nil {
		t.Error("a redirect is no error")
	}
	if _, err := k.Notifications(t.Context()); err == nil {
		t.Error("a redirect of the WebSocket is no error")
	}
	k.token = secret.Text{}
	if err := k.Notify(t.Context(), "a", "b", "c"); !errors.Is(err, ErrNoToken) {
		t.Errorf("without a token: %v", err)
	}
	if asked.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// TestTalkWithTheHostile: nothing that answers in Home Assistant's place holds us up, fills the memory or gets the token into
// an error's text.
func TestTalkWithTheHostile(t *testing.T) {
	t.Parallel()
	text := func(s string) func(context.Context, *websocket.Conn) {
		return func(ctx context.Context, c *websocket.Conn) { _ = c.Write(ctx, websocket.MessageText, []byte(s)) }
	}
	signedIn := func(then func(context.Context, *websocket.Conn)) func(context.Context, *websocket.Conn) {
		return func(ctx context.Context, c *websocket.Conn) {
			text(`{"type":"auth_required"}`)(ctx, c)
			_, _, _ = c.Read(ctx)
			text(`{"type":"auth_ok"}`)(ctx, c)
			_, _, _ = c.Read(ctx)
			then(ctx, c)
		}
	}
	for name, speak := range map[string]func(context.Context, *websocket.Conn){
		"no greeting": text(`{"type":"hello"}`),
		"no JSON":     text(`{`),
		"neither": func(ctx context.Context, c *websocket.Conn) {
			text(`{"type":"auth_required"}`)(ctx, c)
			text(`{}`)(ctx, c)
		},
		"other things": signedIn(func(ctx context.Context, c *websocket.Conn) {
			for c.Write(ctx, websocket.MessageText, []byte(`{"id":9,"type":"event"}`)) == nil {
			}
		}),
		"a long result": signedIn(text(`{"id":1,"type":"result","success":true,"result":"` + strings.Repeat("x", mostOfMessage) + `"}`)),
		"another shape": signedIn(text(`{"id":1,"type":"result","success":true,"result":7}`)),
		"an error":      signedIn(text(`{"id":1,"type":"result","success":false,"error":{"code":"\u001b[31m` + strings.Repeat("x", 5000) + `"}}`)),
		"hanging up":    signedIn(func(context.Context, *websocket.Conn) {}),
	} {
		target := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			defer func() { _ = conn.CloseNow() }()
			speak(r.Context(), conn)
		}))
		k := newTalking(t, target.URL(), "geheim")
		_, err := k.Notifications(t.Context())
		if err == nil || strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "\x1b") || len(err.Error()) > 500 {
			t.Errorf("%s: %v", name, err)
		}
	}
	k := newTalking(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for range 100_000 {
			if _, err := io.WriteString(w, strings.Repeat("x", 1000)); err != nil {
				return
			}
		}
	})).URL(), "geheim")
	if err := k.Notify(t.Context(), "a", "b", "c"); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("an endless 500: %v", err)
	}
}

func TestNotificationsInBothShapes(t *testing.T) {
	one := `{"created_at":"2026-11-22T12:00:00.123456+00:00","message":"m","notification_id":"a","title":null,"status":"unread"}`
	for _, text := range []string{"[" + one + "]", `{"a":` + one + `}`} {
		all, err := notifications([]byte(text))
		if err != nil || len(all) != 1 || all[0].ID != "a" || all[0].Message != "m" || all[0].Created.IsZero() {
			t.Errorf("%s: %+v, %v", text, all, err)
		}
	}
	if all, err := notifications([]byte(`[{"created_at":"yesterday"}]`)); err != nil || len(all) != 1 || !all[0].Created.IsZero() {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := notifications([]byte(`"x"`)); err == nil {
		t.Error("a text was taken for notifications")
	}
}
