package peers

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// Registry keeps the peers in the store. Its methods may be called from any
// goroutine; an error means that nothing was changed.
type Registry struct {
	store   *store.Store
	journal *journal.Journal
	mark    *clock.Mark
	log     *slog.Logger
	known   KnownService
	copy    atomic.Pointer[copied]

	mu       sync.Mutex
	watchers map[chan struct{}]struct{}
	denied   string // whom time alone denied at the last Sweep
}

// KnownService tells whether there is a service of that name, within the
// transaction that gives it to a peer: a name that stood on a list without its
// service would come to life with the next service of that name.
type KnownService func(tx *store.Tx, name string) (bool, error)

// CheckServices makes the registry refuse names that known does not know. It is
// called once, before the registry is used; without it every name is taken.
func (r *Registry) CheckServices(known KnownService) { r.known = known }

// New makes a registry; it reads nothing yet. Init must come before the rest.
func New(st *store.Store, j *journal.Journal, m *clock.Mark, log *slog.Logger) *Registry {
	return &Registry{store: st, journal: j, mark: m, log: log, watchers: map[chan struct{}]struct{}{}}
}

// Now is the time that expiry is compared with: the later of the clock and the
// saved mark.
func (r *Registry) Now() time.Time { return r.mark.Effective().UTC().Round(0) }

// List gives all peers in the order of their IDs.
func (r *Registry) List() ([]Peer, error) {
	list := []Peer{}
	err := r.view(func(_ *store.Tx, c *copied, now time.Time) error {
		list = make([]Peer, 0, len(c.peers))
		return c.each(func(id string, p *peerRecord) error {
			peer, err := p.peer(id, c.server, now)
			list = append(list, peer)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing peers: %w", err)
	}
	return list, nil
}

// Get gives the peer with an ID, or ErrNotFound.
func (r *Registry) Get(id string) (Peer, error) {
	var peer Peer
	err := r.view(func(_ *store.Tx, c *copied, now time.Time) error {
		p, err := c.get(id)
		if err != nil {
			return err
		}
		peer, err = p.peer(id, c.server, now)
		return err
	})
	if err != nil {
		return Peer{}, fmt.Errorf("reading peer %s: %w", quote(id), err)
	}
	return peer, nil
}

// Find gives the peer with a name, read as loosely as two names must differ, or
// ErrNotFound.
func (r *Registry) Find(name string) (Peer, error) {
	var peer Peer
	err := r.view(func(_ *store.Tx, c *copied, now time.Time) error {
		id, p, err := findPeer(c.each, name)
		if err != nil {
			return err
		}
		if p == nil {
			return ErrNotFound
		}
		peer, err = p.peer(id, c.server, now)
		return err
	})
	if err != nil {
		return Peer{}, fmt.Errorf("finding peer %s: %w", quote(name), err)
	}
	return peer, nil
}
