package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The record that says of which format the file is. This place, its seal and its being a bare number are the same in
// every format, so that any Hearthgate can read the number of any other.
const (
	formatBucket = "hearthgate"
	formatKey    = "format"
)

// Open opens the state in dir and makes both when there is none. Whatever it refuses, it has changed nothing but the lock
// file. The errors are one line for the user; ErrInUse, ErrNewer and ErrDamaged can be told apart.
func Open(dir string) (*Store, error) {
	if dir == "" {
		return nil, errors.New("opening state: no directory was named; give --state-dir a directory")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("opening state: %w", err)
	}
	s, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening state in %q: %w", dir, err)
	}
	return s, nil
}

func open(dir string) (*Store, error) {
	if err := enter(dir); err != nil {
		return nil, err
	}
	lock, err := acquire(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	s, err := openLocked(dir)
	if err != nil {
		return nil, errors.Join(err, lock.release())
	}
	s.lock = lock
	return s, nil
}

func openLocked(dir string) (*Store, error) {
	path := filepath.Join(dir, fileName)
	_, err := os.Lstat(path)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err != nil && !isNew {
		return nil, advise(err)
	}
	if !isNew {
		if err := inspect(path); err != nil {
			return nil, err
		}
	}
	if err := seclude(dir); err != nil {
		return nil, err
	}
	if err := os.Remove(path + newSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing what an interrupted start left: %w", err)
	}
	if isNew {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("creating %q: %w; nothing was kept", path, err)
		}
	}
	return openFile(path)
}

// openFile is the first time that bbolt sees the file, and the first that it is opened for writing.
func openFile(path string) (*Store, error) {
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("making the state private: %w", err)
	}
	db, err := bolt.Open(path, 0o600, options())
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, refuse(ErrInUse, "another program has %q open; end it or give --state-dir another directory", path)
	case err != nil:
		return nil, advise(err)
	}
	return &Store{path: path, db: db}, nil
}

// inspect looks at the file without changing it and without bbolt.
func inspect(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // before it is opened: opening a pipe would wait for its other end
		return damagedFile(path, errors.New("it is not a file"))
	}
	f, err := os.Open(path)
	if err != nil {
		return advise(err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	format, err := verify(f, info.Size())
	if damage := damage(""); errors.As(err, &damage) {
		return damagedFile(path, damage)
	}
	if err != nil {
		return fmt.Errorf("reading %q: %w", path, err)
	}
	if format > FormatVersion {
		return refuse(ErrNewer, "%q is of format %d, and this Hearthgate knows formats up to %d; run the newer Hearthgate that wrote it; nothing was changed",
			path, format, FormatVersion)
	}
	return nil
}

// create makes the file under another name and gives it its own when it is whole and on the disk, so that a start that is
// cut off at any moment leaves either no state or all of it.
func create(path string) error {
	draft := path + newSuffix
	err := fillNew(draft)
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		_ = os.Remove(draft) // the next start would
		return err
	}
	return syncDir(filepath.Dir(path))
}

const newSuffix = ".new"

func fillNew(draft string) error {
	db, err := bolt.Open(draft, 0o600, options())
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte(formatBucket))
		if err != nil {
			return err
		}
		text := strconv.AppendUint(nil, FormatVersion, 10)
		return b.Put([]byte(formatKey), seal(formatBucket, []byte(formatKey), text))
	})
	return errors.Join(err, db.Close())
}

func options() *bolt.Options {
	return &bolt.Options{
		PageSize:     4096,        // not the machine's: a Pi 5 has 16 KiB, and the card may move between Pis
		Timeout:      time.Second, // for bbolt's own lock; ours is already held, so only a stranger can have it
		NoStatistics: true,
		FreelistType: bolt.FreelistMapType,
	}
}
