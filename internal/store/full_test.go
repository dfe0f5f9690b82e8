package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// diskSize is what the child may make a file as large as. It stands for a full disk: writes fail in the same places.
const diskSize = 300 << 10

// fillTheDisk is the child: it writes until the disk is full, then checks that it can still read everything, that a
// change that needs no more room still works, and says how many records it has written.
func fillTheDisk(dir string) int {
	signal.Ignore(syscall.SIGXFSZ) // setrlimit(2): then the write fails instead
	limit := syscall.Rlimit{Cur: diskSize, Max: diskSize}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return complain(err)
	}
	s, err := Open(dir)
	if err != nil {
		return complain(err)
	}
	n := 0
	for ; ; n++ {
		if err = s.Update(func(tx *Tx) error {
			return Put(tx, "things", fmt.Sprintf("%06d", n), thing{strings.Repeat("x", 900), n})
		}); err != nil {
			break
		}
	}
	if !strings.Contains(err.Error(), "file too large") || !strings.Contains(err.Error(), s.Path()) || !strings.Contains(err.Error(), "nothing was changed") {
		return complain(fmt.Errorf("a full disk reads: %w", err))
	}
	err = s.Update(func(tx *Tx) error { return Put(tx, "things", "000000", thing{"small", 0}) })
	if err != nil {
		return complain(fmt.Errorf("after the disk was full: %w", err))
	}
	if err := s.Close(); err != nil {
		return complain(err)
	}
	fmt.Println(n)
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func TestFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	out, err := again(t, "fill the disk", dir).Output()
	if err != nil {
		var exit *exec.ExitError
		_ = errors.As(err, &exit)
		t.Fatalf("%v: %s", err, exit.Stderr)
	}
	var n int
	if _, err := fmt.Sscan(string(out), &n); err != nil || n < 50 {
		t.Fatalf("%d records, %v", n, err)
	}
	s := mustOpen(t, dir)
	err = s.View(func(tx *Tx) error {
		i := 0
		err := Each(tx, "things", func(key string, v thing) error {
			if v.N != i {
				t.Errorf("record %d is %d", i, v.N)
			}
			i++
			return nil
		})
		if i != n {
			t.Errorf("%d records of %d", i, n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
