package peers

import (
	"fmt"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/internal/key"
)

// newPair makes keys and finds addresses for them. The private key is zero when
// the phone brought its own key, which nobody else may have. Services are what its
// peer may reach.
func (t *transaction) newPair(brought *key.Public, services []string) (pair pairRecord, private key.Secret, err error) {
	public, private, err := newKey(brought)
	if err != nil {
		return pairRecord{}, key.Secret{}, err
	}
	preshared, err := key.NewPreshared()
	if err != nil {
		return pairRecord{}, key.Secret{}, err
	}
	used, err := t.usedIndexes(public)
	if err != nil {
		return pairRecord{}, key.Secret{}, err
	}
	index, err := t.takeIndex(used)
	if err != nil {
		return pairRecord{}, key.Secret{}, err
	}
	return pairRecord{
		PublicKey: public, PresharedKey: preshared.Reveal(), Index: index,
		Admin: slices.Contains(services, AdminService), CreatedAt: t.now,
	}, private, nil
}

func newKey(brought *key.Public) (key.Public, key.Secret, error) {
	if brought != nil {
		if brought.IsZero() {
			return key.Public{}, key.Secret{}, invalidf("public key is all zero: expected the key that the phone's app shows")
		}
		return *brought, key.Secret{}, nil
	}
	private, err := key.NewPrivate()
	if err != nil {
		return key.Public{}, key.Secret{}, err
	}
	public, err := private.Public()
	return public, private, err
}

// usedIndexes gives the indexes of all pairs, and refuses a key that is in use.
func (t *transaction) usedIndexes(public key.Public) (map[int]bool, error) {
	if public == t.server.PublicKey {
		return nil, fmt.Errorf("%w: %q is the server's own", ErrKeyTaken, public)
	}
	used := map[int]bool{}
	err := eachPeer(t.tx, func(_ string, p *peerRecord) error {
		for _, pair := range p.pairs() {
			if pair.PublicKey == public {
				return fmt.Errorf("%w: peer %s has %q; make a new key on the phone", ErrKeyTaken, shown(p.Name), public)
			}
			used[pair.Index] = true
		}
		return nil
	})
	return used, err
}

// replacePair puts a new pair in the place of the present one, which retires
// unless it is cut or was itself a replacement that nobody has used.
func (t *transaction) replacePair(p *peerRecord, pair pairRecord, cut bool) error {
	if cut || p.retiresBy(t.now) {
		if err := t.dropRetiring(p); err != nil {
			return err
		}
	}
	old := p.Pair
	p.Pair = pair
	if cut || p.Retiring != nil {
		if p.Retiring != nil {
			p.RetireAt = t.now.Add(retireAfter)
		}
		return t.rest(old.Index)
	}
	p.Retiring, p.RetireAt = &old, t.now.Add(retireAfter)
	return nil
}

// dropRetiring gives up the old pair of a rekey, if there is one.
func (t *transaction) dropRetiring(p *peerRecord) error {
	if p.Retiring == nil {
		return nil
	}
	index := p.Retiring.Index
	p.Retiring, p.RetireAt = nil, time.Time{}
	return t.rest(index)
}
