package store

import (
	"bytes"
	"errors"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

const testPageSize = 4096

// freePages asks bbolt, not our own reading, which pages hold nothing.
func freePages(t testing.TB, file []byte) map[int]bool {
	t.Helper()
	db, err := bolt.Open(filepath.Join(stateDir(t, file), fileName), 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	free := make(map[int]bool)
	err = db.View(func(tx *bolt.Tx) error {
		used := 0
		for id := 0; ; id++ {
			info, err := tx.Page(id)
			if err != nil {
				return err
			}
			if info == nil {
				used = id
				break
			}
			free[id] = info.Type == "free"
		}
		for id := used; id < len(file)/testPageSize; id++ {
			free[id] = true // never used so far
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return free
}

// inBranchKey says that a byte is part of a branch's copy of a key. One that rotted and still keeps everything in its
// place changes nothing that anybody reads.
func inBranchKey(file []byte, at int) bool {
	p := parsePage(file[at/testPageSize*testPageSize:])
	return p.flags == branchPage && at%testPageSize >= pageHeaderSize+p.count*elementSize
}

func TestEveryRottenByteIsFound(t *testing.T) {
	file, all := sample(t)
	free := freePages(t, file)
	rng := rand.New(rand.NewPCG(1, 2))
	found, spared := 0, 0
	for range 2500 {
		at := rng.IntN(len(file))
		if rng.IntN(2) == 0 { // headers are where it is most dangerous
			at = at/testPageSize*testPageSize + rng.IntN(96)
		}
		damaged := bytes.Clone(file)
		damaged[at] ^= byte(1 + rng.IntN(255))
		_, err := verify(bytes.NewReader(damaged), int64(len(damaged)))
		switch {
		case free[at/testPageSize]:
			spared++
			if err != nil {
				t.Fatalf("byte %d of free page %d: %v", at%testPageSize, at/testPageSize, err)
			}
		case err == nil && inBranchKey(file, at):
			if s := mustOpen(t, stateDir(t, damaged)); !maps.Equal(all, contents(t, s)) {
				t.Fatalf("byte %d of page %d changed what is read", at%testPageSize, at/testPageSize)
			}
		case err == nil:
			t.Fatalf("byte %d of page %d was not found", at%testPageSize, at/testPageSize)
		default:
			found++
		}
	}
	if found < 500 || spared < 50 {
		t.Fatalf("%d found and %d spared: the sample does not test both", found, spared)
	}
}

// TestDamagedFileIsLeftAlone opens files with damage of every size and expects a plain refusal or the state as it was.
func TestDamagedFileIsLeftAlone(t *testing.T) {
	file, all := sample(t)
	for name, damaged := range wrecks(file) {
		dir := stateDir(t, damaged)
		path := filepath.Join(dir, fileName)
		s, err := Open(dir)
		if err == nil {
			if !maps.Equal(all, contents(t, s)) {
				t.Fatalf("%s: opened with other contents", name)
			}
			mustUpdate(t, s, func(tx *Tx) error { return Put(tx, "peers", "new", thing{"new", 1}) })
			mustClose(t, s)
			continue
		}
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("%s: %v", name, err)
		}
		for _, want := range []string{path, "nothing was changed", "move the file away", "copy"} {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%s: error does not say %q in one line: %v", name, want, err)
			}
		}
		if !bytes.Equal(damaged, mustRead(t, path)) {
			t.Fatalf("%s: the file was changed", name)
		}
		if _, err := os.Stat(path + newSuffix); err == nil {
			t.Fatalf("%s: a new file was begun", name)
		}
	}
}

// wrecks are damaged versions of a file, by what was done to them.
func wrecks(file []byte) map[string][]byte {
	rng := rand.New(rand.NewPCG(3, 4))
	pages := len(file) / testPageSize
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	over := func(at int, b []byte) []byte {
		damaged := bytes.Clone(file)
		copy(damaged[at:], b)
		return damaged
	}
	all := map[string][]byte{
		"empty":         {},
		"one byte":      file[:1],
		"a text":        []byte("hello\n"),
		"a long text":   bytes.Repeat([]byte("these are not the records you are looking for\n"), 1000),
		"noise":         random(len(file)),
		"zeros":         make([]byte, len(file)),
		"swapped metas": append(append(bytes.Clone(file[testPageSize:2*testPageSize]), file[:testPageSize]...), file[2*testPageSize:]...),
	}
	for id := range pages {
		at := id * testPageSize
		n := strconv.Itoa(id)
		all["cut before page "+n] = file[:at+testPageSize/2*rng.IntN(2)]
		switch rng.IntN(3) {
		case 0:
			all["zero page "+n] = over(at, make([]byte, testPageSize))
		case 1:
			all["noise page "+n] = over(at, random(testPageSize))
		case 2:
			all["another page "+n] = over(at, file[rng.IntN(pages)*testPageSize:][:testPageSize])
		}
		all["zero sector "+n] = over(at+512*rng.IntN(8), make([]byte, 512))
		all["burst "+n] = over(at+rng.IntN(testPageSize-64), random(1+rng.IntN(64)))
	}
	return all
}

// TestForgedPages has damage with good checksums, in which bbolt itself would run out of its file or in circles.
func TestForgedPages(t *testing.T) {
	file, _ := sample(t)
	m, err := readMetas(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	free := freePages(t, file)
	branch := uint64(0)
	for id := uint64(2); id < m.end; id++ {
		if p := parsePage(file[id*testPageSize:]); p.flags == branchPage && p.id == id && !free[int(id)] {
			branch = id
		}
	}
	if branch == 0 {
		t.Fatal("the sample has no branch")
	}
	leaf := order.Uint64(file[branch*testPageSize+pageHeaderSize+8:]) // its first child
	header := func(id uint64) int { return int(id) * testPageSize }
	forgeries := map[string]func([]byte){
		"root outside":         func(b []byte) { setMeta(b, 16, 1<<40) },
		"root is a meta":       func(b []byte) { setMeta(b, 16, 1) },
		"root is the freelist": func(b []byte) { setMeta(b, 16, m.freelist) },
		"no freelist":          func(b []byte) { setMeta(b, 32, ^uint64(0)) },
		"freelist is the root": func(b []byte) { setMeta(b, 32, m.root) },
		"end beyond the file":  func(b []byte) { setMeta(b, 40, 1<<50) },
		"end before the root":  func(b []byte) { setMeta(b, 40, 3) },
		"enormous page size":   func(b []byte) { setMeta(b, 8, 1<<31) },
		"odd page size":        func(b []byte) { setMeta(b, 8, 4097) },
		"page size of nothing": func(b []byte) { setMeta(b, 8, 0) },
		"old transaction":      func(b []byte) { setMeta(b, 48, m.txid+2) },
		"one meta far behind": func(b []byte) {
			old := b[(1-m.txid%2)*testPageSize+pageHeaderSize:]
			order.PutUint64(old[48:], m.txid-3)
			signMeta(old)
		},
		"branch of itself":       func(b []byte) { order.PutUint64(b[header(branch)+pageHeaderSize+8:], branch) },
		"branch to the root":     func(b []byte) { order.PutUint64(b[header(branch)+pageHeaderSize+8:], m.root) },
		"branch far away":        func(b []byte) { order.PutUint64(b[header(branch)+pageHeaderSize+8:], 1<<60) },
		"branch without end":     func(b []byte) { order.PutUint16(b[header(branch)+10:], 0xFFFF) },
		"branch with overflow":   func(b []byte) { order.PutUint32(b[header(branch)+12:], 0xFFFFFFFF) },
		"freelist without end":   func(b []byte) { order.PutUint16(b[header(m.freelist)+10:], 0xFFFF) },
		"freelist has the root":  func(b []byte) { order.PutUint64(b[header(m.freelist)+pageHeaderSize:], m.root) },
		"freelist has a meta":    func(b []byte) { order.PutUint64(b[header(m.freelist)+pageHeaderSize:], 0) },
		"freelist far away":      func(b []byte) { order.PutUint64(b[header(m.freelist)+pageHeaderSize:], 1<<63) },
		"freelist with overflow": func(b []byte) { order.PutUint32(b[header(m.freelist)+12:], 0xFFFFFFFF) },
		"counting bucket": func(b []byte) {
			items, _, err := parsePage(b[header(m.root):][:testPageSize]).items()
			if err != nil {
				t.Fatal(err)
			}
			items[0].value[8]++ // its value is the page's own bytes
		},
		"children swapped": func(b []byte) {
			first, second := b[header(branch)+pageHeaderSize:], b[header(branch)+pageHeaderSize+elementSize:]
			a, z := order.Uint64(first[8:]), order.Uint64(second[8:])
			order.PutUint64(first[8:], z)
			order.PutUint64(second[8:], a)
		},
		"leaf emptied": func(b []byte) { layLeaf(b[header(leaf):][:testPageSize], nil) },
		"leaf out of order": func(b []byte) {
			p := b[header(leaf):][:testPageSize]
			items, _, err := parsePage(bytes.Clone(p)).items()
			if err != nil || len(items) < 4 {
				t.Fatal(len(items), err)
			}
			items[1], items[2] = items[2], items[1]
			layLeaf(p, items)
		},
		"root entry far away":    func(b []byte) { order.PutUint32(b[header(m.root)+pageHeaderSize+4:], 0xFFFFFFFF) },
		"root key without end":   func(b []byte) { order.PutUint32(b[header(m.root)+pageHeaderSize+8:], 0xFFFFFFFF) },
		"root value without end": func(b []byte) { order.PutUint32(b[header(m.root)+pageHeaderSize+12:], 0xFFFFFFFF) },
	}
	for name, forge := range forgeries {
		t.Run(name, func(t *testing.T) {
			forged := bytes.Clone(file)
			forge(forged)
			if _, err := Open(stateDir(t, forged)); !errors.Is(err, ErrDamaged) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// layLeaf writes a leaf as bbolt lays it out, with entries that bbolt would not write.
func layLeaf(b []byte, items []item) {
	clear(b[pageHeaderSize:])
	order.PutUint16(b[10:], uint16(len(items)))
	end := pageHeaderSize + len(items)*elementSize
	for i, it := range items {
		at := pageHeaderSize + i*elementSize
		order.PutUint32(b[at+4:], uint32(end-at))
		order.PutUint32(b[at+8:], uint32(len(it.key)))
		order.PutUint32(b[at+12:], uint32(len(it.value)))
		end += copy(b[end:], it.key)
		end += copy(b[end:], it.value)
	}
}

// setMeta changes a field of both metas and makes their checksums good again.
func setMeta(file []byte, field int, value uint64) {
	for id := range 2 {
		b := file[id*testPageSize+pageHeaderSize:]
		if field == 8 {
			order.PutUint32(b[field:], uint32(value))
		} else {
			order.PutUint64(b[field:], value)
		}
		signMeta(b)
	}
}

func signMeta(b []byte) {
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8])
	order.PutUint64(b[metaSize-8:], sum.Sum64())
}
