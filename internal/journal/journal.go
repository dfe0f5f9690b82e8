// Package journal keeps what happened: an append-only log of events in the store, which pages, alerts and metrics read
// and follow. What happens anywhere is written here once.
//
// It keeps true that an event is recorded if and only if the change that it tells of is (RecordTx shares the change's
// transaction), that subscribers see events after they are on the disk and in their order, that a slow subscriber never
// holds up a writer, and that the log does not grow: the newest 10,000 events stay.
//
// An Event has a number, Seq, that counts up by one and is never used twice. To follow the journal without a gap,
// subscribe first and read After what you know already, then take from the channel what is newer than what you have read;
// Follow does that.
//
// It never interprets an event, and never holds a secret.
package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

const (
	bucket = "journal"

	// keep: with one event every five minutes, more than a month. At about 250 bytes each, 2.5 MB on the disk.
	keep = 10_000

	// slack: so many more may be on the disk, so that the old end of the log is written once for a hundred events and not
	// each time. They are not shown.
	slack = 100
)

// Journal is the log. Its methods may be called from several goroutines.
type Journal struct {
	store *store.Store
	now   func() time.Time
	log   *slog.Logger
	hub   hub
}

// New makes a journal in st. Events without a time get now's, and every event is also logged.
func New(st *store.Store, now func() time.Time, log *slog.Logger) *Journal {
	return &Journal{store: st, now: now, log: log}
}

// Record writes an event in a transaction of its own. It must not be called inside one.
func (j *Journal) Record(e Event) error {
	return j.store.Update(func(tx *store.Tx) error { return j.RecordTx(tx, e) })
}

// RecordTx writes an event in the transaction of the change that it tells of. Seq is set here, and Time if it is zero.
// Subscribers and the log get the event when the transaction is on the disk, and not at all when it is dropped.
func (j *Journal) RecordTx(tx *store.Tx, e Event) error {
	if e.Type == "" {
		return errors.New("recording an event: it has no type")
	}
	if e.Time.IsZero() {
		e.Time = j.now()
	}
	e.Time = e.Time.UTC()
	seq, err := store.Append(tx, bucket, func(seq uint64) Event {
		e.Seq = seq
		return e
	})
	if err == nil {
		err = prune(tx, seq)
	}
	if err != nil {
		return fmt.Errorf("recording event %q: %w", e.Type, err)
	}
	tx.OnCommit(func() {
		j.hub.publish(e)
		j.report(e)
	})
	return nil
}

// prune removes what is too old, a hundred at a time.
func prune(tx *store.Tx, last uint64) error {
	if last <= keep || last%slack != 0 {
		return nil
	}
	return store.Trim(tx, bucket, oldest(last))
}

// oldest is the number of the oldest event that is shown when last is the newest.
func oldest(last uint64) uint64 {
	if last <= keep {
		return 1
	}
	return last - keep + 1
}

// report writes the event to the log: what goes into the journal is what a household could notice.
func (j *Journal) report(e Event) {
	args := []any{"type", string(e.Type), "seq", e.Seq}
	if e.PeerName != "" {
		args = append(args, "peer", e.PeerName)
	}
	if e.Message != "" {
		args = append(args, "message", e.Message)
	}
	j.log.Info("event recorded", args...)
}
