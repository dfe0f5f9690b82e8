package usage

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// bucket holds a record for each peer, by its id.
const bucket = "usage"

// record is how a peer's days are kept: for each, how many days after From it was, and the bytes received and sent.
type record struct {
	From string     `json:"from"` // a date, such as 2026-11-22
	Days [][3]int64 `json:"days"`
}

func recordOf(list []amount) record {
	if len(list) == 0 {
		return record{}
	}
	first := list[0].date
	r := record{From: first.utc().Format(time.DateOnly), Days: make([][3]int64, 0, len(list))}
	for _, m := range list {
		r.Days = append(r.Days, [3]int64{int64(m.date - first), m.received, m.sent})
	}
	return r
}

func (r record) amounts() ([]amount, error) {
	if len(r.Days) == 0 {
		return nil, nil
	}
	from, err := time.Parse(time.DateOnly, r.From)
	if err != nil {
		return nil, fmt.Errorf("reading the first date: %w", err)
	}
	list := make([]amount, 0, len(r.Days))
	for _, d := range r.Days {
		list = append(list, amount{dateFrom(from) + date(d[0]), d[1], d[2]})
	}
	return merged(list), nil
}

// load reads what is kept, the first time. A record that cannot be understood counts as none: it is no reason to count
// nothing from now on.
func (u *Usage) load() error {
	if u.loaded {
		return nil
	}
	err := u.cfg.Store.View(func(tx *store.Tx) error {
		return store.Each(tx, bucket, func(id string, r record) error {
			list, err := r.amounts()
			if err != nil {
				u.cfg.Log.Warn("usage of a peer not read", "peer_id", id, "error", err)
			}
			u.account(id).settled = list
			return nil
		})
	})
	if err != nil {
		clear(u.peers)
		return fmt.Errorf("reading how much phones have carried: %w", err)
	}
	u.loaded = true
	return nil
}

// batch is how many peers are written in one transaction, in the order of their ids. A household's fit into one; a thousand in
// one would keep others from writing for long, and would double the file, since bbolt writes each page anew before it lets go
// of the old one.
const batch = 100

// write puts what has changed on the disk, and nothing if nothing has. The lock is not held meanwhile.
func (u *Usage) write() {
	known, err := u.known()
	if err != nil {
		u.cfg.Log.Warn("usage not written", "error", err)
		return
	}
	change, gone := u.pending(known)
	ids := append(slices.Collect(maps.Keys(change)), gone...)
	slices.Sort(ids)
	for part := range slices.Chunk(ids, batch) {
		err := u.cfg.Store.Update(func(tx *store.Tx) error { return put(tx, part, change) })
		u.settled(part, change, err == nil)
		if err != nil {
			u.cfg.Log.Warn("usage not written", "error", err)
		}
	}
}

// put writes the records of ids, and deletes those of ids that have none.
func put(tx *store.Tx, ids []string, change map[string]record) error {
	for _, id := range ids {
		r, ok := change[id]
		var err error
		if ok {
			err = store.Put(tx, bucket, id, r)
		} else {
			err = store.Delete(tx, bucket, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *Usage) known() (map[string]bool, error) {
	ids, err := u.cfg.Known()
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	return known, nil
}

// pending gives the records to write and the peers to forget. A peer whose counters were there at the last sample is new
// rather than gone.
func (u *Usage) pending(known map[string]bool) (change map[string]record, gone []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	today, vouched := dateOf(u.cfg.Now(), u.cfg.Location), u.cfg.Synchronised()
	change = make(map[string]record)
	for id, a := range u.peers {
		if _, counted := u.last[id]; !known[id] && !counted {
			gone = append(gone, id)
			continue
		}
		a.settle(u.steadily())
		a.prune(today, vouched)
		if known[id] && a.dirty {
			change[id] = recordOf(a.all())
			a.dirty = false
		}
	}
	return change, gone
}

// settled notes what has been written, or has not.
func (u *Usage) settled(ids []string, change map[string]record, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, id := range ids {
		a := u.peers[id]
		_, changed := change[id]
		switch {
		case a == nil:
		case changed:
			a.dirty = a.dirty || !ok
		case ok:
			delete(u.peers, id)
		}
	}
}
