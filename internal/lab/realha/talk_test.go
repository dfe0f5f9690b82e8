package realha_test

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/lab/realha"
	"github.com/hearthgate/hearthgate/internal/secret"
	"github.com/hearthgate/hearthgate/internal/store"
)

// TestTalk is what Hearthgate asks of and tells to the real Home Assistant: a fingerprint, notifications, places. Two wrong
// tokens would be a ban here.
func TestTalk(t *testing.T) {
	isolated(t)
	h := realha.Start(t, realha.Options{BanAfter: 3})
	ctx := within(t, 120*time.Second)
	v := visitor(t)
	if err := v.Onboard(ctx); err != nil {
		t.Fatal(err)
	}
	for range 4 { // more than it takes to be banned, if this counted
		fp, err := homeassistant.TakeFingerprint(ctx, (&net.Dialer{}).DialContext, "127.0.0.1:8123", "ha.example.org")
		if err != nil || fp.Status != 200 || len(fp.Manifest) != 64 || fp.Version != h.Version {
			t.Fatalf("fingerprint %+v, %v", fp, err)
		}
	}
	if err := v.LogIn(ctx, realha.Owner, "wrong"); !errors.Is(err, realha.ErrWrongPassword) {
		t.Fatal(err)
	}
	if err := v.LogIn(ctx, realha.Owner, realha.Password); err != nil {
		t.Fatal(err)
	}

	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	token := secret.Of(v.Token)
	k := homeassistant.NewTalker(homeassistant.TalkConfig{
		Where: func() homeassistant.State {
			return homeassistant.State{Phase: homeassistant.Found, Target: base}
		},
		Token: func() (secret.Text, error) { return token, nil },
		Store: st,
	})

	all, err := k.Notifications(ctx)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(n homeassistant.Notification) bool { return n.ID == "http-login" })
	if i < 0 || time.Since(all[i].Created).Abs() > time.Minute || !strings.HasSuffix(all[i].Message, "(127.0.0.1). See the log for details.") {
		t.Errorf("notifications %+v, want one of a failed sign-in from 127.0.0.1", all)
	}
	places, err := k.Places(ctx)
	if err != nil || !places.Adapters || !slices.Contains(places.Addresses, netip.MustParseAddr("192.168.77.20")) || places.Version != h.Version {
		t.Errorf("places %+v, %v", places, err)
	}

	find := func(id string) string {
		all, err := k.Notifications(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range all {
			if n.ID == id {
				return n.Title + ": " + n.Message
			}
		}
		return ""
	}
	const message = `\{\{ 1 \+ 1 \}\} \<b\>` // no template, no HTML
	if err := k.Notify(ctx, "hearthgate_exposure", "Open", message); err != nil {
		t.Fatal(err)
	}
	if got := find("hearthgate_exposure"); got != "Open: "+message {
		t.Errorf("the notification is %q", got)
	}
	for range 2 {
		if err := k.Dismiss(ctx, "hearthgate_exposure"); err != nil {
			t.Error(err)
		}
	}
	if got := find("hearthgate_exposure"); got != "" {
		t.Errorf("the notification is still there: %q", got)
	}

	good := token
	token = secret.Of("wrong")
	for range 5 {
		if err := k.Notify(ctx, "a", "b", "c"); !errors.Is(err, homeassistant.ErrTokenRefused) {
			t.Errorf("with a wrong token: %v", err)
		}
		if _, err := k.Places(ctx); !errors.Is(err, homeassistant.ErrTokenRefused) {
			t.Errorf("with a wrong token: %v", err)
		}
	}
	token = good
	if _, err := k.Places(ctx); err != nil {
		t.Errorf("after a wrong token, which was tried once: %v", err)
	}
}
