package peers

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/key"
)

// DefaultService is what a peer may reach when nobody says otherwise.
const DefaultService = "home-assistant"

// AdminService is Hearthgate's own page inside the tunnel. It has addresses of its
// own, which only the config of a peer that has this service names.
const AdminService = "admin"

// retireAfter is how long a phone's old pair works beside the new one: a day,
// within which the person who has the phone sees the new code.
const retireAfter = 24 * time.Hour

// AddRequest is a peer as people ask for it.
type AddRequest struct {
	Name string
	// ExpiresAt is when access ends; zero is never.
	ExpiresAt time.Time
	// PublicKey is the phone's own, made elsewhere; nil makes a pair of keys here.
	PublicKey *key.Public
	// Services are what it may reach; nil is DefaultService, empty is nothing.
	Services []string
}

// Add makes a peer with new keys and addresses.
func (r *Registry) Add(req AddRequest) (Enrolment, error) {
	var enrolment Enrolment
	err := r.update(func(t *transaction) error {
		id := newID()
		p, private, err := t.newPeer(req)
		if err != nil {
			return err
		}
		t.tx.OnCommit(r.notify)
		if err := t.put(id, p, added(p)); err != nil {
			return err
		}
		peer, err := p.peer(id, t.server, t.now)
		enrolment = Enrolment{Peer: peer, PrivateKey: private}
		return err
	})
	if err != nil {
		return Enrolment{}, fmt.Errorf("adding peer %s: %w", quote(req.Name), err)
	}
	return enrolment, nil
}

// newPeer checks a request and makes the record; the phone's private key is
// beside it, not in it.
func (t *transaction) newPeer(req AddRequest) (*peerRecord, key.Secret, error) {
	name, err := cleanName(req.Name)
	if err != nil {
		return nil, key.Secret{}, err
	}
	if req.Services == nil {
		req.Services = []string{DefaultService}
	}
	services, err := t.cleanServices(req.Services)
	if err != nil {
		return nil, key.Secret{}, err
	}
	if err := checkExpiry(req.ExpiresAt, t.now); err != nil {
		return nil, key.Secret{}, err
	}
	if err := t.checkNameFree(name, ""); err != nil {
		return nil, key.Secret{}, err
	}
	pair, private, err := t.newPair(req.PublicKey, services)
	if err != nil {
		return nil, key.Secret{}, err
	}
	return &peerRecord{Name: name, Pair: pair, Services: services, ExpiresAt: kept(req.ExpiresAt), CreatedAt: t.now}, private, nil
}

func added(p *peerRecord) journal.Event {
	message := shown(p.Name) + " was added"
	if !p.ExpiresAt.IsZero() {
		message += ", until " + expiryText(p.ExpiresAt)
	}
	return journal.Event{
		Type: journal.PeerAdded, Message: message,
		Data: map[string]string{"expires_at": expiryText(p.ExpiresAt), "services": strings.Join(p.Services, " ")},
	}
}

// Rekey gives a peer a new pair. The old one works beside it until the new key's
// first handshake, for at most a day; with now it is cut at once. During a rekey,
// another one replaces the new pair that was never used, and the old pair, which
// is the one that works, has a fresh day. A peer that NeedsEnrolment has nothing
// that works, so that nothing is kept.
func (r *Registry) Rekey(id string, pub *key.Public, now bool) (Enrolment, error) {
	var private key.Secret
	peer, err := r.change("rekeying", id, func(t *transaction, p *peerRecord) (journal.Event, error) {
		pair, made, err := t.newPair(pub, p.Services)
		if err != nil {
			return journal.Event{}, err
		}
		private = made
		if err := t.replacePair(p, pair, now || p.NeedsEnrolment); err != nil {
			return journal.Event{}, err
		}
		p.NeedsEnrolment = false
		return rekeyed(p), nil
	})
	if err != nil {
		return Enrolment{}, err
	}
	return Enrolment{Peer: peer, PrivateKey: private}, nil
}

// rekeyed is the event of a new pair. Its data say until when the old key works at
// most; empty is that it is cut off.
func rekeyed(p *peerRecord) journal.Event {
	message, until := shown(p.Name)+" has a new key; its old one is cut off", ""
	if p.Retiring != nil {
		until = expiryText(p.RetireAt)
		message = fmt.Sprintf("%s has a new key; its old one works until the new one is used, at most until %s", shown(p.Name), until)
	}
	return journal.Event{Type: journal.PeerRekeyed, Message: message, Data: map[string]string{"old_key_until": until}}
}

// newID is 80 random bits: no peer ever has the ID of one that was removed.
func newID() string {
	var random [10]byte
	rand.Read(random[:]) // never fails (crypto/rand)
	return strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
}
