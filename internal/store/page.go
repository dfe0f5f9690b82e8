package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
)

// The layout of a bbolt file, as far as it must be known to trust one: go.etcd.io/bbolt v1.5.0, internal/common (page.go,
// meta.go, bucket.go, inode.go). Numbers are in the machine's byte order. Everything here reads bytes that may be anything.

const (
	pageHeaderSize   = 16
	elementSize      = 16 // of a branch and of a leaf alike
	bucketHeaderSize = 16
	metaSize         = 64

	branchPage   = 0x01
	leafPage     = 0x02
	metaPage     = 0x04
	freelistPage = 0x10

	metaMagic   = 0xED0CDAED
	metaVersion = 2

	minPageSize = 1 << 10 // bbolt looks for metas at page sizes from 1 KiB to 16 MiB
	maxPageSize = 1 << 24
	maxKeySize  = 1 << 15 // bbolt.MaxKeySize
	maxSize     = 1 << 30 // bytes; a thousand peers need a hundredth, and a 32-bit process could not map more
)

var order = binary.NativeEndian

// page is one page with its overflow pages behind it.
type page struct {
	id       uint64
	flags    uint16
	count    int
	overflow uint64
	bytes    []byte // header and all
}

func parsePage(b []byte) page {
	return page{
		id:       order.Uint64(b),
		flags:    order.Uint16(b[8:]),
		count:    int(order.Uint16(b[10:])),
		overflow: uint64(order.Uint32(b[12:])),
		bytes:    b,
	}
}

// meta is one of the two roots of the file. Transactions write them in turn.
type meta struct {
	pageSize uint64
	root     uint64
	freelist uint64
	end      uint64 // the first page that was never used
	txid     uint64
}

// readMetas reads both metas and returns the newer one. Both must hold: a meta lies within one sector, which a disk writes
// whole or not, so that a broken one is no interrupted write; and going back to the other would silently forget a change
// that was acknowledged, such as that a phone was removed.
func readMetas(f io.ReaderAt, size int64) (meta, error) {
	first, err := readMeta(f, size, 0, 0)
	if err != nil {
		return meta{}, err
	}
	second, err := readMeta(f, size, 1, first.pageSize)
	if err != nil {
		return meta{}, err
	}
	if first.pageSize != second.pageSize {
		return meta{}, damagef("its two index pages do not fit together")
	}
	switch {
	case first.txid == second.txid+1:
		return first, nil
	case second.txid == first.txid+1:
		return second, nil
	}
	return meta{}, damagef("its two index pages do not fit together")
}

// readMeta reads meta page id; pageSize is 0 when it is to be learnt from the page.
func readMeta(f io.ReaderAt, size int64, id, pageSize uint64) (meta, error) {
	if size == 0 {
		return meta{}, damagef("it is empty")
	}
	head := make([]byte, pageHeaderSize+metaSize)
	if err := readAt(f, head, int64(id*pageSize)); err != nil {
		return meta{}, err
	}
	m, err := parseMeta(head, id)
	if err != nil {
		return meta{}, err
	}
	rest := make([]byte, m.pageSize)
	if err := readAt(f, rest, int64(id*m.pageSize)); err != nil {
		return meta{}, err
	}
	if !blank(rest[len(head):]) {
		return meta{}, damagef("index page %d holds what does not belong there", id)
	}
	if uint64(size)/m.pageSize < m.end {
		return meta{}, damagef("it is cut off: %d bytes of at least %d are left", size, m.end*m.pageSize)
	}
	return m, nil
}

func parseMeta(b []byte, id uint64) (meta, error) {
	p, b := parsePage(b), b[pageHeaderSize:]
	if order.Uint32(b) != metaMagic {
		if id == 0 {
			return meta{}, damagef("it does not begin like a Hearthgate state file")
		}
		return meta{}, damagef("index page %d is broken", id)
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8]) // a hash never fails
	m := meta{
		pageSize: uint64(order.Uint32(b[8:])),
		root:     order.Uint64(b[16:]),
		freelist: order.Uint64(b[32:]),
		end:      order.Uint64(b[40:]),
		txid:     order.Uint64(b[48:]),
	}
	ok := sum.Sum64() == order.Uint64(b[56:]) &&
		p.id == id && p.flags == metaPage && p.count == 0 && p.overflow == 0 &&
		order.Uint32(b[4:]) == metaVersion &&
		m.pageSize >= minPageSize && m.pageSize <= maxPageSize && m.pageSize&(m.pageSize-1) == 0 &&
		m.end <= maxSize/m.pageSize &&
		m.txid%2 == id
	if !ok {
		return meta{}, damagef("index page %d is broken", id)
	}
	return m, nil
}

// item is one entry of a branch (child) or of a leaf (flags, value).
type item struct {
	key, value []byte
	child      uint64
	flags      uint32
}

// items reads the entries of a branch or leaf and returns where they end. bbolt lays keys and values out without gaps, in
// order; asking for just that leaves no byte of a page in which rot could hide.
func (p page) items() ([]item, int, error) {
	end := pageHeaderSize + p.count*elementSize
	if end > len(p.bytes) {
		return nil, 0, damagef("its entries do not fit")
	}
	all := make([]item, 0, p.count)
	for i := range p.count {
		at := pageHeaderSize + i*elementSize
		it, pos, keySize, valueSize := p.element(p.bytes[at:])
		room := uint64(len(p.bytes) - end)
		if pos != uint64(end-at) || keySize == 0 || keySize > maxKeySize || keySize+valueSize > room {
			return nil, 0, damagef("entry %d lies outside", i)
		}
		it.key = p.bytes[end : end+int(keySize)]
		it.value = p.bytes[end+int(keySize) : end+int(keySize+valueSize)]
		end += int(keySize + valueSize)
		if i > 0 && bytes.Compare(all[i-1].key, it.key) >= 0 {
			return nil, 0, damagef("entry %d is out of order", i)
		}
		all = append(all, it)
	}
	return all, end, nil
}

// element reads one entry's fixed part; pos counts from the entry itself.
func (p page) element(b []byte) (it item, pos, keySize, valueSize uint64) {
	if p.flags == branchPage {
		it.child = order.Uint64(b[8:])
		return it, uint64(order.Uint32(b)), uint64(order.Uint32(b[4:])), 0
	}
	it.flags = order.Uint32(b)
	return it, uint64(order.Uint32(b[4:])), uint64(order.Uint32(b[8:])), uint64(order.Uint32(b[12:]))
}

// blank says that there are only zero bytes: bbolt clears a page before it fills it.
func blank(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// readAt fills b. A file that ends before is damage; a disk that does not deliver is not.
func readAt(f io.ReaderAt, b []byte, at int64) error {
	n, err := f.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return damagef("it is cut off: there is nothing after byte %d", at+int64(n))
	}
	return err
}
