package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func TestRecords(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state"))
	mustUpdate(t, s, func(tx *Tx) error {
		return errors.Join(
			Put(tx, "things", "b", thing{"bert", 2}),
			Put(tx, "things", "a", thing{"anna", 1}),
			Put(tx, "things", "ä€", thing{"ä€\x00\u2028", 3}),
			Put(tx, "things", "b", thing{"bob", 4}),
			Put(tx, "things", "gone", thing{}),
			Delete(tx, "things", "gone"),
			Delete(tx, "things", "never was"),
			Delete(tx, "no bucket", "x"),
		)
	})
	var got []string
	err := s.View(func(tx *Tx) error {
		if _, ok, err := Get[thing](tx, "things", "gone"); ok || err != nil {
			t.Errorf("gone: %v, %v", ok, err)
		}
		if _, ok, err := Get[thing](tx, "no bucket", "x"); ok || err != nil {
			t.Errorf("no bucket: %v, %v", ok, err)
		}
		return Each(tx, "things", func(key string, v thing) error {
			got = append(got, fmt.Sprint(key, v))
			return nil
		})
	})
	want := []string{"a{anna 1}", "b{bob 4}", "ä€{ä€\x00\u2028 3}"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestEachMayChangeItsBucket(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state"))
	household(t, s)
	seen := 0
	mustUpdate(t, s, func(tx *Tx) error {
		return Each(tx, "peers", func(key string, v thing) error {
			seen++
			if v.N%2 == 0 {
				next := fmt.Sprintf("%03d", v.N+1)
				return errors.Join(Delete(tx, "peers", key), Delete(tx, "peers", next), Put(tx, "peers", key+"+", v))
			}
			return errors.New("a deleted record was shown")
		})
	})
	if seen != 30 {
		t.Errorf("saw %d records of 30", seen)
	}
}

func TestErrorDropsTheWholeChange(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state"))
	mine := errors.New("mine")
	called := false
	err := s.Update(func(tx *Tx) error {
		tx.OnCommit(func() { called = true })
		if err := Put(tx, "things", "a", thing{"anna", 1}); err != nil {
			return err
		}
		return mine
	})
	if err != mine { //nolint:errorlint // it must come back as it is
		t.Errorf("got %v", err)
	}
	if called {
		t.Error("OnCommit was called for a change that was dropped")
	}
	if all := contents(t, s); len(all) != 0 {
		t.Errorf("something stayed: %v", all)
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.Update(func(tx *Tx) error {
			_ = Put(tx, "peers", "a", thing{"anna", 1})
			panic("a bug")
		})
	}()
	if all := contents(t, s); len(all) != 0 {
		t.Errorf("something stayed after a panic: %v", all)
	}
	mustUpdate(t, s, func(tx *Tx) error { return Put(tx, "peers", "a", thing{"anna", 1}) })
}

func TestOnCommitComesInOrder(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state"))
	var seen []uint64 // written by hooks only, which come one at a time: the race detector would say
	done := make(chan error)
	for range 8 {
		go func() {
			var err error
			for range 10 {
				err = errors.Join(err, s.Update(func(tx *Tx) error {
					seq, err := Append(tx, "log", func(seq uint64) uint64 { return seq })
					tx.OnCommit(func() { seen = append(seen, seq) })
					tx.OnCommit(func() { seen = append(seen, seq) })
					return err
				}))
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 160 || !slices.IsSorted(seen) {
		t.Errorf("%d hooks, in order: %v", len(seen), slices.IsSorted(seen))
	}
}

func TestRecordThatIsNotWhatItShouldBe(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state"))
	mustUpdate(t, s, func(tx *Tx) error {
		return errors.Join(
			Put(tx, "things", "anna", "a string"),
			Put(tx, "log", string(seqKey(7)), "a string"),
			Put(tx, "log2", "not a number", thing{}),
		)
	})
	for where, get := range map[string]func(tx *Tx) error{
		`"things"/"anna"`: func(tx *Tx) error {
			v, ok, err := Get[thing](tx, "things", "anna")
			if ok || v != (thing{}) {
				t.Errorf("got %v, %v", v, ok)
			}
			return err
		},
		`"things"/"anna" `: func(tx *Tx) error {
			return Each(tx, "things", func(string, thing) error { return nil })
		},
		`"log"/0x0000000000000007`: func(tx *Tx) error {
			return EachFrom(tx, "log", 0, func(uint64, thing) error { return nil })
		},
		`"log2"/"not a number"`: func(tx *Tx) error {
			_, _, err := Ends(tx, "log2")
			return err
		},
	} {
		for name, run := range map[string]func(func(*Tx) error) error{"View": s.View, "Update": s.Update} {
			err := run(get)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), strings.TrimSpace(where)) {
				t.Errorf("%s of %s: %v", name, where, err)
			}
		}
	}
}

// TestRecordThatWasChangedByHand: a value that somebody edited with the bbolt tool is found where it is read.
func TestRecordThatWasChangedByHand(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state"))
	mustUpdate(t, s, func(tx *Tx) error { return Put(tx, "things", "anna", thing{"anna", 1}) })
	err := s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("things"))
		return b.Put([]byte("anna"), []byte(strings.Replace(string(b.Get([]byte("anna"))), "1}", "2}", 1)))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.View(func(tx *Tx) error {
		_, _, err := Get[thing](tx, "things", "anna")
		return err
	})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `"things"/"anna"`) {
		t.Errorf("got %v", err)
	}
	mustClose(t, s)
	if _, err := Open(s.Dir()); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `"things"/"anna"`) {
		t.Errorf("Open: %v", err)
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state"))
	for name, put := range map[string]func(tx *Tx) error{
		"the format":     func(tx *Tx) error { return Put(tx, formatBucket, formatKey, 7) },
		"no key":         func(tx *Tx) error { return Put(tx, "things", "", 7) },
		"no bucket":      func(tx *Tx) error { return Put(tx, "", "a", 7) },
		"an endless key": func(tx *Tx) error { return Put(tx, "things", strings.Repeat("k", maxKeySize+1), 7) },
		"a function":     func(tx *Tx) error { return Put(tx, "things", "a", func() {}) },
	} {
		if err := s.Update(put); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if err := s.View(func(tx *Tx) error { return Put(tx, "things", "a", 7) }); err == nil {
		t.Error("a View wrote")
	}
}
