package peers

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/internal/store"
)

// Init gives the server's keys and networks. At the first start it makes them,
// so that the networks meet none of taken; from then on it gives what is saved,
// whatever is taken: the phones have it in their configs.
func (r *Registry) Init(taken []netip.Prefix) (Server, error) {
	var server Server
	now := r.Now()
	err := r.store.Update(func(tx *store.Tx) error {
		_, ok, err := store.Get[serverRecord](tx, serverBucket, serverKey)
		if err != nil {
			return err
		}
		if !ok {
			private, err := key.NewPrivate()
			if err != nil {
				return err
			}
			v4, v6, err := chooseNetworks(taken)
			if err != nil {
				return err
			}
			record := serverRecord{PrivateKey: private.Reveal(), Network4: v4.String(), Network6: v6.String(), CreatedAt: now}
			if err := putServer(tx, record); err != nil {
				return err
			}
		}
		if server, err = readServer(tx); err != nil {
			return err
		}
		server, err = keepAdmin(tx, server)
		return err
	})
	if err != nil {
		return Server{}, fmt.Errorf("preparing the server: %w", err)
	}
	return server, nil
}

// Server gives the server's keys and networks.
func (r *Registry) Server() (Server, error) {
	var server Server
	err := r.view(func(_ *store.Tx, c *copied, _ time.Time) error {
		server = c.server
		return nil
	})
	return server, err
}

// RekeyServer makes a new key for the server, for when the card with the old one
// may be in other hands. All configs are void with it: it gives the peers, each of
// which needs to be enrolled again (Rekey) and is not served until then.
func (r *Registry) RekeyServer() (Server, []Peer, error) {
	var server Server
	var list []Peer
	err := r.update(func(t *transaction) error {
		private, err := key.NewPrivate()
		if err != nil {
			return err
		}
		record, _, err := store.Get[serverRecord](t.tx, serverBucket, serverKey)
		if err != nil {
			return err
		}
		record.PrivateKey = private.Reveal()
		if err := putServer(t.tx, record); err != nil {
			return err
		}
		if server, err = readServer(t.tx); err != nil {
			return err
		}
		if list, err = t.voidAll(server); err != nil {
			return err
		}
		t.tx.OnCommit(r.notify)
		return t.journal.RecordTx(t.tx, journal.Event{
			Type:    journal.ServerRekeyed,
			Message: fmt.Sprintf("the server has a new key; %d phones must be enrolled again", len(list)),
			Data:    map[string]string{"peers": strconv.Itoa(len(list))},
		})
	})
	if err != nil {
		return Server{}, nil, fmt.Errorf("rekeying the server: %w", err)
	}
	return server, list, nil
}

// voidAll marks every peer as in need of a new config and gives up the old pairs
// of rekeys under way.
func (t *transaction) voidAll(server Server) ([]Peer, error) {
	list := []Peer{}
	err := eachPeer(t.tx, func(id string, p *peerRecord) error {
		p.NeedsEnrolment = true
		if err := t.dropRetiring(p); err != nil {
			return err
		}
		if err := putPeer(t.tx, id, *p); err != nil {
			return err
		}
		peer, err := p.peer(id, server, t.now)
		list = append(list, peer)
		return err
	})
	return list, err
}

func readServer(tx *store.Tx) (Server, error) {
	record, ok, err := store.Get[serverRecord](tx, serverBucket, serverKey)
	if err != nil {
		return Server{}, fmt.Errorf("reading the server's keys: %w", err)
	}
	if !ok {
		return Server{}, errors.New("reading the server's keys: there are none yet")
	}
	private, err := key.ParseSecret(record.PrivateKey)
	if err != nil {
		return Server{}, fmt.Errorf("reading the server's private key: %w", err)
	}
	s := Server{PrivateKey: private}
	if s.PublicKey, err = private.Public(); err != nil {
		return Server{}, fmt.Errorf("reading the server's private key: %w", err)
	}
	if s.Network4, err = netip.ParsePrefix(record.Network4); err != nil {
		return Server{}, fmt.Errorf("reading the tunnel's IPv4 network: %w", err)
	}
	if s.Network6, err = netip.ParsePrefix(record.Network6); err != nil {
		return Server{}, fmt.Errorf("reading the tunnel's IPv6 network: %w", err)
	}
	s.Address4, s.Address6 = s.addresses(serverIndex)
	if record.AdminIndex == 0 {
		record.AdminIndex = s.lastUsable()
	}
	s.Admin4, s.Admin6 = s.addresses(record.AdminIndex)
	return s, nil
}
