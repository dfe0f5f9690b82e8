package webui

import (
	"slices"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/page"
)

const (
	// newsFor is how long a phone's portal tells of another that was added.
	newsFor = 7 * 24 * time.Hour
	// newsShown bounds what one portal tells: who adds a hundred phones at once does not want to read of each.
	newsShown = 10
	// newsPiece is how many events are read at once.
	newsPiece = 256
)

// news knows which phones were added lately. It reads the journal once, and from then on what is new in it: every look at
// a portal would otherwise read ten thousand events.
type news struct {
	journal *journal.Journal

	mu    sync.Mutex
	seq   uint64          // of the last event that was read
	added []journal.Event // not older than newsFor when it was read
}

// of is what a phone is told: who was added after it, by whomever, the newest first. One that has been removed since is
// told of, too: nobody comes in unseen by leaving again.
func (n *news) of(p peers.Peer, now time.Time) ([]page.News, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.read(now); err != nil {
		return nil, err
	}
	var out []page.News
	for _, e := range slices.Backward(n.added) {
		if e.PeerID == p.ID || !e.Time.After(p.CreatedAt) || len(out) == newsShown {
			continue
		}
		out = append(out, page.News{Name: e.PeerName, At: e.Time})
	}
	return out, nil
}

func (n *news) read(now time.Time) error {
	for {
		events, err := n.journal.After(n.seq, newsPiece)
		if err != nil {
			return err
		}
		for _, e := range events {
			n.seq = e.Seq
			if e.Type == journal.PeerAdded {
				n.added = append(n.added, e)
			}
		}
		n.added = slices.DeleteFunc(n.added, func(e journal.Event) bool { return now.Sub(e.Time) >= newsFor })
		if len(events) < newsPiece {
			return nil
		}
	}
}
