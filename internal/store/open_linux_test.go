package store

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// asNobody opens a state without root's right to write anywhere. setfsuid(2) is per thread; the thread ends with the
// goroutine, which does not unlock it.
func asNobody(t *testing.T, dir string) error {
	t.Helper()
	result := make(chan error)
	go func() {
		if os.Getuid() == 0 {
			runtime.LockOSThread()
			if err := errors.Join(unix.Setfsgid(65534), unix.Setfsuid(65534)); err != nil {
				result <- err
				return
			}
		}
		s, err := Open(dir)
		if err == nil {
			err = errors.Join(errors.New("it was opened"), s.Close())
		}
		result <- err
	}()
	return <-result
}

func TestStateThatBelongsToAnother(t *testing.T) {
	above := t.TempDir()
	for _, c := range []struct {
		name string
		make func(dir string) error
		bits os.FileMode
	}{
		{"nothing there yet", func(string) error { return nil }, 0o555},
		{"a directory that nobody may write", func(dir string) error { return os.Mkdir(dir, 0o555) }, 0o755},
		{"a state of root's", func(dir string) error {
			s, err := Open(dir)
			if err != nil {
				return err
			}
			return errors.Join(s.Close(), os.Chmod(dir, 0))
		}, 0o755},
	} {
		t.Run(c.name, func(t *testing.T) {
			parent := filepath.Join(above, c.name)
			dir := filepath.Join(parent, "state")
			if err := errors.Join(os.Mkdir(parent, 0o755), c.make(dir), os.Chmod(parent, c.bits)); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{above, filepath.Dir(above)} { // testing makes them 0700 in places
				if err := os.Chmod(path, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			err := asNobody(t, dir)
			if err == nil || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(err.Error(), "--state-dir") {
				t.Fatalf("got %v", err)
			}
			_ = errors.Join(os.Chmod(parent, 0o700), os.Chmod(dir, 0o700)) // for TempDir to clean up
		})
	}
}

// TestPipeInTheFilesPlace: opening a pipe to read waits for a writer, for ever.
func TestPipeInTheFilesPlace(t *testing.T) {
	dir := stateDir(t, nil)
	path := filepath.Join(dir, fileName)
	if err := errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() {
		_, err := Open(dir)
		result <- err
	}()
	select {
	case err := <-result:
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it hangs")
	}
}

// TestDiskThatDoesNotDeliver cuts the file off under the running process, which looks to it like a card that has died: the
// next look at a page is a bus error.
func TestDiskThatDoesNotDeliver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := mustOpen(t, dir)
	household(t, s)
	if err := os.Truncate(s.Path(), 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := s.View(func(tx *Tx) error {
			_, _, err := Get[thing](tx, "big", "photo")
			return err
		})
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), s.Path()) {
			t.Fatalf("View: %v", err)
		}
		if err := s.Update(func(tx *Tx) error { return Put(tx, "peers", "x", thing{}) }); !errors.Is(err, ErrDamaged) {
			t.Fatalf("Update: %v", err)
		}
	}
	mustClose(t, s) // does not hang
	if _, err := Open(dir); !errors.Is(err, ErrDamaged) {
		t.Fatalf("Open: %v", err)
	}
}
