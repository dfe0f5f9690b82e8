package peers

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
)

const century = 99 * 365 * 24 * time.Hour

func (h *house) guest(after time.Duration) Peer {
	h.t.Helper()
	e, err := h.Add(AddRequest{Name: "Guest", ExpiresAt: h.Now().Add(after)})
	if err != nil {
		h.t.Fatal(err)
	}
	return e.Peer
}

func TestExpiry(t *testing.T) {
	inHouse(t, func(h *house) {
		guest := h.guest(5 * time.Minute)
		changes, stop := h.Watch()
		defer stop()
		next := h.sweep()
		if time.Until(next) != 5*time.Minute {
			t.Errorf("the next sweep is in %v, want 5m", time.Until(next))
		}
		time.Sleep(time.Until(next) - time.Nanosecond)
		h.assertServed(guest.Pair.PublicKey)
		time.Sleep(time.Nanosecond)
		h.assertServed()
		_, seq := h.events(0)
		h.sweep()
		h.sweep()
		if types, _ := h.events(seq); !slices.Equal(types, []journal.Type{journal.PeerExpired}) {
			t.Errorf("the journal has %v", types)
		}
		if len(changes) != 1 {
			t.Error("nobody was told")
		}
		p := h.get(guest.ID)
		if !p.Expired || p.ExpiryUnconfirmed || p.Disabled {
			t.Errorf("after its date: %+v", p)
		}
		_, err := h.SetDisabled(guest.ID, false)
		if !errors.Is(err, ErrExpired) || !strings.Contains(err.Error(), `hearthgate peer expire "Guest" 7d`) {
			t.Errorf("enabling it: %v", err)
		}
		if p, err = h.SetExpiry(guest.ID, h.Now().Add(time.Hour)); err != nil || p.Expired {
			t.Errorf("a new date: %+v, %v", p, err)
		}
		h.assertServed(guest.Pair.PublicKey)
		if p, err = h.SetExpiry(guest.ID, time.Time{}); err != nil || !p.ExpiresAt.IsZero() {
			t.Errorf("no date: %+v, %v", p, err)
		}
		time.Sleep(1000 * 24 * time.Hour)
		h.sweep()
		h.assertServed(guest.Pair.PublicKey)
	})
}

// TestPowerCycleOpensNothing: the Pi wakes up in 1970 and no network tells it better.
func TestPowerCycleOpensNothing(t *testing.T) {
	inHouse(t, func(h *house) {
		guest := h.guest(time.Hour)
		old := h.add("Anna").Peer
		anna := h.rekey(old.ID, false).Peer
		time.Sleep(25 * time.Hour)
		h.sweep()
		if p := h.get(guest.ID); !p.Expired {
			t.Fatalf("not expired: %+v", p)
		}
		h.clock.wrong, h.clock.unsure = -30*365*24*time.Hour, true
		h.restart()
		h.sweep()
		h.assertServed(anna.Pair.PublicKey)
		if _, err := h.SetExpiry(guest.ID, h.clock.Now().Add(time.Hour)); !errors.Is(err, ErrInvalid) {
			t.Errorf("an hour after 1970 is taken for a date to come: %v", err)
		}
	})
}

// TestPowerCycleBeforeTheSweep: the date passes while the mark is saved but the
// expiry is not, as when the power goes in between.
func TestPowerCycleBeforeTheSweep(t *testing.T) {
	inHouse(t, func(h *house) {
		h.guest(time.Hour)
		time.Sleep(time.Hour)
		if err := h.mark.Advance(); err != nil {
			t.Fatal(err)
		}
		h.clock.wrong, h.clock.unsure = -30*365*24*time.Hour, true
		h.restart()
		h.assertServed()
		if p := must(h.Find("Guest")); !p.Expired || !p.ExpiryUnconfirmed {
			t.Errorf("%+v", p)
		}
	})
}

// TestClockInTheFutureDestroysNothing: an unsynchronised clock says 2099. Access is
// denied, and comes back with the right time; nothing is written.
func TestClockInTheFutureDestroysNothing(t *testing.T) {
	inHouse(t, func(h *house) {
		guest := h.guest(7 * 24 * time.Hour)
		old := h.add("Anna").Peer
		anna := h.rekey(old.ID, false).Peer
		all := h.served()
		_, seq := h.events(0)
		changes, stop := h.Watch()
		defer stop()

		h.clock.wrong, h.clock.unsure = century, true
		if next := h.sweep(); time.Until(next) > time.Minute {
			t.Errorf("with a clock that may be wrong the next sweep is in %v", time.Until(next))
		}
		h.assertServed(anna.Pair.PublicKey)
		if len(changes) != 1 {
			t.Error("nobody was told that time denies")
		}
		<-changes
		h.sweep()
		if len(changes) != 0 {
			t.Error("the same denial is told twice")
		}
		if p := h.get(guest.ID); !p.Expired || !p.ExpiryUnconfirmed {
			t.Errorf("the guest is %+v", p)
		}
		h.restart()
		h.sweep()

		changes, stop = h.Watch()
		defer stop()
		h.clock.wrong, h.clock.unsure = 0, false
		time.Sleep(time.Minute)
		h.sweep()
		h.assertServed(all...)
		if len(changes) != 1 {
			t.Error("nobody was told that access is back")
		}
		if p := h.get(guest.ID); p.Expired || p.ExpiryUnconfirmed {
			t.Errorf("the guest is %+v", p)
		}
		if types, _ := h.events(seq); len(types) > 0 {
			t.Errorf("a wrong clock wrote %v", types)
		}
	})
}

