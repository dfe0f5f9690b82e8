package peers

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/internal/store"
)

func TestInitKeepsWhatItMade(t *testing.T) {
	inHouse(t, func(h *house) {
		first, err := h.Server()
		if err != nil {
			t.Fatal(err)
		}
		if public, _ := first.PrivateKey.Public(); public != first.PublicKey || public.IsZero() {
			t.Errorf("the server's keys do not belong together")
		}
		if first.Address4 != first.Network4.Addr().Next() || first.Address6 != first.Network6.Addr().Next() {
			t.Errorf("the server has %v and %v in %v and %v", first.Address4, first.Address6, first.Network4, first.Network6)
		}
		h.restart()
		again, err := h.Init([]netip.Prefix{first.Network4, first.Network6})
		if err != nil || again != first {
			t.Errorf("the second start gives %v, %v; want %v", again, err, first)
		}
	})
}

func TestAddShowsEverywhere(t *testing.T) {
	inHouse(t, func(h *house) {
		server, _ := h.Server()
		e := h.add("  Anna's phone ")
		p := e.Peer
		if p.Name != "Anna's phone" || p.ID == "" || !slices.Equal(p.Services, []string{"home-assistant"}) || p.Pair.PresharedKey.IsZero() {
			t.Errorf("added %+v", p)
		}
		if public, err := e.PrivateKey.Public(); err != nil || public != p.Pair.PublicKey {
			t.Errorf("the private key in the answer does not fit the peer's public key: %v", err)
		}
		if !server.Network4.Contains(p.Pair.IPv4) || !server.Network6.Contains(p.Pair.IPv6) || p.Pair.IPv4 == server.Address4 {
			t.Errorf("its addresses are %v and %v", p.Pair.IPv4, p.Pair.IPv6)
		}
		h.restart()
		list, err := h.List()
		if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], p) {
			t.Errorf("after a restart the list is %+v, %v; want %+v", list, err, p)
		}
		if found, err := h.Find("ANNA'S PHONE "); err != nil || found.ID != p.ID {
			t.Errorf("found %+v, %v", found, err)
		}
		allowed, err := h.Allowed()
		want := Access{PeerID: p.ID, Name: p.Name, Pair: p.Pair, Services: p.Services}
		if err != nil || len(allowed) != 1 || !reflect.DeepEqual(allowed[0], want) {
			t.Errorf("allowed is %+v, %v; want %+v", allowed, err, want)
		}
		if types, _ := h.events(0); !slices.Equal(types, []journal.Type{journal.PeerAdded}) {
			t.Errorf("the journal has %v", types)
		}
	})
}

func TestRefusalsChangeNothing(t *testing.T) {
	inHouse(t, func(h *house) {
		anna, server := h.add("Anna").Peer, must(h.Server())
		own := anna.Pair.PublicKey
		past, far := h.Now(), h.Now().AddDate(10, 0, 1)
		before, _ := h.List()
		_, seq := h.events(0)
		for what, c := range map[string]struct {
			do   func() error
			want error
		}{
			"add an empty name":      {func() error { _, err := h.Add(AddRequest{}); return err }, ErrInvalid},
			"add a line":             {func() error { _, err := h.Add(AddRequest{Name: "a\nPostUp=b"}); return err }, ErrInvalid},
			"add a taken name":       {func() error { _, err := h.Add(AddRequest{Name: " anna"}); return err }, ErrNameTaken},
			"add a taken key":        {func() error { _, err := h.Add(AddRequest{Name: "B", PublicKey: &own}); return err }, ErrKeyTaken},
			"add the server's key":   {func() error { _, err := h.Add(AddRequest{Name: "B", PublicKey: &server.PublicKey}); return err }, ErrKeyTaken},
			"add a zero key":         {func() error { _, err := h.Add(AddRequest{Name: "B", PublicKey: &key.Public{}}); return err }, ErrInvalid},
			"add a past date":        {func() error { _, err := h.Add(AddRequest{Name: "B", ExpiresAt: past}); return err }, ErrInvalid},
			"add a far date":         {func() error { _, err := h.Add(AddRequest{Name: "B", ExpiresAt: far}); return err }, ErrInvalid},
			"add a bad service":      {func() error { _, err := h.Add(AddRequest{Name: "B", Services: []string{"a b"}}); return err }, ErrInvalid},
			"rename to nothing":      {func() error { _, err := h.Rename(anna.ID, " "); return err }, ErrInvalid},
			"rename nobody":          {func() error { _, err := h.Rename("nobody", "C"); return err }, ErrNotFound},
			"disable nobody":         {func() error { _, err := h.SetDisabled("nobody", true); return err }, ErrNotFound},
			"a past date":            {func() error { _, err := h.SetExpiry(anna.ID, past); return err }, ErrInvalid},
			"a date for nobody":      {func() error { _, err := h.SetExpiry("", time.Time{}); return err }, ErrNotFound},
			"services for nobody":    {func() error { _, err := h.SetServices("nobody", nil); return err }, ErrNotFound},
			"an empty service":       {func() error { _, err := h.SetServices(anna.ID, []string{""}); return err }, ErrInvalid},
			"rekey nobody":           {func() error { _, err := h.Rekey("nobody", nil, false); return err }, ErrNotFound},
			"rekey with its own key": {func() error { _, err := h.Rekey(anna.ID, &own, false); return err }, ErrKeyTaken},
			"remove nobody":          {func() error { return h.Remove("nobody\n") }, ErrNotFound},
			"get nobody":             {func() error { _, err := h.Get("nobody"); return err }, ErrNotFound},
			"find nobody":            {func() error { _, err := h.Find("nobody\x00"); return err }, ErrNotFound},
		} {
			err := c.do()
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v; want %v", what, err, c.want)
				continue
			}
			assertSentence(t, err)
			if reading := strings.HasPrefix(what, "get") || strings.HasPrefix(what, "find"); !reading && strings.Count(err.Error(), "nothing was changed") != 1 {
				t.Errorf("%s: %q does not say once that nothing was changed", what, err)
			}
		}
		if after, _ := h.List(); !reflect.DeepEqual(before, after) {
			t.Errorf("refusals changed %+v to %+v", before, after)
		}
		if types, _ := h.events(seq); len(types) > 0 {
			t.Errorf("refusals are in the journal: %v", types)
		}
	})
}

