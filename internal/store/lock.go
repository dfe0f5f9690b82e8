package store

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lock is the right to use the state: an flock(2) on a file of its own, which the kernel drops when the process ends in
// whatever way. The file is never removed: a process that waits for a removed file's lock and one that makes the file
// anew would both have it.
type lock struct {
	file *os.File
}

func acquire(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, advise(fmt.Errorf("opening %q: %w", path, bare(err)))
	}
	if err := flock(f); err != nil {
		defer func() { _ = f.Close() }() // nothing was written
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, inUse(f)
		}
		return nil, fmt.Errorf("locking %q: %w", path, err)
	}
	if err := sign(f); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %q: %w", path, bare(err)), f.Close())
	}
	return &lock{file: f}, nil
}

func (l *lock) release() error { return l.file.Close() }

func flock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// sign writes who has the lock. It is for people: what counts is the lock.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func inUse(f *os.File) error {
	who := "another hearthgate"
	buf := make([]byte, 32)
	n, _ := f.ReadAt(buf, 0) // it may be empty for a moment; then we do not say
	if pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n]))); err == nil {
		who = fmt.Sprintf("another hearthgate (process %d)", pid)
	}
	return refuse(ErrInUse, "%s is using it; stop that one or give --state-dir another directory", who)
}
