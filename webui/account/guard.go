package account

import (
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// guard keeps the counts of backoff.go, in memory and in the store. Its mutex is held through a change of the store: charges
// come one after the other, and there are never more of them than the buckets allow.
type guard struct {
	store   *store.Store
	started time.Time // what was counted before is taken as having happened then

	mu       sync.Mutex
	loaded   bool
	counters map[string]counter // by lane.name
	levels   map[subject]level
}

const (
	// everybody is the key of a bucket's level beside the lanes' counts. No source is called so.
	everybody = "*"
	// mostSources are kept of each subject; then the one that has been quiet for longest is forgotten. An attacker who
	// has more addresses than that is held by the bucket.
	mostSources = 256
	// mostCounts are kept altogether, so that nobody who signs in and out all day fills the memory.
	mostCounts = 2048
)

func newGuard(st *store.Store, started time.Time) *guard {
	return &guard{store: st, started: started, counters: make(map[string]counter), levels: make(map[subject]level)}
}

// check is a *Wait when a guess in the lane would come too soon. It counts nothing.
func (g *guard) check(l lane) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.load(); err != nil {
		return err
	}
	return g.wait(l, time.Now())
}

// charge counts a guess as wrong, before anybody looks at it. When it returns nil, that is on the disk.
func (g *guard) charge(l lane) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.load(); err != nil {
		return err
	}
	now := time.Now()
	if err := g.wait(l, now); err != nil {
		return err
	}
	g.counters[l.name()] = g.counters[l.name()].charged(now)
	if !l.alone {
		g.levels[l.subject] = g.levels[l.subject].charged(bucketOf(l.subject), now)
	}
	return g.save(l, now, g.forget(l, now))
}

// forgive takes a charge back, and the lane's other wrong guesses with it: the guess was right.
func (g *guard) forgive(l lane) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.counters, l.name())
	if !l.alone {
		g.levels[l.subject] = g.levels[l.subject].refunded(bucketOf(l.subject))
	}
	return g.save(l, time.Now(), nil)
}

// forgetAll is for whoever owns the machine.
func (g *guard) forgetAll() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.store.Update(func(tx *store.Tx) error {
		return store.Each(tx, guardBucket, func(key string, _ guardRecord) error { return store.Delete(tx, guardBucket, key) })
	})
	if err != nil {
		return err
	}
	g.loaded = true
	clear(g.counters)
	clear(g.levels)
	return nil
}

func (g *guard) wait(l lane, now time.Time) error {
	remaining := g.counters[l.name()].remaining(now)
	if !l.alone {
		remaining = max(remaining, g.levels[l.subject].remaining(bucketOf(l.subject), now))
	}
	if remaining > 0 {
		return &Wait{Remaining: remaining}
	}
	return nil
}

// forget drops counts that no longer matter or are too many, and gives their names.
func (g *guard) forget(l lane, now time.Time) []string {
	var gone []string
	sources := 0
	oldest, oldestSource := "", ""
	for name, c := range g.counters {
		if c.forgotten(now) {
			gone = append(gone, name)
			continue
		}
		oldest = g.older(oldest, name)
		if l.rivals(name) {
			sources++
			oldestSource = g.older(oldestSource, name)
		}
	}
	if sources > mostSources {
		gone = append(gone, oldestSource)
	} else if len(g.counters)-len(gone) > mostCounts {
		gone = append(gone, oldest)
	}
	for _, name := range gone {
		delete(g.counters, name)
	}
	return gone
}

func (g *guard) older(a, b string) string {
	if a == "" || g.counters[b].last.Before(g.counters[a].last) {
		return b
	}
	return a
}
