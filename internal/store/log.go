package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	bolt "go.etcd.io/bbolt"
)

// A log is a bucket whose keys are numbers, big-endian so that bbolt's order is theirs. The first entry is 1.

// fill is how full a page of a log is before the next begins. Entries only ever come at the end, where bbolt's usual
// half would stay half for good.
const fill = 0.95

// Append adds what entry returns for its number, which is one more than the last, and returns that number. The
// last entry of a log is never trimmed, so that no number comes twice.
func Append[T any](tx *Tx, bucket string, entry func(seq uint64) T) (uint64, error) {
	b, err := tx.bucket(bucket)
	if err != nil {
		return 0, err
	}
	b.FillPercent = fill
	_, last, err := ends(tx, bucket, b)
	if err != nil {
		return 0, err
	}
	if last == math.MaxUint64 {
		return 0, fmt.Errorf("appending to %q: there is no number left", bucket)
	}
	seq := last + 1
	return seq, write(b, bucket, seqKey(seq), entry(seq))
}

// Ends are the numbers of the oldest and the newest entry; 0 and 0 when there is none.
func Ends(tx *Tx, bucket string) (first, last uint64, err error) {
	b := tx.bolt.Bucket([]byte(bucket))
	if b == nil {
		return 0, 0, nil
	}
	return ends(tx, bucket, b)
}

// EachFrom calls fn with the entries from number seq on, oldest first, until fn returns an error, and returns that;
// ErrStop ends it without one. fn must not change the log.
func EachFrom[T any](tx *Tx, bucket string, seq uint64, fn func(seq uint64, v T) error) error {
	b := tx.bolt.Bucket([]byte(bucket))
	if b == nil {
		return nil
	}
	c := b.Cursor()
	for k, sealed := c.Seek(seqKey(seq)); k != nil; k, sealed = c.Next() {
		n, err := seqOf(tx, bucket, k)
		if err != nil {
			return err
		}
		v, err := read[T](tx, bucket, k, sealed)
		if err != nil {
			return err
		}
		if err := fn(n, v); errors.Is(err, ErrStop) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// ErrStop is what the function given to EachFrom returns to see no more.
var ErrStop = errors.New("stop")

// Trim removes the entries below number seq, oldest first. What it costs goes by what it removes.
func Trim(tx *Tx, bucket string, seq uint64) error {
	b := tx.bolt.Bucket([]byte(bucket))
	if b == nil {
		return nil
	}
	_, last, err := ends(tx, bucket, b)
	if err != nil {
		return err
	}
	seq = min(seq, last)
	var old [][]byte // first the list: bbolt's cursor may skip an entry after a deletion
	c := b.Cursor()
	for k, _ := c.First(); k != nil && binary.BigEndian.Uint64(k) < seq; k, _ = c.Next() {
		old = append(old, append([]byte(nil), k...))
	}
	for _, k := range old {
		if err := b.Delete(k); err != nil {
			return fmt.Errorf("trimming %q: %w", bucket, err)
		}
	}
	return nil
}

func ends(tx *Tx, bucket string, b *bolt.Bucket) (first, last uint64, err error) {
	c := b.Cursor()
	k, _ := c.First()
	if k == nil {
		return 0, 0, nil
	}
	if first, err = seqOf(tx, bucket, k); err != nil {
		return 0, 0, err
	}
	k, _ = c.Last()
	last, err = seqOf(tx, bucket, k)
	return first, last, err
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func seqOf(tx *Tx, bucket string, key []byte) (uint64, error) {
	if len(key) != 8 {
		return 0, refuse(ErrDamaged, "reading state %q: %s is damaged: its key is not a number", tx.store.path, place(bucket, key))
	}
	return binary.BigEndian.Uint64(key), nil
}
