package account

import (
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

const guardBucket = "backoff"

// guardRecord is one count or one level on the disk.
type guardRecord struct {
	Wrong int           `json:"wrong,omitempty"`
	Owed  time.Duration `json:"owed,omitempty"` // until the bucket is full
}

// save writes what the lane changed. Wrong tokens are not written: nobody guesses 256 bits, and a program with an old token
// would write to the card all day.
func (g *guard) save(l lane, now time.Time, gone []string) error {
	if l.subject == tokenGuess {
		return nil
	}
	return g.store.Update(func(tx *store.Tx) error {
		for _, name := range gone {
			if err := store.Delete(tx, guardBucket, name); err != nil {
				return err
			}
		}
		if err := putCount(tx, l.name(), guardRecord{Wrong: g.counters[l.name()].wrong}); err != nil || l.alone {
			return err
		}
		owed := max(0, g.levels[l.subject].full.Sub(now))
		return putCount(tx, string(l.subject)+"/"+everybody, guardRecord{Owed: owed})
	})
}

func putCount(tx *store.Tx, key string, r guardRecord) error {
	if r == (guardRecord{}) {
		return store.Delete(tx, guardBucket, key)
	}
	return store.Put(tx, guardBucket, key, r)
}

// load reads the counts once. Their waits begin anew at the daemon's start: the time that it was off is not known.
func (g *guard) load() error {
	if g.loaded {
		return nil
	}
	err := g.store.View(func(tx *store.Tx) error {
		return store.Each(tx, guardBucket, func(key string, r guardRecord) error {
			if s, ok := strings.CutSuffix(key, "/"+everybody); ok {
				g.levels[subject(s)] = level{full: g.started.Add(r.Owed)}
			} else {
				g.counters[key] = counter{wrong: r.Wrong, last: g.started}
			}
			return nil
		})
	})
	g.loaded = err == nil
	return err
}
