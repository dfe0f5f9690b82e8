package peers

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/hearthgate/hearthgate/internal/store"
)

// TestAnswersAreNeverOld: a change that another registry on the same store has made is seen at once too, though nobody told
// this one.
func TestAnswersAreNeverOld(t *testing.T) {
	inHouse(t, func(h *house) {
		other := New(h.store, h.journal, h.mark, slog.New(slog.DiscardHandler))
		id := h.add("Anna").Peer.ID
		names := []string{"Ben", "Carl", "Dora"}
		for i, name := range names {
			if _, err := h.List(); err != nil { // it has its copy
				t.Fatal(err)
			}
			if _, err := other.Rename(id, name); err != nil {
				t.Fatal(err)
			}
			list, err := h.List()
			if err != nil || list[0].Name != name {
				t.Fatalf("change %d: listed is %+v, %v", i, list, err)
			}
			if p, err := h.Find(name); err != nil || p.ID != id || h.get(id).Name != name {
				t.Errorf("change %d: found is %+v, %v", i, p, err)
			}
		}
		before := must(h.Server())
		if _, _, err := other.RekeyServer(); err != nil {
			t.Fatal(err)
		}
		if after := must(h.Server()); after.PublicKey == before.PublicKey {
			t.Error("the server's old key is given")
		}
		h.assertServed()
		if _, err := other.Rekey(id, nil, false); err != nil {
			t.Fatal(err)
		}
		if len(h.served()) != 1 {
			t.Error("a peer with a new code is not served")
		}
		forget := other.ForgetService(DefaultService)
		if err := h.store.Update(func(tx *store.Tx) error { return forget(tx) }); err != nil {
			t.Fatal(err)
		}
		if p := h.get(id); len(p.Services) != 0 {
			t.Errorf("a removed service is still listed: %v", p.Services)
		}
		if err := other.Remove(id); err != nil {
			t.Fatal(err)
		}
		if list, err := h.List(); err != nil || len(list) != 0 {
			t.Errorf("a removed peer is listed: %+v, %v", list, err)
		}
	})
}

// TestAnswersAreTheCallers: what a caller does to an answer stays with the caller.
func TestAnswersAreTheCallers(t *testing.T) {
	inHouse(t, func(h *house) {
		id := h.add("Anna").Peer.ID
		h.rekey(id, false)
		list := must(h.List())
		list[0].Name, list[0].Services[0] = "Mallory", "nas"
		*list[0].Retiring = Pair{}
		allowed := must(h.Allowed())
		allowed[0].Services[0] = "nas"
		if p := h.get(id); p.Name != "Anna" || p.Services[0] != DefaultService || !p.Retiring.IPv4.IsValid() {
			t.Errorf("the peer is %+v", p)
		}
		if a := must(h.Allowed()); a[0].Services[0] != DefaultService {
			t.Errorf("it may reach %v", a[0].Services)
		}
	})
}

// TestNoAnswerIsOlderThanItsChange has many who change and ask at once: whoever was told that a change is done reads it.
func TestNoAnswerIsOlderThanItsChange(t *testing.T) {
	inHouse(t, func(h *house) {
		var all sync.WaitGroup
		for n := range 4 {
			id := h.add(fmt.Sprint("phone ", n)).Peer.ID
			all.Go(func() {
				for i := range 20 {
					name := fmt.Sprintf("phone %d.%d", n, i)
					if _, err := h.Rename(id, name); err != nil {
						t.Error(err)
						return
					}
					for _, p := range must(h.List()) {
						if p.ID == id && p.Name != name {
							t.Errorf("it was renamed to %q and is listed as %q", name, p.Name)
						}
					}
				}
			})
		}
		all.Wait()
	})
}

func BenchmarkList(b *testing.B) {
	benchmark(b, func(r *Registry) error { _, err := r.List(); return err })
}

func BenchmarkAllowed(b *testing.B) {
	benchmark(b, func(r *Registry) error { _, err := r.Allowed(); return err })
}

func BenchmarkGet(b *testing.B) {
	var id string
	benchmark(b, func(r *Registry) error {
		if id == "" {
			id = must(r.List())[500].ID
		}
		_, err := r.Get(id)
		return err
	})
}

// BenchmarkListAfterChange is the price of the first question after a change.
func BenchmarkListAfterChange(b *testing.B) {
	benchmark(b, func(r *Registry) error { r.copy.Store(nil); _, err := r.List(); return err })
}

// benchmark asks a registry of 1,000 peers.
func benchmark(b *testing.B, ask func(*Registry) error) {
	r := realRegistry(b, b.TempDir()+"/state")
	id := must(r.Add(AddRequest{Name: "phone"})).Peer.ID
	err := r.store.Update(func(tx *store.Tx) error {
		for i := range 999 {
			p, err := getPeer(tx, id)
			if err != nil {
				return err
			}
			p.Name, p.Pair.Index = fmt.Sprint("phone ", i), i+3
			if err := putPeer(tx, newID(), *p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := ask(r); err != nil {
			b.Fatal(err)
		}
	}
}
