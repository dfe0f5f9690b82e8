package store

import (
	"bytes"
	"strconv"
)

// maxDepth of a tree: with two entries in a branch, bbolt's least, 2^40 leaves.
const maxDepth = 40

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
