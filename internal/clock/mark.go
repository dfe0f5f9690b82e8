package clock

import (
	"fmt"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

const (
	bucket  = "clock"
	markKey = "mark"

	// step is how far the clock must be past the mark before the mark is written again: 144 writes a day, which no card
	// notices, and after a power cycle a peer that had less than this to live may live it once more. A clock that has just
	// been set is further ahead than that and is written at once.
	step = 10 * time.Minute
)

// record is how the mark is kept.
type record struct {
	Time time.Time `json:"time"`
}

// Mark is the latest moment that a synchronised clock has shown. Its methods may be called from several goroutines, and
// all but Advance inside a transaction of the store.
type Mark struct {
	store *store.Store
	clock Clock

	mu    sync.Mutex
	saved time.Time // as it is in the store; zero when there is none
	since time.Time // when this process read or wrote it, with Go's monotonic reading; zero when it could not be read
}

// NewMark reads the mark that is saved in st. When that fails, Effective is the clock alone until an Advance could read
// it; Advance returns the error.
func NewMark(st *store.Store, c Clock) *Mark {
	m := &Mark{store: st, clock: c}
	_ = m.load() // Advance returns it
	return m
}

// Effective is the time to compare an expiry with: the later of the clock, and the mark plus the time that has passed
// since this process learnt it.
func (m *Mark) Effective() time.Time {
	now, floor := m.clock.Now(), m.floor()
	if now.Before(floor) {
		return floor
	}
	return now
}

// Synchronised says whether Effective is a time that somebody vouches for, so that what has expired by it may be recorded
// as expired. A synchronised clock that stands far behind the mark contradicts it: then one of the two was wrong, and
// nothing is destroyed.
func (m *Mark) Synchronised() bool {
	return m.clock.Synchronised() && !m.clock.Now().Add(step).Before(m.floor())
}

// Advance saves the clock as the mark if it is synchronised and at least ten minutes past the mark; otherwise it does
// nothing. It is meant to be called often. It must not be called inside a transaction of the store.
func (m *Mark) Advance() error {
	saved, err := m.current()
	if err != nil {
		return fmt.Errorf("advancing the clock's mark: %w", err)
	}
	now := m.clock.Now()
	if !m.clock.Synchronised() || now.Sub(saved) < step {
		return nil
	}
	err = m.store.Update(func(tx *store.Tx) error {
		have, _, err := store.Get[record](tx, bucket, markKey)
		if err != nil || !have.Time.Before(now) { // somebody else's Advance was first
			return err
		}
		return store.Put(tx, bucket, markKey, record{Time: now.UTC()})
	})
	if err != nil {
		return fmt.Errorf("advancing the clock's mark: %w", err)
	}
	m.set(now)
	return nil
}

// floor is the mark and the time since.
func (m *Mark) floor() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.saved.IsZero() {
		return time.Time{}
	}
	return m.saved.Add(time.Since(m.since))
}

// current is the saved mark; it reads it if that has not worked yet.
func (m *Mark) current() (time.Time, error) {
	if err := m.load(); err != nil {
		return time.Time{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.saved, nil
}

// load reads the mark unless it has been read. The store is not asked under mu: whoever is inside a transaction and asks
// for Effective would wait for a writer that waits for mu.
func (m *Mark) load() error {
	m.mu.Lock()
	known := !m.since.IsZero()
	m.mu.Unlock()
	if known {
		return nil
	}
	var saved record
	err := m.store.View(func(tx *store.Tx) (err error) {
		saved, _, err = store.Get[record](tx, bucket, markKey)
		return err
	})
	if err == nil {
		m.set(saved.Time)
	}
	return err
}

// set moves the mark forward in memory.
func (m *Mark) set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.since.IsZero() || m.saved.Before(t) {
		m.saved, m.since = t.Round(0), time.Now() // Round(0): Add must not take the monotonic reading along
	}
}
