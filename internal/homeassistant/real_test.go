package homeassistant

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// This file runs a Finder with its real senses against the stand-in, over real sockets.

func realFinder(t *testing.T, url string) (*Finder, *journal.Journal) {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j := journal.New(st, time.Now, slog.New(slog.DiscardHandler))
	f, err := New(Config{Store: st, Journal: j, URL: url, Browse: func(context.Context) (Hearsay, error) { return Hearsay{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = st.Close()
	})
	return f, j
}

// eventually waits for what happens in another goroutine.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come to this: %s", what)
		}
	}
}

func TestForRealWhereItIsTold(t *testing.T) {
	t.Parallel()
	h := standin.New(standin.Options{Version: "2026.10.1", TrustedNetworks: true})
	target := serve(t, h)
	f, j := realFinder(t, target.URL())

	eventually(t, "found", func() bool { return f.State().Phase == Found })
	st := f.State()
	if st.Version != "2026.10.1" || !has(st.Warnings, TrustedNetworks) || st.Source != FromFlag {
		t.Errorf("state %+v", st)
	}
	if addr, err := f.Address(); err != nil || addr != target.Addr() {
		t.Errorf("Address() = %q, %v, want %s", addr, err, target.Addr())
	}
	h.Set(standin.Options{Banned: true})
	f.Recheck()
	eventually(t, "banned", func() bool { return has(f.State().Warnings, Banned) })
	if h.FailedLogins() != 0 {
		t.Errorf("%d of our requests count as failed sign-ins", h.FailedLogins())
	}
	events, err := j.Recent(10)
	if err != nil || len(events) != 3 {
		t.Errorf("events %+v, %v, want found and two warnings", events, err)
	}
}

// TestForRealThisMachine goes through the kernel's idea of which machine is where.
func TestForRealThisMachine(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = standin.New(standin.Options{}).Serve(ctx, l) }()

	f, _ := realFinder(t, "")
	if err := f.Use(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	p, ok, err := readPin(f.store, "")
	if err != nil || !ok || !p.ThisMachine || p.Address.String() != at {
		t.Errorf("pin %+v, %v, %v, want this machine at %s", p, ok, err, at)
	}
	if addr, err := f.Address(); err != nil || addr != at {
		t.Errorf("Address() = %q, %v, want %s", addr, err, at)
	}
	cancel()
	eventually(t, "not found any more", func() bool {
		f.Recheck()
		return f.State().Phase != Found
	})
}

func TestMachineAt(t *testing.T) {
	if m := machineAt(netip.MustParseAddr("127.0.0.1")); !m.here {
		t.Errorf("machineAt(127.0.0.1) = %+v, want here", m)
	}
	if m := machineAt(netip.MustParseAddr("203.0.113.9")); m.known() { // for documentation (RFC 5737)
		t.Errorf("machineAt(203.0.113.9) = %+v, want unknown", m)
	}
	if directlyConnected(netip.MustParseAddr("203.0.113.9")) {
		t.Error("203.0.113.9 is directly connected")
	}
}

// TestRecognise is the table of trust.
func TestRecognise(t *testing.T) {
	here, five, six, nobody := machine{here: true}, machine{mac: "5"}, machine{mac: "6"}, machine{}
	for _, c := range []struct {
		what string
		pin  pin
		m    machine
		want recognition
	}{
		{"this machine", pin{ThisMachine: true}, here, same},
		{"this machine's address is another's now", pin{ThisMachine: true}, five, other},
		{"this machine's address is nobody's we know", pin{ThisMachine: true}, nobody, unsure},
		{"the pinned MAC", pin{MACs: []string{"5"}}, five, same},
		{"the second pinned MAC", pin{MACs: []string{"6", "5"}}, five, same},
		{"another MAC", pin{MACs: []string{"5"}}, six, other},
		{"its address is ours now", pin{MACs: []string{"5"}}, here, other},
		{"no MAC to be seen", pin{MACs: []string{"5"}}, nobody, unsure},
		{"pinned without a MAC, still none", pin{}, nobody, same},
		{"pinned without a MAC, now there is one", pin{}, five, same},
		{"pinned without a MAC, now ours", pin{}, here, other},
	} {
		if got := c.pin.recognise(c.m); got != c.want {
			t.Errorf("%s: recognise = %v, want %v", c.what, got, c.want)
		}
	}
}
