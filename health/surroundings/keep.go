package surroundings

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/store"
)

const (
	bucket     = "health"
	kindOf     = "surroundings"
	writtenAge = time.Hour
	clockBy    = 5 * time.Minute // by how much a clock may be put right without a word
)

// record is what is kept in the store, so that a restart finds what changed meanwhile, and only that.
type record struct {
	Snapshot Snapshot                        `json:"snapshot"`
	Changed  map[health.Family]health.Change `json:"changed,omitempty"`
	Since    map[health.Family]time.Time     `json:"since,omitempty"` // sightings before it do not count
}

func (s *Surroundings) recall() (*record, error) {
	if s.kept != nil {
		return s.kept, nil
	}
	var r record
	err := s.cfg.Store.View(func(tx *store.Tx) (err error) {
		r, _, err = store.Get[record](tx, bucket, kindOf)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading what the surroundings were: %w", err)
	}
	return &r, nil
}

// keep writes what is new, and once an hour that all is as it was: a card in a small machine bears so many writes.
func (s *Surroundings) keep(r *record) error {
	s.kept = r
	if s.written.same(r) && r.Snapshot.At.Sub(s.written.Snapshot.At).Abs() < writtenAge {
		return nil
	}
	err := s.cfg.Store.Update(func(tx *store.Tx) error { return store.Put(tx, bucket, kindOf, *r) })
	if err != nil {
		return fmt.Errorf("keeping what the surroundings are: %w", err)
	}
	s.written = r
	return nil
}

// same tells whether two records differ in nothing but times that pass.
func (r *record) same(q *record) bool {
	if r == nil {
		return false
	}
	timeless := func(r *record) Snapshot {
		is := r.Snapshot
		is.At, is.Epoch = time.Time{}, gateway.Epoch{}
		is.Home.Global6 = make(map[string]time.Time)
		for a := range r.Snapshot.Home.Global6 {
			is.Home.Global6[a] = time.Time{}
		}
		return is
	}
	return reflect.DeepEqual(timeless(r), timeless(q)) && maps.Equal(r.Changed, q.Changed) && maps.Equal(r.Since, q.Since)
}

// note makes the record of now out of the one before. stepped: the clock was set. It tells what changed.
func (r *record) note(is Snapshot, stepped bool, sightings map[health.Family][]seen) (next *record, what map[health.Family]health.Code) {
	next = &record{Snapshot: is.over(r.Snapshot), Changed: maps.Clone(r.Changed), Since: maps.Clone(r.Since)}
	if r.Snapshot.At.IsZero() {
		return next, nil // nothing was ever seen
	}
	what = changes(r.Snapshot, is)
	for _, family := range health.Families {
		if _, noted := what[family]; stepped && !noted {
			what[family] = health.WhatClock
		}
	}
	for family, code := range what {
		if next.Changed == nil {
			next.Changed, next.Since = make(map[health.Family]health.Change), make(map[health.Family]time.Time)
		}
		next.Changed[family] = health.Change{At: is.At, What: code}
		next.Since[family] = is.At
		if code == health.WhatAddress { // which is seen from outside
			next.Since[family] = first(sightings[family], is)
		}
	}
	return next, what
}

// first is since when the new address was seen.
func first(all []seen, is Snapshot) time.Time {
	at := is.At
	for _, s := range all {
		if s.Address == is.Public && s.At.Before(at) {
			at = s.At
		}
	}
	return at
}

// stepped tells whether the clock was set since the last look, or, after a restart, put back. Config.Now may be a clock that never
// goes back, and without a monotonic reading: the machine's own is asked.
func (s *Surroundings) stepped(now time.Time, before Snapshot) bool {
	last := s.last
	s.last = time.Now()
	if last.IsZero() {
		return before.At.Sub(now) > clockBy
	}
	return apart(s.last.Round(0).Sub(last.Round(0)), s.last.Sub(last)) // Round strips the monotonic reading
}

// apart tells whether the wall clock went on by more or less than the monotonic one did. A machine that slept is apart as well,
// and may have woken up elsewhere.
func apart(wall, steady time.Duration) bool { return (wall - steady).Abs() > clockBy }

// marks tell one key of a witness from another without showing anything of it.
func marks(setup health.Setup) map[string]string {
	out := make(map[string]string, len(setup.Witnesses))
	for _, w := range setup.Witnesses {
		sum := sha256.Sum256([]byte(w.Invite.Reveal()))
		out[w.Name] = hex.EncodeToString(sum[:8])
	}
	return out
}