func TestChanges(t *testing.T) {
	inHouse(t, func(h *house) {
		anna, ben := h.add("Anna").Peer, h.add("Ben").Peer
		_, seq := h.events(0)
		check := func(p Peer, err error, ok bool, types ...journal.Type) {
			t.Helper()
			if err != nil || !ok || !reflect.DeepEqual(p, h.get(p.ID)) {
				t.Errorf("%+v, %v; saved %+v", p, err, h.get(anna.ID))
			}
			var got []journal.Type
			if got, seq = h.events(seq); !slices.Equal(got, types) {
				t.Errorf("the journal has %v, want %v", got, types)
			}
		}
		if _, err := h.Rename(anna.ID, "BEN"); !errors.Is(err, ErrNameTaken) || !strings.Contains(err.Error(), `"Ben"`) {
			t.Errorf("renaming to a taken name: %v", err)
		}
		p, err := h.Rename(anna.ID, "ANNA")
		check(p, err, p.Name == "ANNA", journal.PeerChanged)
		p, err = h.Rename(anna.ID, "ANNA")
		check(p, err, p.Name == "ANNA")
		p, err = h.SetDisabled(anna.ID, true)
		check(p, err, p.Disabled, journal.PeerChanged)
		h.assertServed(ben.Pair.PublicKey)
		p, err = h.SetDisabled(anna.ID, true)
		check(p, err, p.Disabled)
		p, err = h.SetDisabled(anna.ID, false)
		check(p, err, !p.Disabled, journal.PeerChanged)
		h.assertServed(anna.Pair.PublicKey, ben.Pair.PublicKey)
		p, err = h.SetServices(anna.ID, []string{"home-assistant", "esphome", "esphome"})
		check(p, err, slices.Equal(p.Services, []string{"home-assistant", "esphome"}), journal.PeerChanged)
		p, err = h.SetServices(anna.ID, []string{"home-assistant", "esphome"})
		check(p, err, true)
		p, err = h.SetServices(ben.ID, nil)
		check(p, err, len(p.Services) == 0, journal.PeerChanged)
		if err := h.store.Update(h.ForgetService("esphome")); err != nil {
			t.Error(err)
		}
		check(h.get(anna.ID), nil, slices.Equal(h.get(anna.ID).Services, []string{"home-assistant"}), journal.PeerChanged)
		if err := h.Remove(anna.ID); err != nil {
			t.Error(err)
		}
		check(h.get(ben.ID), nil, true, journal.PeerRemoved)
		h.assertServed(ben.Pair.PublicKey)
		if again := h.add("anna").Peer; again.ID == anna.ID || again.Pair.IPv4 == anna.Pair.IPv4 {
			t.Errorf("a new peer has the ID or the address of the removed one")
		}
	})
}

func TestWatchTellsOfChanges(t *testing.T) {
	inHouse(t, func(h *house) {
		changes, stop := h.Watch()
		defer stop()
		told := func() bool {
			select {
			case <-changes:
				return true
			default:
				return false
			}
		}
		anna := h.add("Anna").Peer
		h.add("Ben")
		if !told() || told() {
			t.Error("two changes that were not read yet are not one notice")
		}
		if _, err := h.Rename(anna.ID, "Ben"); err == nil || told() {
			t.Error("a refusal is told as a change")
		}
		if _, err := h.SetDisabled(anna.ID, false); err != nil || told() {
			t.Error("what changed nothing is told as a change")
		}
		for what, change := range map[string]func() error{
			"rename":       func() error { _, err := h.Rename(anna.ID, "Carl"); return err },
			"rekey":        func() error { _, err := h.Rekey(anna.ID, nil, false); return err },
			"server rekey": func() error { _, _, err := h.RekeyServer(); return err },
			"services":     func() error { _, err := h.SetServices(anna.ID, nil); return err },
		} {
			if err := change(); err != nil || !told() {
				t.Errorf("%s: %v, or nobody was told", what, err)
			}
		}
		stop()
		stop()
		if err := h.Remove(anna.ID); err != nil {
			t.Error(err)
		}
	})
}

// TestDamagedRecord: one record that cannot be read is an error that names it, and
// not a peer with a key of zeros.
func TestDamagedRecord(t *testing.T) {
	inHouse(t, func(h *house) {
		e := h.add("Anna")
		err := h.store.Update(func(tx *store.Tx) error {
			p, _, err := store.Get[peerRecord](tx, peerBucket, e.Peer.ID)
			p.Pair.PresharedKey = "(hidden)"
			return errors.Join(err, store.Put(tx, peerBucket, e.Peer.ID, p))
		})
		if err != nil {
			t.Fatal(err)
		}
		if allowed, err := h.Allowed(); err == nil || !strings.Contains(err.Error(), "Anna") {
			t.Errorf("Allowed gives %v, %v", allowed, err)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
