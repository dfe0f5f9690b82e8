package peers

import (
	"bytes"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/internal/store"
)

// A house is a registry on a real store, with a clock that a test can put wrong.
type house struct {
	*Registry
	t     *testing.T
	dir   string
	clock *wallClock
	logs  *bytes.Buffer
}

// wallClock is the bubble's time, and wrong by as much as a test wants.
type wallClock struct {
	wrong  time.Duration
	unsure bool
}

func (c *wallClock) Now() time.Time     { return time.Now().Add(c.wrong) }
func (c *wallClock) Synchronised() bool { return !c.unsure }

// inHouse runs a test in a bubble, where days pass in no time.
func inHouse(t *testing.T, fn func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, dir: t.TempDir() + "/state", clock: &wallClock{}, logs: &bytes.Buffer{}}
		h.open()
		defer h.close()
		fn(h)
	})
}

func (h *house) open() {
	h.t.Helper()
	st, err := store.Open(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	mark := clock.NewMark(st, h.clock)
	log := slog.New(slog.NewTextHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.Registry = New(st, journal.New(st, mark.Effective, log), mark, log)
	if _, err := h.Init(nil); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) close() {
	if err := h.store.Close(); err != nil {
		h.t.Error(err)
	}
}

// restart is a new process on the same card.
func (h *house) restart() {
	h.t.Helper()
	h.close()
	h.open()
}

func (h *house) add(name string) Enrolment {
	h.t.Helper()
	e, err := h.Add(AddRequest{Name: name})
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// addWith adds a peer that may reach services.
func (h *house) addWith(name string, services ...string) Enrolment {
	h.t.Helper()
	e, err := h.Add(AddRequest{Name: name, Services: services})
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

func (h *house) rekey(id string, now bool) Enrolment {
	h.t.Helper()
	e, err := h.Rekey(id, nil, now)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

func (h *house) get(id string) Peer {
	h.t.Helper()
	p, err := h.Get(id)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) sweep() time.Time {
	h.t.Helper()
	next, err := h.Sweep()
	if err != nil {
		h.t.Fatal(err)
	}
	return next
}

func (h *house) seen(id string, pub key.Public) {
	h.t.Helper()
	if err := h.Seen(id, pub, h.clock.Now()); err != nil {
		h.t.Fatal(err)
	}
}

// served gives the public keys that the tunnel would serve now.
func (h *house) served() []key.Public {
	h.t.Helper()
	allowed, err := h.Allowed()
	if err != nil {
		h.t.Fatal(err)
	}
	list := []key.Public{}
	for _, a := range allowed {
		list = append(list, a.Pair.PublicKey)
	}
	return list
}

// assertServed asks whether exactly these keys are served, in any order.
func (h *house) assertServed(want ...key.Public) {
	h.t.Helper()
	got := h.served()
	ok := len(got) == len(want)
	for _, k := range want {
		ok = ok && slices.Contains(got, k)
	}
	if !ok {
		h.t.Errorf("the tunnel serves %v, want %v", got, want)
	}
}

// events gives the types of the journal's newest events after a number, and the
// number of the last.
func (h *house) events(after uint64) (types []journal.Type, last uint64) {
	h.t.Helper()
	events, err := h.journal.After(after, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	last = after
	for _, e := range events {
		types, last = append(types, e.Type), e.Seq
	}
	return types, last
}

// smallNetwork gives the house a network of so many bits, before anyone is in it.
func (h *house) smallNetwork(bits int) {
	h.t.Helper()
	err := h.store.Update(func(tx *store.Tx) error {
		record, _, err := store.Get[serverRecord](tx, serverBucket, serverKey)
		if err != nil {
			return err
		}
		record.Network4 = netip.PrefixFrom(netip.MustParseAddr("10.200.16.0"), bits).String()
		return putServer(tx, record)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
