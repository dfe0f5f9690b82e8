package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"unicode"

	bolt "go.etcd.io/bbolt"
)

// Get reads the record under key; ok is false when there is none.
func Get[T any](tx *Tx, bucket, key string) (v T, ok bool, err error) {
	b := tx.bolt.Bucket([]byte(bucket))
	if b == nil {
		return v, false, nil
	}
	sealed := b.Get([]byte(key))
	if sealed == nil {
		return v, false, nil
	}
	v, err = read[T](tx, bucket, []byte(key), sealed)
	return v, err == nil, err
}

// Put writes v as JSON under key, over what was there.
func Put[T any](tx *Tx, bucket, key string, v T) error {
	b, err := tx.bucket(bucket)
	if err != nil {
		return err
	}
	return write(b, bucket, []byte(key), v)
}

// Delete removes the record under key, if there is one.
func Delete(tx *Tx, bucket, key string) error {
	b := tx.bolt.Bucket([]byte(bucket))
	if b == nil {
		return nil
	}
	if err := b.Delete([]byte(key)); err != nil {
		return fmt.Errorf("deleting %s: %w", place(bucket, []byte(key)), err)
	}
	return nil
}

// Each calls fn with every record in the order of the keys, until fn returns an error, and returns that. Within an
// Update, fn may change the bucket: it sees the keys that were there at the start and are still there.
func Each[T any](tx *Tx, bucket string, fn func(key string, v T) error) error {
	b := tx.bolt.Bucket([]byte(bucket))
	if b == nil {
		return nil
	}
	if tx.bolt.Writable() {
		return eachOf(tx, bucket, keys(b), fn)
	}
	return b.ForEach(func(k, sealed []byte) error {
		v, err := read[T](tx, bucket, k, sealed)
		if err != nil {
			return err
		}
		return fn(string(k), v)
	})
}

// eachOf goes by a list of keys, because a cursor of bbolt loses its place when its bucket changes.
func eachOf[T any](tx *Tx, bucket string, keys []string, fn func(key string, v T) error) error {
	for _, key := range keys {
		v, ok, err := Get[T](tx, bucket, key)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := fn(key, v); err != nil {
			return err
		}
	}
	return nil
}

func keys(b *bolt.Bucket) []string {
	var all []string
	c := b.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		all = append(all, string(k))
	}
	return all
}

// bucket opens a bucket for writing and makes it when it is new.
func (tx *Tx) bucket(name string) (*bolt.Bucket, error) {
	if name == formatBucket {
		return nil, fmt.Errorf("writing to bucket %q: it is the store's own", name)
	}
	b, err := tx.bolt.CreateBucketIfNotExists([]byte(name))
	if err != nil {
		return nil, fmt.Errorf("making bucket %q: %w", name, err)
	}
	return b, nil
}

func write[T any](b *bolt.Bucket, bucket string, key []byte, v T) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", place(bucket, key), err)
	}
	if err := b.Put(key, seal(bucket, key, text)); err != nil {
		return fmt.Errorf("writing %s: %w", place(bucket, key), err)
	}
	return nil
}

func read[T any](tx *Tx, bucket string, key, sealed []byte) (v T, err error) {
	text, err := unseal(bucket, key, sealed)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		var none T
		return none, refuse(ErrDamaged, "reading state %q: %s is damaged: %v", tx.store.path, place(bucket, key), err)
	}
	return v, nil
}

// sealLength is eight hexadecimal digits and a space. They stand in front of the JSON as text, so that a person who opens
// the file with the bbolt tool can still read it.
const sealLength = 9

// seal puts a checksum in front of the text. It covers the bucket and the key too, so that a record whose name rotted does
// not appear under another one. It is against rot, not against people: whoever can write the file owns the appliance.
func seal(bucket string, key, text []byte) []byte {
	sealed := make([]byte, 0, sealLength+len(text))
	sealed = fmt.Appendf(sealed, "%08x ", checksum(bucket, key, text))
	return append(sealed, text...)
}

func unseal(bucket string, key, sealed []byte) ([]byte, error) {
	if len(sealed) < sealLength {
		return nil, errors.New("it is too short")
	}
	text := sealed[sealLength:]
	if !bytes.Equal(sealed[:sealLength], fmt.Appendf(nil, "%08x ", checksum(bucket, key, text))) {
		return nil, errors.New("its checksum does not match")
	}
	return text, nil
}

// checksum is CRC-32C, which finds every run of up to 32 wrong bits. The zero bytes keep the three parts apart.
func checksum(bucket string, key, text []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, append([]byte(bucket), 0))
	sum = crc32.Update(sum, table, key)
	sum = crc32.Update(sum, table, []byte{0})
	return crc32.Update(sum, table, text)
}

// place names a record for an error: keys of logs are binary.
func place(bucket string, key []byte) string {
	if bytes.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return fmt.Sprintf("record %q/0x%x", bucket, key)
	}
	return fmt.Sprintf("record %q/%q", bucket, key)
}
