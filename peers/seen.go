package peers

import (
	"fmt"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/internal/store"
)

// saveHandshakeEvery is how much newer a handshake must be than the saved one to
// be written: WireGuard makes one every two minutes, and an SD card wears out.
const saveHandshakeEvery = time.Hour

// Seen is told by the tunnel that a peer's key made a handshake. The first one is
// kept and journaled; that of a new key completes a rekey, and the old pair goes.
// Telling it twice changes nothing. A peer or a key that is gone meanwhile is
// no error: the tunnel may report what has just been cut.
func (r *Registry) Seen(id string, pub key.Public, at time.Time) error {
	if at.Unix() <= 0 { // a device's way to say never
		return nil
	}
	var news bool
	err := r.view(func(tx *store.Tx, _ *copied, now time.Time) error {
		p, ok, err := store.Get[peerRecord](tx, peerBucket, id)
		news = ok && p.see(pub, at, now).news()
		return err
	})
	if err != nil || !news {
		return seeing(id, err)
	}
	return seeing(id, r.update(func(t *transaction) error {
		p, ok, err := store.Get[peerRecord](t.tx, peerBucket, id)
		if err != nil || !ok {
			return err
		}
		s := p.see(pub, at, t.now)
		if !s.news() {
			return nil
		}
		if s.completes {
			if err := t.dropRetiring(&p); err != nil {
				return err
			}
		}
		if !s.first && !s.completes {
			return putPeer(t.tx, id, p)
		}
		t.tx.OnCommit(r.notify)
		return t.put(id, &p, firstHandshake(&p, pub, s.completes))
	}))
}

func seeing(id string, err error) error {
	if err != nil {
		return fmt.Errorf("saving a handshake of peer %s: %w", quote(id), err)
	}
	return nil
}

// A sighting is what a handshake changed in a record.
type sighting struct {
	first     bool // of its pair
	completes bool // the rekey that is under way
	saved     bool // as the latest one
}

func (s sighting) news() bool { return s.first || s.completes || s.saved }

// see notes a handshake of one of the peer's keys.
func (p *peerRecord) see(pub key.Public, at, now time.Time) (s sighting) {
	var pair *pairRecord
	for _, candidate := range p.pairs() {
		if candidate.PublicKey == pub {
			pair = candidate
		}
	}
	if pair == nil || p.NeedsEnrolment {
		return sighting{}
	}
	if at = kept(at); at.Before(pair.CreatedAt) {
		at = pair.CreatedAt // the device's clock is behind: 1970 on a Pi without network
	}
	if pair.FirstHandshake.IsZero() {
		pair.FirstHandshake, s.first = at, true
	}
	if p.FirstHandshake.IsZero() {
		p.FirstHandshake = at
	}
	s.completes = pair == &p.Pair && p.Retiring != nil
	// A saved time in the future is a wrong clock's, and gives way.
	wrong := p.LastHandshake.After(now.Add(saveHandshakeEvery)) && at.Before(p.LastHandshake)
	if s.first || wrong || at.Sub(p.LastHandshake) > saveHandshakeEvery {
		s.saved = !at.Equal(p.LastHandshake)
		p.LastHandshake = at
	}
	return s
}

func firstHandshake(p *peerRecord, pub key.Public, rekeyed bool) journal.Event {
	message := shown(p.Name) + " connected for the first time"
	if rekeyed {
		message = shown(p.Name) + " connected with its new key; the old one is cut off"
	}
	return journal.Event{
		Type: journal.PeerFirstHandshake, Message: message,
		Data: map[string]string{"public_key": pub.String(), "rekeyed": fmt.Sprint(rekeyed)},
	}
}
