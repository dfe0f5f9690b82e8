package peers

import (
	"fmt"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// Allowed gives what the tunnel serves now, one access for each pair: of peers
// that are enabled, enrolled with the server's present key, and whose date has
// not passed. What is not in it has no business in the tunnel.
func (r *Registry) Allowed() ([]Access, error) {
	list := []Access{}
	err := r.view(func(_ *store.Tx, c *copied, now time.Time) error {
		return c.each(func(id string, p *peerRecord) error {
			if p.Disabled || p.NeedsEnrolment || p.endsBy(now) {
				return nil
			}
			peer, err := p.peer(id, c.server, now)
			if err != nil {
				return err
			}
			list = append(list, Access{PeerID: id, Name: p.Name, Pair: peer.Pair, Services: peer.Services})
			if peer.Retiring != nil && !p.retiresBy(now) {
				list = append(list, Access{PeerID: id, Name: p.Name, Pair: *peer.Retiring, Services: peer.Services, Retiring: true})
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading who may come in: %w", err)
	}
	return list, nil
}
