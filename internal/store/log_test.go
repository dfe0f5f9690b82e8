package store

import (
	"path/filepath"
	"slices"
	"testing"
)

func logOf(t *testing.T, s *Store, from uint64) (seqs []uint64) {
	t.Helper()
	err := s.View(func(tx *Tx) error {
		return EachFrom(tx, "log", from, func(seq uint64, v uint64) error {
			if seq != v {
				t.Errorf("entry %d is %d", seq, v)
			}
			seqs = append(seqs, seq)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return seqs
}

func appendTo(t *testing.T, s *Store, n int) (last uint64) {
	t.Helper()
	mustUpdate(t, s, func(tx *Tx) (err error) {
		for range n {
			if last, err = Append(tx, "log", func(seq uint64) uint64 { return seq }); err != nil {
				return err
			}
		}
		return nil
	})
	return last
}

func upTo(first, last uint64) (seqs []uint64) {
	for seq := first; seq <= last; seq++ {
		seqs = append(seqs, seq)
	}
	return seqs
}

func TestLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := mustOpen(t, dir)
	if got := logOf(t, s, 0); len(got) != 0 {
		t.Errorf("an empty log has %v", got)
	}
	if last := appendTo(t, s, 300); last != 300 { // past 255, where another byte order would show
		t.Errorf("the last is %d", last)
	}
	if got := logOf(t, s, 0); !slices.Equal(got, upTo(1, 300)) {
		t.Errorf("got %v", got)
	}
	if got := logOf(t, s, 299); !slices.Equal(got, upTo(299, 300)) {
		t.Errorf("from 299: %v", got)
	}
	mustUpdate(t, s, func(tx *Tx) error { return Trim(tx, "log", 258) })
	if got := logOf(t, s, 0); !slices.Equal(got, upTo(258, 300)) {
		t.Errorf("after trimming: %v", got)
	}
	mustClose(t, s)

	s = mustOpen(t, dir)
	if last := appendTo(t, s, 1); last != 301 {
		t.Errorf("after reopening the next is %d", last)
	}
	mustUpdate(t, s, func(tx *Tx) error { return Trim(tx, "log", 5000) })
	if last := appendTo(t, s, 1); last != 302 {
		t.Errorf("after trimming everything the next is %d: a number came twice", last)
	}
	_ = s.View(func(tx *Tx) error {
		first, last, err := Ends(tx, "log")
		if first != 301 || last != 302 || err != nil {
			t.Errorf("ends %d, %d, %v", first, last, err)
		}
		return err
	})
}

func TestEachFromStops(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state"))
	appendTo(t, s, 10)
	seen := 0
	err := s.View(func(tx *Tx) error {
		return EachFrom(tx, "log", 3, func(uint64, uint64) error {
			seen++
			if seen == 2 {
				return ErrStop
			}
			return nil
		})
	})
	if seen != 2 || err != nil {
		t.Errorf("saw %d, %v", seen, err)
	}
}
