package usage

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// openAgain gives the count a store that works again.
func openAgain(h *house) (*store.Store, error) {
	st, err := store.Open(h.dir)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cfg.Store = st
	return st, err
}

const crowd = 1000

// crowded makes a count of 1,000 peers that carry gigabytes each day of a month.
func crowded(t testing.TB) (*Usage, *store.Store) {
	t.Helper()
	st, err := store.Open(t.TempDir() + "/state")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	var ids []string
	for i := range crowd {
		ids = append(ids, fmt.Sprintf("abcdefghijkl%04d", i))
	}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	counters := map[string]Counters{}
	u := New(Config{
		Store: st, Location: time.UTC, Now: func() time.Time { return now },
		Source: func() map[string]Counters { return counters },
		Known:  func() ([]string, error) { return ids, nil },
	})
	for day := range 40 {
		next := make(map[string]Counters, crowd)
		for i, id := range ids {
			next[id] = Counters{
				Received: counters[id].Received + 1_234_567_890 + int64(i*day),
				Sent:     counters[id].Sent + 12_345_678_901 + int64(i+day),
			}
		}
		counters = next
		u.sample()
		for _, a := range u.peers { // as after two days
			for j := range a.recent {
				a.recent[j].at -= recentFor
			}
		}
		u.write()
		now = now.Add(24 * time.Hour)
	}
	return u, st
}

// TestSpace: a thousand phones at their busiest.
func TestSpace(t *testing.T) {
	u, st := crowded(t)
	size, total := 0, 0
	err := st.View(func(tx *store.Tx) error {
		return store.Each(tx, bucket, func(_ string, r record) error {
			size = max(size, len(fmt.Sprint(r)))
			total++
			return nil
		})
	})
	if err != nil || total != crowd {
		t.Fatalf("%d records, %v", total, err)
	}
	info, err := os.Stat(st.Path())
	if err != nil {
		t.Fatal(err)
	}
	var with, without runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&with)
	u.peers = nil
	runtime.GC()
	runtime.ReadMemStats(&without)
	held := int64(with.HeapAlloc) - int64(without.HeapAlloc)
	t.Logf("the largest record has about %d bytes, the file %d KiB, memory holds %d KiB", size, info.Size()>>10, held>>10)
	if size > 1000 || held > 2<<20 || info.Size() > 2<<20 {
		t.Error("that is too much")
	}
	runtime.KeepAlive(u)
}

func BenchmarkDays(b *testing.B) {
	u, _ := crowded(b)
	b.ReportAllocs()
	for b.Loop() {
		if days, err := u.Days("abcdefghijkl0500"); err != nil || days[28].Received == 0 {
			b.Fatal(days, err)
		}
	}
}
