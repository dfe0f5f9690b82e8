package peers

import (
	"slices"
	"strings"

	"github.com/hearthgate/hearthgate/internal/store"
)

// Reading a thousand records takes 6 ms, and pages and the tunnel ask for all of
// them again and again. What was read last is therefore kept, and beside it the
// number of changes that the store held then. Every change of a peer or of the
// server raises that number in its own transaction, and every reading compares it
// within its own, so that a copy is used only where the store would say the same.

const (
	changesBucket = "peer_changes" // "count": changeCount
	countKey      = "count"
)

// changeCount is absent before the first change by a Hearthgate that counts.
type changeCount struct {
	Count uint64 `json:"count"`
}

// copied is what was read at a count of changes. Nobody alters it.
type copied struct {
	count  uint64
	server Server
	peers  []copiedPeer // by ID
}

type copiedPeer struct {
	id     string
	record peerRecord
}

// each goes through all peers in the order of their IDs. They are not fn's to alter.
func (c *copied) each(fn func(id string, p *peerRecord) error) error {
	for i := range c.peers {
		if err := fn(c.peers[i].id, &c.peers[i].record); err != nil {
			return err
		}
	}
	return nil
}

// get gives a peer that is not the caller's to alter.
func (c *copied) get(id string) (*peerRecord, error) {
	i, ok := slices.BinarySearchFunc(c.peers, id, func(p copiedPeer, id string) int {
		return strings.Compare(p.id, id)
	})
	if !ok {
		return nil, ErrNotFound
	}
	return &c.peers[i].record, nil
}

// copied gives what the store says in tx.
func (r *Registry) copied(tx *store.Tx) (*copied, error) {
	now, _, err := store.Get[changeCount](tx, changesBucket, countKey)
	if err != nil {
		return nil, err
	}
	if c := r.copy.Load(); c != nil && c.count == now.Count {
		return c, nil
	}
	c := &copied{count: now.Count}
	if c.server, err = readServer(tx); err != nil {
		return nil, err
	}
	err = eachPeer(tx, func(id string, p *peerRecord) error {
		c.peers = append(c.peers, copiedPeer{id, *p})
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.copy.Store(c)
	return c, nil
}

// Nothing else writes to these buckets.

func putPeer(tx *store.Tx, id string, p peerRecord) error {
	if err := store.Put(tx, peerBucket, id, p); err != nil {
		return err
	}
	return countChange(tx)
}

func deletePeer(tx *store.Tx, id string) error {
	if err := store.Delete(tx, peerBucket, id); err != nil {
		return err
	}
	return countChange(tx)
}

func putServer(tx *store.Tx, s serverRecord) error {
	if err := store.Put(tx, serverBucket, serverKey, s); err != nil {
		return err
	}
	return countChange(tx)
}

func countChange(tx *store.Tx) error {
	c, _, err := store.Get[changeCount](tx, changesBucket, countKey)
	if err != nil {
		return err
	}
	c.Count++
	return store.Put(tx, changesBucket, countKey, c)
}
