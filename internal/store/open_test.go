package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestFirstOpenMakesPrivateState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "state")
	s := mustOpen(t, dir)
	for path, want := range map[string]fs.FileMode{
		dir:                          0o700,
		filepath.Dir(dir):            0o700,
		s.Path():                     0o600,
		filepath.Join(dir, lockName): 0o600,
	} {
		if got := mode(t, path); got != want {
			t.Errorf("%s: mode %o, want %o", path, got, want)
		}
	}
	if s.Path() != filepath.Join(dir, "hearthgate.db") || s.Dir() != dir {
		t.Errorf("path %q, dir %q", s.Path(), s.Dir())
	}
}

func TestStateSurvivesReopening(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := mustOpen(t, dir)
	mustUpdate(t, s, func(tx *Tx) error { return Put(tx, "things", "a", thing{"anna", 7}) })
	mustClose(t, s)
	mustClose(t, s) // twice does nothing

	if err := s.View(func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("View after Close: %v", err)
	}
	if err := s.Update(func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("Update after Close: %v", err)
	}

	s = mustOpen(t, dir)
	err := s.View(func(tx *Tx) error {
		v, ok, err := Get[thing](tx, "things", "a")
		if !ok || v != (thing{"anna", 7}) {
			t.Errorf("got %v, %v", v, ok)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := mustOpen(t, dir)
	_, err := Open(dir)
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("got %v", err)
	}
	want := "opening state in " + strconv.Quote(dir) + ": another hearthgate (process " + strconv.Itoa(os.Getpid()) +
		") is using it; stop that one or give --state-dir another directory"
	if err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
	mustClose(t, s)
	mustOpen(t, dir)
}

// TestManyFirstStarts: whoever comes first makes the state; nobody else does, and nobody is told anything but that.
func TestManyFirstStarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	type result struct {
		s   *Store
		err error
	}
	results := make(chan result)
	for range 8 {
		go func() {
			s, err := Open(dir)
			results <- result{s, err}
		}()
	}
	opened := 0
	for range 8 {
		switch r := <-results; {
		case r.err == nil:
			opened++
			defer func() { _ = r.s.Close() }()
		case !errors.Is(r.err, ErrInUse):
			t.Errorf("got %v", r.err)
		}
	}
	if opened != 1 {
		t.Errorf("%d opened it", opened)
	}
}

// TestStrangerHasFileOpen: somebody looks at the file with the bbolt tool.
func TestStrangerHasFileOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := mustOpen(t, dir)
	mustClose(t, s)
	db, err := bolt.Open(s.Path(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := Open(dir); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), s.Path()) {
		t.Fatalf("got %v", err)
	}
}

func TestNewerFormatIsLeftAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	path := writeFormat(t, dir, "2", seal(formatBucket, []byte(formatKey), []byte("2")))
	before := mustRead(t, path)
	_, err := Open(dir)
	if !errors.Is(err, ErrNewer) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{path, "format 2", "up to 1", "run the newer Hearthgate", "nothing was changed"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q: %v", want, err)
		}
	}
	if !bytes.Equal(before, mustRead(t, path)) {
		t.Error("the file was changed")
	}
	if got := mode(t, path); got != 0o644 {
		t.Errorf("the mode was changed to %o", got)
	}
}

func TestFormatThatIsNone(t *testing.T) {
	for name, sealed := range map[string][]byte{
		"missing":  nil,
		"zero":     seal(formatBucket, []byte(formatKey), []byte("0")),
		"a word":   seal(formatBucket, []byte(formatKey), []byte("two")),
		"unsealed": []byte("2"),
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			writeFormat(t, dir, name, sealed)
			if _, err := Open(dir); !errors.Is(err, ErrDamaged) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// writeFormat makes a state whose format record is as given, with a record that only the newer Hearthgate understands.
func writeFormat(t *testing.T, dir, name string, sealed []byte) (path string) {
	t.Helper()
	s := mustOpen(t, dir)
	mustClose(t, s)
	db, err := bolt.Open(s.Path(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(formatBucket))
		if err := b.Put([]byte("another"), []byte("sealed as nobody knows yet: "+name)); err != nil {
			return err
		}
		if sealed == nil {
			return b.Delete([]byte(formatKey))
		}
		return b.Put([]byte(formatKey), sealed)
	})
	if err := errors.Join(err, db.Close(), os.Chmod(s.Path(), 0o644)); err != nil {
		t.Fatal(err)
	}
	return s.Path()
}

func TestInterruptedFirstStart(t *testing.T) {
	dir := stateDir(t, nil)
	path := filepath.Join(dir, fileName)
	if err := errors.Join(os.Remove(path), os.WriteFile(path+newSuffix, []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir)
	if _, err := os.Stat(path + newSuffix); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what the interrupted start left is still there: %v", err)
	}
}

func TestInTheFilesPlace(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"directory":       func(path string) error { return os.Mkdir(path, 0o700) },
		"link to nothing": func(path string) error { return os.Symlink("nothing", path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := stateDir(t, nil)
			path := filepath.Join(dir, fileName)
			if err := errors.Join(os.Remove(path), put(path)); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir)
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v", err)
			}
			if name == "directory" && !errors.Is(err, ErrDamaged) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Lstat(path); err != nil {
				t.Errorf("it was taken away: %v", err)
			}
		})
	}
}
