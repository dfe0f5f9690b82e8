package peers

import (
	"fmt"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/internal/store"
)

// The records are what the store holds: their fields are a format, changed only
// with the store's version. They have a place for the server's private key and
// for preshared keys, and none for a phone's private key.

const (
	serverBucket = "server" // "server": serverRecord
	serverKey    = "server"
	peerBucket   = "peers" // by ID: peerRecord
)

type serverRecord struct {
	PrivateKey string    `json:"private_key"`
	Network4   string    `json:"network4"`
	Network6   string    `json:"network6"`
	AdminIndex int       `json:"admin_index,omitempty"` // none: the last
	CreatedAt  time.Time `json:"created_at"`
}

type peerRecord struct {
	Name           string      `json:"name"`
	Pair           pairRecord  `json:"pair"`
	Retiring       *pairRecord `json:"retiring,omitempty"`
	RetireAt       time.Time   `json:"retire_at,omitzero"`
	Services       []string    `json:"services"`
	Disabled       bool        `json:"disabled,omitempty"`
	ExpiresAt      time.Time   `json:"expires_at,omitzero"`
	Expired        bool        `json:"expired,omitempty"` // confirmed by a synchronised clock
	NeedsEnrolment bool        `json:"needs_enrolment,omitempty"`
	CreatedAt      time.Time   `json:"created_at"`
	FirstHandshake time.Time   `json:"first_handshake,omitzero"`
	LastHandshake  time.Time   `json:"last_handshake,omitzero"`
}

type pairRecord struct {
	PublicKey      key.Public `json:"public_key"`
	PresharedKey   string     `json:"preshared_key"`
	Index          int        `json:"index"`
	Admin          bool       `json:"admin,omitempty"`
	CreatedAt      time.Time  `json:"created_at"`
	FirstHandshake time.Time  `json:"first_handshake,omitzero"`
}

// pairs gives the pairs that a record holds: one, or two during a rekey.
func (p *peerRecord) pairs() []*pairRecord {
	if p.Retiring != nil {
		return []*pairRecord{&p.Pair, p.Retiring}
	}
	return []*pairRecord{&p.Pair}
}

// endsBy holds when the peer's access has ended, by date, at now.
func (p *peerRecord) endsBy(now time.Time) bool {
	return p.Expired || !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt)
}

// retiresBy holds when the old pair of a rekey is over at now.
func (p *peerRecord) retiresBy(now time.Time) bool {
	return p.Retiring != nil && !now.Before(p.RetireAt)
}

func (p *peerRecord) peer(id string, s Server, now time.Time) (Peer, error) {
	peer := Peer{
		ID: id, Name: p.Name,
		Services:          slices.Clone(p.Services),
		Disabled:          p.Disabled,
		ExpiresAt:         p.ExpiresAt,
		Expired:           p.endsBy(now),
		ExpiryUnconfirmed: p.endsBy(now) && !p.Expired,
		NeedsEnrolment:    p.NeedsEnrolment,
		CreatedAt:         p.CreatedAt,
		FirstHandshake:    p.FirstHandshake,
		LastHandshake:     p.LastHandshake,
	}
	var err error
	if peer.Pair, err = p.Pair.pair(s); err != nil {
		return Peer{}, fmt.Errorf("reading peer %s: %w", shown(p.Name), err)
	}
	if p.Retiring == nil {
		return peer, nil
	}
	old, err := p.Retiring.pair(s)
	if err != nil {
		return Peer{}, fmt.Errorf("reading peer %s: %w", shown(p.Name), err)
	}
	peer.Retiring, peer.RetireAt = &old, p.RetireAt
	return peer, nil
}

func (p pairRecord) pair(s Server) (Pair, error) {
	psk, err := key.ParseSecret(p.PresharedKey)
	if err != nil {
		return Pair{}, fmt.Errorf("reading its preshared key: %w", err)
	}
	pair := Pair{PublicKey: p.PublicKey, PresharedKey: psk, Admin: p.Admin, CreatedAt: p.CreatedAt, FirstHandshake: p.FirstHandshake}
	pair.IPv4, pair.IPv6 = s.addresses(p.Index)
	return pair, nil
}

// eachPeer goes through all peers in the order of their IDs.
func eachPeer(tx *store.Tx, fn func(id string, p *peerRecord) error) error {
	return store.Each(tx, peerBucket, func(id string, p peerRecord) error { return fn(id, &p) })
}
