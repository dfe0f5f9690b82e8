package peers

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/internal/store"
)

// realRegistry is one without a bubble, on the machine's clock.
func realRegistry(t testing.TB, dir string) *Registry {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() }) // a test may have closed it
	log := slog.New(slog.DiscardHandler)
	mark := clock.NewMark(st, &wallClock{})
	r := New(st, journal.New(st, mark.Effective, log), mark, log)
	if _, err := r.Init(nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// assertWhole asks for what must hold at every moment: no name, key or address
// belongs to two.
func assertWhole(t *testing.T, r *Registry) []Peer {
	t.Helper()
	list, err := r.List()
	if err != nil {
		t.Error(err)
	}
	names, public, addrs := map[string]bool{}, map[key.Public]bool{}, map[netip.Addr]bool{}
	for _, p := range list {
		pairs := []Pair{p.Pair}
		if p.Retiring != nil {
			pairs = append(pairs, *p.Retiring)
		}
		if names[foldName(p.Name)] {
			t.Errorf("two peers are called %q", p.Name)
		}
		names[foldName(p.Name)] = true
		for _, pair := range pairs {
			if public[pair.PublicKey] || addrs[pair.IPv4] || addrs[pair.IPv6] {
				t.Errorf("%q shares %v, %v or %v", p.Name, pair.PublicKey, pair.IPv4, pair.IPv6)
			}
			public[pair.PublicKey], addrs[pair.IPv4], addrs[pair.IPv6] = true, true, true
		}
	}
	return list
}

func TestManyAtOnce(t *testing.T) {
	r := realRegistry(t, t.TempDir()+"/state")
	var work, looking sync.WaitGroup
	done := make(chan struct{})
	looking.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				assertWhole(t, r)
			}
		}
	})
	for worker := range 8 {
		work.Go(func() {
			for i := range 6 {
				// Half of the workers want the same names.
				e, err := r.Add(AddRequest{Name: fmt.Sprintf("phone %d-%d", worker/2, i)})
				if errors.Is(err, ErrNameTaken) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := r.Rekey(e.Peer.ID, nil, i%2 == 0); err != nil {
					t.Error(err)
				}
				if err := r.Seen(e.Peer.ID, e.Peer.Pair.PublicKey, time.Now()); err != nil {
					t.Error(err)
				}
				if _, err := r.Sweep(); err != nil {
					t.Error(err)
				}
				if i%3 == 0 {
					if err := r.Remove(e.Peer.ID); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	work.Wait()
	close(done)
	looking.Wait()
	list := assertWhole(t, r)
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	if len(list) < 4*4 {
		t.Errorf("of 24 phones, of which 8 were removed, these are there: %q", names)
	}
}
