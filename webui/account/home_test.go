package account

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

const (
	passphrase = "amber kettle window moss"
	suggested  = "velvet tractor onion lake"
	wrong      = "amber kettle window mess"
)

// wallClock is the machine's clock, which may be wrong, and nobody may vouch for it.
type wallClock struct {
	wrong  time.Duration
	unsure bool
}

func (c *wallClock) Now() time.Time     { return time.Now().Add(c.wrong) }
func (c *wallClock) Synchronised() bool { return !c.unsure }

// home is an account with its store, in a bubble of time.
type home struct {
	*Account
	t      testing.TB
	dir    string
	clock  *wallClock
	mark   *clock.Mark
	store  *store.Store
	window time.Duration
	boot   time.Time // power-on
}

func inHome(t *testing.T, fn func(t *testing.T, h *home)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &home{t: t, dir: t.TempDir() + "/state", clock: &wallClock{}, boot: time.Now()}
		h.start()
		defer func() { _ = h.store.Close() }()
		fn(t, h)
	})
}

func (h *home) start() {
	st, err := store.Open(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	h.store, h.mark = st, clock.NewMark(st, h.clock)
	log := slog.New(slog.DiscardHandler)
	h.Account = New(Config{
		Store: st, Journal: journal.New(st, h.mark.Effective, log), Now: h.mark.Effective, Synchronised: h.mark.Synchronised,
		Suggest: func() string { return suggested }, Log: log, ClaimWindow: h.window,
		Uptime: func() (time.Duration, error) { return time.Since(h.boot), nil },
	})
}

// restart ends the daemon and starts it again.
func (h *home) restart() {
	h.t.Helper()
	if err := h.store.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.start()
}

func (h *home) advance() {
	h.t.Helper()
	if err := h.mark.Advance(); err != nil {
		h.t.Fatal(err)
	}
}

// settle makes a claimed account whose passphrase costs little to look at: what a guess costs is not what is tested.
func (h *home) settle() {
	h.t.Helper()
	salt := []byte("a salt of a test")
	hash := argon2.IDKey([]byte(passphrase), salt, 1, 8, 1, 32)
	phc := fmt.Sprintf(phcFormat, argon2.Version, 8, 1, 1,
		base64.RawStdEncoding.EncodeToString(salt)+"$"+base64.RawStdEncoding.EncodeToString(hash))
	must(h, h.store.Update(func(tx *store.Tx) error {
		return putHousehold(tx, householdRecord{Passphrase: phc, ClaimedAt: kept(h.config.Now())})
	}))
}

func must(h *home, err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func visitor(addr string) Visitor {
	return Visitor{Addr: netip.MustParseAddr(addr), Agent: "a browser"}
}

var kitchen = visitor("192.168.1.20")

func (h *home) signIn(v Visitor, keep bool) SignedIn {
	h.t.Helper()
	in, err := h.SignIn(h.t.Context(), passphrase, keep, v)
	must(h, err)
	if in.NeedsCode {
		h.t.Fatal("a code is asked for")
	}
	return in
}

// try is a wrong guess of the passphrase.
func (h *home) try(v Visitor) error {
	_, err := h.SignIn(h.t.Context(), wrong, false, v)
	return err
}

func (h *home) has(cookie string) bool {
	h.t.Helper()
	_, err := h.Session(cookie)
	if err != nil && !errors.Is(err, ErrNoSession) {
		h.t.Fatal(err)
	}
	return err == nil
}

// events are the types since the last one with the number, and the number of the newest.
func (h *home) events(after uint64) (types []journal.Type, last uint64) {
	h.t.Helper()
	all, err := h.config.Journal.After(after, 0)
	must(h, err)
	last = after
	for _, e := range all {
		types, last = append(types, e.Type), e.Seq
	}
	return types, last
}

// onDisk says whether a text is anywhere in the state, as it is or in hexadecimal.
func (h *home) onDisk(text string) bool {
	h.t.Helper()
	found := false
	must(h, h.store.View(func(tx *store.Tx) error {
		for _, bucket := range []string{accountBucket, sessionBucket, tokenBucket, deviceBucket, guardBucket} {
			err := store.Each(tx, bucket, func(key string, v map[string]any) error {
				found = found || strings.Contains(key, text) || strings.Contains(fmt.Sprint(v), text)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	events, err := h.config.Journal.After(0, 0)
	must(h, err)
	return found || strings.Contains(fmt.Sprint(events), text)
}

func waitOf(err error) time.Duration {
	if w, ok := errors.AsType[*Wait](err); ok {
		return w.Remaining
	}
	return 0
}

func (h *home) records(bucket string) (n int) {
	h.t.Helper()
	must(h, h.store.View(func(tx *store.Tx) error {
		return store.Each(tx, bucket, func(string, map[string]any) error { n++; return nil })
	}))
	return n
}

// file is a fingerprint of the state as it is on the disk.
func (h *home) file() string {
	h.t.Helper()
	b, err := os.ReadFile(h.store.Path())
	must(h, err)
	return fingerprint(string(b))
}
