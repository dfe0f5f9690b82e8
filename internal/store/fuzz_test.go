package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// FuzzOpen patches a good file, makes its metas good again, and opens it. Each seven bytes of input are one patch: page,
// place in it, and four bytes to put there. It must not crash or hang; what opens must be readable and take a change.
func FuzzOpen(f *testing.F) {
	file, _ := sample(f)
	m, err := readMetas(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		f.Fatal(err)
	}
	for _, id := range []uint64{0, 1, m.root, m.freelist} {
		for _, at := range []byte{8, 10, 12, 16, 20, 24, 28, 32} {
			f.Add([]byte{byte(id), at, 0, 0xFF, 0xFF, 0, 0})
			f.Add([]byte{byte(id), at, 0, 1, 0, 0, 0})
		}
	}
	f.Fuzz(func(t *testing.T, patches []byte) {
		damaged := bytes.Clone(file)
		for ; len(patches) >= 7; patches = patches[7:] {
			at := int(patches[0])*testPageSize + int(binary.LittleEndian.Uint16(patches[1:]))%testPageSize
			if at+4 <= len(damaged) {
				copy(damaged[at:], patches[3:7])
			}
		}
		signMeta(damaged[pageHeaderSize:])
		signMeta(damaged[testPageSize+pageHeaderSize:])
		dir := stateDir(t, damaged)
		s, err := Open(dir)
		if errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewer) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = contents(t, s)
		mustUpdate(t, s, func(tx *Tx) error { return Put(tx, "peers", "new", thing{"new", 1}) })
		mustUpdate(t, s, func(tx *Tx) error { return Trim(tx, "log", 1<<40) })
		mustClose(t, s)
	})
}
