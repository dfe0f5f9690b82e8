package store

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type thing struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

func mustOpen(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustUpdate(t testing.TB, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.Update(fn); err != nil {
		t.Fatal(err)
	}
}

// household fills a store with every shape of page that bbolt has: branches, leaves, overflow pages, inline and empty
// buckets, and a list of free pages with something on it.
func household(t testing.TB, s *Store) {
	t.Helper()
	mustUpdate(t, s, func(tx *Tx) error {
		for i := range 60 {
			name := fmt.Sprintf("phone %d %s", i, strings.Repeat("x", 200))
			if err := Put(tx, "peers", fmt.Sprintf("%03d", i), thing{name, i}); err != nil {
				return err
			}
		}
		if err := Put(tx, "inline", "a", thing{"tiny", 1}); err != nil {
			return err
		}
		if err := Put(tx, "empty", "a", thing{"gone", 1}); err != nil {
			return err
		}
		if err := Delete(tx, "empty", "a"); err != nil {
			return err
		}
		return Put(tx, "big", "photo", thing{strings.Repeat("p", 20_000), 1})
	})
	for range 6 {
		mustUpdate(t, s, func(tx *Tx) error {
			for range 50 {
				if _, err := Append(tx, "log", func(seq uint64) thing { return thing{strings.Repeat("l", 150), int(seq)} }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	mustUpdate(t, s, func(tx *Tx) error { return Trim(tx, "log", 150) })
}

// contents are all records of a store.
func contents(t testing.TB, s *Store) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := s.View(func(tx *Tx) error {
		for _, bucket := range []string{"peers", "inline", "empty", "big", "log"} {
			err := Each(tx, bucket, func(key string, v json.RawMessage) error {
				all[bucket+"/"+key] = string(v)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sample is the file of such a household, as bytes, and what is in it.
func sample(t testing.TB) ([]byte, map[string]string) {
	t.Helper()
	s := mustOpen(t, filepath.Join(t.TempDir(), "state"))
	household(t, s)
	all := contents(t, s)
	mustClose(t, s)
	return mustRead(t, s.Path()), all
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stateDir is a directory whose hearthgate.db has these bytes.
func stateDir(t testing.TB, file []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fileName), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