// TestExpiryIsConfirmedLater: the date passes while nobody vouches for the clock, and
// is written down, and told, when somebody does.
func TestExpiryIsConfirmedLater(t *testing.T) {
	inHouse(t, func(h *house) {
		guest := h.guest(time.Hour)
		h.clock.unsure = true
		time.Sleep(2 * time.Hour)
		h.sweep()
		changes, stop := h.Watch()
		defer stop()
		h.clock.unsure = false
		_, seq := h.events(0)
		h.sweep()
		if p := h.get(guest.ID); p.ExpiryUnconfirmed || len(changes) != 1 {
			t.Errorf("not confirmed, or not told: %+v", p)
		}
		if types, _ := h.events(seq); !slices.Equal(types, []journal.Type{journal.PeerExpired}) {
			t.Errorf("the journal has %v", types)
		}
	})
}

// TestRekeyUnderAClockInTheFuture: the day of the old pair is counted again once the
// clock is right, so that it does not work for a century.
func TestRekeyUnderAClockInTheFuture(t *testing.T) {
	inHouse(t, func(h *house) {
		old := h.add("Anna").Peer
		h.clock.wrong, h.clock.unsure = century, true
		anna := h.rekey(old.ID, false).Peer
		h.clock.wrong, h.clock.unsure = 0, false
		h.sweep()
		time.Sleep(24 * time.Hour)
		h.assertServed(anna.Pair.PublicKey)
	})
}

func TestSeen(t *testing.T) {
	inHouse(t, func(h *house) {
		anna := h.add("Anna").Peer
		key := anna.Pair.PublicKey
		_, seq := h.events(0)
		if err := h.Seen(anna.ID, key, time.Time{}); err != nil {
			t.Error(err)
		}
		if err := h.Seen(anna.ID, key, time.Unix(0, 0)); err != nil || !h.get(anna.ID).FirstHandshake.IsZero() {
			t.Errorf("a device's never is taken for a handshake: %v", err)
		}
		time.Sleep(time.Minute)
		first := h.Now()
		h.seen(anna.ID, key)
		for range 29 {
			time.Sleep(2 * time.Minute)
			h.seen(anna.ID, key)
		}
		p := h.get(anna.ID)
		if !p.FirstHandshake.Equal(first) || !p.Pair.FirstHandshake.Equal(first) || !p.LastHandshake.Equal(first) {
			t.Errorf("within an hour: %+v", p)
		}
		time.Sleep(3 * time.Minute)
		h.seen(anna.ID, key)
		if p := h.get(anna.ID); !p.LastHandshake.Equal(h.Now()) || !p.FirstHandshake.Equal(first) {
			t.Errorf("after an hour: %+v", p)
		}
		if err := h.Seen(anna.ID, key, first); err != nil || !h.get(anna.ID).LastHandshake.Equal(h.Now()) {
			t.Errorf("an old report turned the last handshake back: %v", err)
		}
		h.seen(anna.ID, h.add("Ben").Peer.Pair.PublicKey) // not hers
		h.seen("nobody", key)
		if types, _ := h.events(seq); !slices.Equal(types, []journal.Type{journal.PeerFirstHandshake, journal.PeerAdded}) {
			t.Errorf("the journal has %v", types)
		}
	})
}

// TestSeenSparesTheCard: what changes nothing writes nothing.
func TestSeenSparesTheCard(t *testing.T) {
	inHouse(t, func(h *house) {
		anna := h.add("Anna").Peer
		h.seen(anna.ID, anna.Pair.PublicKey)
		h.sweep()
		before := h.file()
		for range 20 {
			time.Sleep(2 * time.Minute)
			h.seen(anna.ID, anna.Pair.PublicKey)
		}
		if h.file() != before {
			t.Error("handshakes within the hour wrote to the store")
		}
		h.clock.unsure = true // the mark stays
		h.sweep()
		if h.file() != before {
			t.Error("a sweep with nothing due wrote to the store")
		}
	})
}

// TestHandshakeOfAWrongClock: a last handshake in 2099 gives way to a real one.
func TestHandshakeOfAWrongClock(t *testing.T) {
	inHouse(t, func(h *house) {
		anna := h.add("Anna").Peer
		h.clock.wrong, h.clock.unsure = century, true
		h.seen(anna.ID, anna.Pair.PublicKey)
		h.clock.wrong, h.clock.unsure = 0, false
		h.seen(anna.ID, anna.Pair.PublicKey)
		if p := h.get(anna.ID); !p.LastHandshake.Equal(h.Now()) {
			t.Errorf("the last handshake is at %v", p.LastHandshake)
		}
		h.sweep() // saves the mark
		h.clock.wrong = -30 * 365 * 24 * time.Hour
		ben := h.add("Ben").Peer
		h.seen(ben.ID, ben.Pair.PublicKey)
		if p := h.get(ben.ID); p.FirstHandshake.Before(p.CreatedAt) {
			t.Errorf("the first handshake is at %v, before it was added", p.FirstHandshake)
		}
	})
}
