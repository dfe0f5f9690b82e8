package store

import (
	"bytes"
	"io"
	"strconv"
)

// verify reads the whole file that is in use and returns its format. An error is a damage, or one of reading.
//
// It works on bytes that were read, not on bbolt. bbolt follows whatever number it finds through unsafe pointers into its
// mapped file, past it, and into the process; a walk through bbolt under recover would catch a fault but not a read of
// memory that happens to be there, and tx.Check walks in a goroutine of its own, where no recover of ours reaches. What
// passes here has every page, key and number where bbolt expects it, so that bbolt can be let at it.
//
// Pages that nobody refers to and that are not on the list of free pages are no damage: they are space lost, not state.
func verify(f io.ReaderAt, size int64) (format uint64, err error) {
	m, err := readMetas(f, size)
	if err != nil {
		return 0, err
	}
	w := walk{file: f, meta: m, claimed: make([]uint64, m.end/64+1)}
	if err := w.freelist(); err != nil {
		return 0, err
	}
	if err := w.tree(m.root, w.bucket); err != nil {
		return 0, err
	}
	if w.format == 0 {
		return 0, damagef("it does not say of which format it is")
	}
	if w.format > FormatVersion { // its records may have other seals; that is not for us to judge
		return w.format, nil
	}
	return w.format, w.broken
}

// walk goes through the file once.
type walk struct {
	file    io.ReaderAt
	meta    meta
	claimed []uint64 // one bit for each page that is in use or free, so that nothing is both, or twice
	format  uint64
	broken  error // the first record whose seal does not hold
}

// maxDepth of a tree: with two entries in a branch, bbolt's least, 2^40 leaves.
const maxDepth = 40

// claim takes n pages from id on.
func (w *walk) claim(id, n uint64) error {
	if id < 2 || id >= w.meta.end || n > w.meta.end-id {
		return damagef("it refers to page %d, which does not exist", id)
	}
	for ; n > 0; id, n = id+1, n-1 {
		if w.claimed[id/64]&(1<<(id%64)) != 0 {
			return damagef("page %d is in use twice", id)
		}
		w.claimed[id/64] |= 1 << (id % 64)
	}
	return nil
}

// page reads page id and claims it.
func (w *walk) page(id uint64) (page, error) {
	if err := w.claim(id, 1); err != nil {
		return page{}, err
	}
	b := make([]byte, w.meta.pageSize)
	if err := readAt(w.file, b, int64(id*w.meta.pageSize)); err != nil {
		return page{}, err
	}
	p := parsePage(b)
	if p.id != id {
		return page{}, damagef("page %d is another one", id)
	}
	if p.overflow == 0 {
		return p, nil
	}
	if err := w.claim(id+1, p.overflow); err != nil {
		return page{}, err
	}
	b = make([]byte, (p.overflow+1)*w.meta.pageSize)
	if err := readAt(w.file, b, int64(id*w.meta.pageSize)); err != nil {
		return page{}, err
	}
	return parsePage(b), nil
}

// freelist claims the pages that are free.
func (w *walk) freelist() error {
	p, err := w.page(w.meta.freelist)
	if err != nil {
		return err
	}
	if p.flags != freelistPage {
		return damagef("page %d should be the list of free pages", p.id)
	}
	ids, count := p.bytes[pageHeaderSize:], uint64(p.count)
	if count == 0xFFFF { // so many or more: the number stands in front
		count, ids = order.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids))/8 || !blank(ids[count*8:]) {
		return damagef("page %d, the list of free pages, is broken", p.id)
	}
	for i := range count {
		if err := w.claim(order.Uint64(ids[i*8:]), 1); err != nil {
			return err
		}
	}
	return nil
}

// tree visits every leaf entry under page id.
func (w *walk) tree(id uint64, visit func(item) error) error {
	return w.subtree(id, nil, nil, 0, visit)
}

// subtree is a part of a tree, whose keys must be at least low and less than high, where these are given.
func (w *walk) subtree(id uint64, low, high []byte, depth int, visit func(item) error) error {
	p, err := w.page(id)
	if err != nil {
		return err
	}
	items, err := w.node(p, low, high, depth)
	if err != nil {
		return err
	}
	for i, it := range items {
		if p.flags == leafPage {
			err = visit(it)
		} else {
			next := high
			if i+1 < len(items) {
				next = items[i+1].key
			}
			err = w.subtree(it.child, it.key, next, depth+1, visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// node reads the entries of a page of a tree. Only the root of a tree may be without any.
func (w *walk) node(p page, low, high []byte, depth int) ([]item, error) {
	if p.flags != leafPage && p.flags != branchPage {
		return nil, damagef("page %d is of no known kind", p.id)
	}
	if depth > maxDepth {
		return nil, damagef("its pages refer to each other without end")
	}
	items, end, err := p.items()
	if err != nil {
		return nil, damagef("page %d: %v", p.id, err)
	}
	if !blank(p.bytes[end:]) {
		return nil, damagef("page %d holds what does not belong there", p.id)
	}
	if len(items) == 0 {
		if depth > 0 || p.flags == branchPage {
			return nil, damagef("page %d is empty", p.id)
		}
		return nil, nil
	}
	first, last := items[0].key, items[len(items)-1].key
	if low != nil && bytes.Compare(first, low) < 0 || high != nil && bytes.Compare(last, high) >= 0 {
		return nil, damagef("page %d has keys that belong elsewhere", p.id)
	}
	return items, nil
}

// bucketEntry marks a leaf entry whose value is a bucket: its root page, or 0 and the only page itself.
const bucketEntry = 0x01

// bucket visits an entry at the top, where there are buckets only.
func (w *walk) bucket(top item) error {
	if top.flags != bucketEntry || len(top.value) < bucketHeaderSize {
		return damagef("%q is not a bucket", top.key)
	}
	root, sequence := order.Uint64(top.value), order.Uint64(top.value[8:])
	inline := top.value[bucketHeaderSize:]
	if sequence != 0 { // we count by keys and never set it
		return damagef("bucket %q is broken", top.key)
	}
	visit := func(it item) error { return w.record(string(top.key), it) }
	if root != 0 && len(inline) == 0 {
		return w.tree(root, visit)
	}
	if root != 0 || len(inline) < pageHeaderSize {
		return damagef("bucket %q is broken", top.key)
	}
	p := parsePage(inline)
	items, end, err := p.items()
	if err != nil || p.id != 0 || p.flags != leafPage || p.overflow != 0 || end != len(inline) {
		return damagef("bucket %q is broken", top.key)
	}
	for _, it := range items {
		if err := visit(it); err != nil {
			return err
		}
	}
	return nil
}

// record checks one record's seal, and keeps the format when it is that one.
func (w *walk) record(bucket string, it item) error {
	if it.flags != 0 {
		return damagef("%s is not a record", place(bucket, it.key))
	}
	text, err := unseal(bucket, it.key, it.value)
	if err != nil {
		if w.broken == nil {
			w.broken = damagef("%s: %v", place(bucket, it.key), err)
		}
		return nil
	}
	if bucket == formatBucket && string(it.key) == formatKey {
		format, err := strconv.ParseUint(string(text), 10, 64)
		if err != nil || format == 0 {
			return damagef("it does not say of which format it is")
		}
		w.format = format
	}
	return nil
}
