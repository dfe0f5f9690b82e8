// Package store keeps Hearthgate's state on disk: one bbolt file in a directory that only its owner can read.
//
// What it keeps true. A change that Update has returned nil for is there after SIGKILL and after power loss, whole; a
// change that did not come so far is not there at all. One process at a time has the state open. A file that we did not
// write just so is never written to: it is checked, page by page and record by record, before bbolt sees it, and what
// does not hold is ErrDamaged with the path; nor is it ever made anew in silence, since an empty file is a lost one.
//
// Its nouns. The state directory, mode 0700, holds hearthgate.db (0600) and hearthgate.lock, which names the process
// that has it open. The file holds buckets by name; a bucket holds records, JSON under a key, each with a checksum over
// its bucket, its key and its text, because bbolt itself has checksums for its two meta pages only. A log is a bucket
// whose keys count up. FormatVersion stands in the record hearthgate/format.
//
// It never caches, never decides what a record means, never runs without sync, never repairs.
package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// FormatVersion is the format that this Hearthgate writes. It rises when an older Hearthgate would misread the records.
const FormatVersion = 1

const (
	fileName = "hearthgate.db"
	lockName = "hearthgate.lock"
)

// Store is the open state. Its methods may be called from several goroutines.
type Store struct {
	path string
	db   *bolt.DB
	lock *lock

	writing sync.Mutex            // held through a change and what OnCommit asked for, so that these come in order
	failed  atomic.Pointer[error] // the fault of a disk that could not be read
}

// Path is the file that holds the state.
func (s *Store) Path() string { return s.path }

// Dir is the state directory.
func (s *Store) Dir() string { return filepath.Dir(s.path) }

// Close waits for the transactions under way and lets another process open the state. A second Close does nothing.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.lock == nil {
		return nil
	}
	var err error
	if s.failed.Load() == nil { // after a fault bbolt may hold its own locks for good
		err = s.db.Close()
	}
	err = errors.Join(err, s.lock.release())
	s.lock = nil
	if err != nil {
		return fmt.Errorf("closing state %q: %w", s.path, err)
	}
	return nil
}

// View shows fn one moment of the state. Changes that others make meanwhile do not appear in it. Neither View nor Update
// may be called inside fn: a write that grows the file waits for every View to end.
func (s *Store) View(fn func(*Tx) error) error {
	return s.guard(func() error {
		btx, err := s.db.Begin(false)
		if err != nil {
			return s.explain("reading", err)
		}
		defer func() { _ = btx.Rollback() }() // a read has nothing to undo
		return fn(&Tx{bolt: btx, store: s})
	})
}

// Update lets fn change the state. When fn returns nil and Update does, the changes are on the disk; in every other case
// none of them is. Changes come one at a time. Errors of fn are returned as they are. Neither View nor Update may be
// called inside fn.
func (s *Store) Update(fn func(*Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	tx := &Tx{store: s}
	if err := s.guard(func() error { return s.change(tx, fn) }); err != nil {
		return err
	}
	for _, then := range tx.then {
		then()
	}
	return nil
}

func (s *Store) change(tx *Tx, fn func(*Tx) error) error {
	btx, err := s.db.Begin(true)
	if err != nil {
		return s.explain("changing", err)
	}
	defer func() { _ = btx.Rollback() }() // after a commit it does nothing; also when fn panics
	tx.bolt = btx
	if err := fn(tx); err != nil {
		return err
	}
	id := btx.ID()
	if err := btx.Commit(); err != nil {
		return s.explainWriting(id, err)
	}
	return nil
}

func (s *Store) explain(doing string, err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	return fmt.Errorf("%s state %q: %w", doing, s.path, err)
}

// explainWriting says that nothing was changed, which is so unless the very last sync failed: then the change can be seen,
// and only a restart tells whether it is on the disk.
func (s *Store) explainWriting(id int, err error) error {
	err = s.explain("writing", err)
	current, beginErr := s.db.Begin(false)
	if beginErr != nil {
		return errors.Join(err, beginErr)
	}
	defer func() { _ = current.Rollback() }() // a read has nothing to undo
	if current.ID() == id {
		return fmt.Errorf("%w; restart Hearthgate to see whether the change was kept", err)
	}
	return fmt.Errorf("%w; nothing was changed", err)
}

// guard turns the fault of a mapped page that the disk cannot deliver (or that somebody cut off) into an error, which
// otherwise ends the process. After one, bbolt may hold its locks for good, so that everything later gets the same error.
// Panics of other kinds are bugs and pass.
func (s *Store) guard(fn func() error) (err error) {
	if failed := s.failed.Load(); failed != nil {
		return *failed
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface { // what runtime/debug.SetPanicOnFault promises of a fault
			error
			Addr() uintptr
		})
		if !ok {
			panic(r)
		}
		err = refuse(ErrDamaged, "reading state %q: the disk did not deliver a part of it (%v); restart Hearthgate, and look at the disk",
			s.path, fault)
		s.failed.Store(&err)
	}()
	return fn()
}

// Tx is one View or one Update. It is not valid after fn returns.
type Tx struct {
	bolt  *bolt.Tx
	store *Store
	then  []func()
}

// OnCommit has fn called once the changes are on the disk, in the order of the changes, before Update returns; not at all
// when they are dropped, and not in a View. fn must be short and must not call Update: the next change waits for it.
func (tx *Tx) OnCommit(fn func()) { tx.then = append(tx.then, fn) }
