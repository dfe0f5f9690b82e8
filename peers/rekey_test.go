package peers

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
)

func TestRekeyKeepsTheOldPairUntilTheNewOneIsUsed(t *testing.T) {
	inHouse(t, func(h *house) {
		old := h.add("Anna")
		id := old.Peer.ID
		h.seen(id, old.Peer.Pair.PublicKey)
		e := h.rekey(id, false)
		was, is := old.Peer.Pair, e.Peer.Pair
		if was.PublicKey == is.PublicKey || was.PresharedKey == is.PresharedKey || was.IPv4 == is.IPv4 || was.IPv6 == is.IPv6 {
			t.Errorf("the new pair shares something with the old one: %v, %v", was, is)
		}
		if public, err := e.PrivateKey.Public(); err != nil || public != is.PublicKey {
			t.Errorf("the answer's private key does not fit: %v", err)
		}
		h.assertServed(was.PublicKey, is.PublicKey)
		allowed := must(h.Allowed())
		if allowed[0].Retiring || !allowed[1].Retiring || allowed[0].PeerID != allowed[1].PeerID || !slices.Equal(allowed[0].Services, allowed[1].Services) {
			t.Errorf("two pairs are not one peer with one policy: %+v", allowed)
		}
		time.Sleep(time.Hour)
		h.seen(id, was.PublicKey) // the old phone still works
		h.assertServed(was.PublicKey, is.PublicKey)
		_, seq := h.events(0)
		h.seen(id, is.PublicKey)
		h.assertServed(is.PublicKey)
		if p := h.get(id); p.Retiring != nil || !p.RetireAt.IsZero() || p.Pair.FirstHandshake.IsZero() {
			t.Errorf("after the first handshake: %+v", p)
		}
		events := must(h.journal.After(seq, 0))
		if len(events) != 1 || events[0].Type != journal.PeerFirstHandshake || events[0].Data["public_key"] != is.PublicKey.String() {
			t.Errorf("the journal has %+v", events)
		}
	})
}

func TestRekeyEndsTheOldPairAfterADay(t *testing.T) {
	inHouse(t, func(h *house) {
		old := h.add("Anna").Peer
		e := h.rekey(old.ID, false).Peer
		if !e.RetireAt.Equal(h.Now().Add(24 * time.Hour)) {
			t.Errorf("the old pair retires at %v", e.RetireAt)
		}
		time.Sleep(24*time.Hour - time.Second)
		if next := h.sweep(); time.Until(next) != time.Second {
			t.Errorf("the next sweep is in %v, want 1s", time.Until(next))
		}
		h.assertServed(old.Pair.PublicKey, e.Pair.PublicKey)
		time.Sleep(time.Second)
		h.assertServed(e.Pair.PublicKey) // also before the sweep
		_, seq := h.events(0)
		h.sweep()
		if p := h.get(old.ID); p.Retiring != nil {
			t.Errorf("after a day: %+v", p)
		}
		if types, _ := h.events(seq); !slices.Equal(types, []journal.Type{journal.PeerChanged}) {
			t.Errorf("the journal has %v", types)
		}
	})
}

func TestRekeyAgainReplacesTheUnusedPair(t *testing.T) {
	inHouse(t, func(h *house) {
		old := h.add("Anna").Peer
		h.seen(old.ID, old.Pair.PublicKey)
		unused := h.rekey(old.ID, false).Peer
		time.Sleep(20 * time.Hour)
		e := h.rekey(old.ID, false).Peer
		h.assertServed(old.Pair.PublicKey, e.Pair.PublicKey)
		if !e.RetireAt.Equal(h.Now().Add(24*time.Hour)) || e.Retiring.PublicKey != old.Pair.PublicKey {
			t.Errorf("the old working pair does not have a fresh day: %+v", e)
		}
		h.seen(old.ID, unused.Pair.PublicKey) // a late report of a key that is gone
		h.assertServed(old.Pair.PublicKey, e.Pair.PublicKey)
	})
}

// TestRekeyAfterTheDay: the old pair of the first rekey is over, though no sweep has
// come yet; another rekey does not bring it back.
func TestRekeyAfterTheDay(t *testing.T) {
	inHouse(t, func(h *house) {
		old := h.add("Anna").Peer
		second := h.rekey(old.ID, false).Peer
		time.Sleep(24 * time.Hour)
		third := h.rekey(old.ID, false).Peer
		h.assertServed(second.Pair.PublicKey, third.Pair.PublicKey)
	})
}

func TestRekeyNowCutsAtOnce(t *testing.T) {
	inHouse(t, func(h *house) {
		old := h.add("Anna").Peer
		e := h.rekey(old.ID, true).Peer
		h.assertServed(e.Pair.PublicKey)
		h.rekey(old.ID, false)
		last := h.rekey(old.ID, true).Peer // during a rekey
		h.assertServed(last.Pair.PublicKey)
		if last.Retiring != nil {
			t.Errorf("after --now: %+v", last)
		}
	})
}

func TestRekeyWithAKeyMadeElsewhere(t *testing.T) {
	inHouse(t, func(h *house) {
		old := h.add("Anna").Peer
		public := must(must(newPrivate()).Public())
		e, err := h.Rekey(old.ID, &public, false)
		if err != nil || !e.PrivateKey.IsZero() || e.Peer.Pair.PublicKey != public {
			t.Errorf("%+v, %v", e, err)
		}
		h.assertServed(old.Pair.PublicKey, public)
		taken := old.Pair.PublicKey // retiring is in use, too
		if _, err := h.Add(AddRequest{Name: "Ben", PublicKey: &taken}); err == nil {
			t.Error("a retiring key was given to another peer")
		}
	})
}

func TestServerRekeyVoidsEveryConfig(t *testing.T) {
	inHouse(t, func(h *house) {
		before := must(h.Server())
		anna, ben := h.add("Anna").Peer, h.add("Ben").Peer
		h.rekey(ben.ID, false)
		_, seq := h.events(0)
		server, list, err := h.RekeyServer()
		if err != nil || server.PublicKey == before.PublicKey || server.Network4 != before.Network4 || server != must(h.Server()) {
			t.Errorf("the server is %v, %v", server, err)
		}
		if len(list) != 2 || !list[0].NeedsEnrolment || !reflect.DeepEqual(list, must(h.List())) {
			t.Errorf("the peers are %+v", list)
		}
		h.assertServed()
		if types, _ := h.events(seq); !slices.Equal(types, []journal.Type{journal.ServerRekeyed}) {
			t.Errorf("the journal has %v", types)
		}
		h.seen(anna.ID, anna.Pair.PublicKey) // a late report from before
		h.restart()
		h.assertServed()
		e := h.rekey(anna.ID, false)
		if e.Peer.NeedsEnrolment || e.Peer.Retiring != nil {
			t.Errorf("enrolled again: %+v", e.Peer)
		}
		h.assertServed(e.Peer.Pair.PublicKey)
		c, err := e.Config(server, "home.example.org:51820")
		if err != nil || !strings.Contains(c.Text(), "\nPublicKey="+server.PublicKey.String()+"\n") {
			t.Errorf("its config is %v, %v", c, err)
		}
	})
}
