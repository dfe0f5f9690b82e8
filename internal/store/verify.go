package store

import "io"

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
