package peers

import (
	"fmt"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// A transaction is one change of the registry with what it needs to know.
type transaction struct {
	tx      *store.Tx
	journal *journal.Journal
	server  Server
	now     time.Time
	known   KnownService
}

// update runs a change in one store transaction and tells the watchers once it
// is durable. The time is read before the transaction: the mark reads the store.
func (r *Registry) update(fn func(*transaction) error) error {
	now := r.Now()
	return r.store.Update(func(tx *store.Tx) error {
		server, err := readServer(tx)
		if err != nil {
			return err
		}
		if err := fn(&transaction{tx, r.journal, server, now, r.known}); err != nil {
			return fmt.Errorf("%w; nothing was changed", err)
		}
		return nil
	})
}

// view runs a reading of the store.
func (r *Registry) view(fn func(tx *store.Tx, c *copied, now time.Time) error) error {
	now := r.Now()
	return r.store.View(func(tx *store.Tx) error {
		c, err := r.copied(tx)
		if err != nil {
			return err
		}
		return fn(tx, c, now)
	})
}

// change applies fn to one peer. An event without a type means that there was
// nothing to do; nothing is then written.
func (r *Registry) change(doing, id string, fn func(*transaction, *peerRecord) (journal.Event, error)) (Peer, error) {
	var peer Peer
	err := r.update(func(t *transaction) error {
		p, err := getPeer(t.tx, id)
		if err != nil {
			return fmt.Errorf("%s peer %s: %w", doing, quote(id), err)
		}
		was := p.Name
		event, err := fn(t, p)
		if err == nil && event.Type != "" {
			t.tx.OnCommit(r.notify)
			err = t.put(id, p, event)
		}
		if err != nil {
			return fmt.Errorf("%s peer %s: %w", doing, shown(was), err)
		}
		peer, err = p.peer(id, t.server, t.now)
		return err
	})
	if err != nil {
		return Peer{}, err
	}
	return peer, nil
}

// put saves a peer and the journal's line about it.
func (t *transaction) put(id string, p *peerRecord, e journal.Event) error {
	if err := putPeer(t.tx, id, *p); err != nil {
		return err
	}
	return t.record(id, p, e)
}

func (t *transaction) record(id string, p *peerRecord, e journal.Event) error {
	e.PeerID, e.PeerName = id, p.Name
	return t.journal.RecordTx(t.tx, e)
}

func getPeer(tx *store.Tx, id string) (*peerRecord, error) {
	if id == "" {
		return nil, ErrNotFound
	}
	p, ok, err := store.Get[peerRecord](tx, peerBucket, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotFound
	}
	return &p, nil
}

// findPeer gives nil when nobody has the name.
func findPeer(each func(func(string, *peerRecord) error) error, name string) (id string, found *peerRecord, err error) {
	folded := foldName(name)
	err = each(func(other string, p *peerRecord) error {
		if foldName(p.Name) == folded {
			id, found = other, p
		}
		return nil
	})
	return id, found, err
}

func (t *transaction) each(fn func(id string, p *peerRecord) error) error { return eachPeer(t.tx, fn) }
