package peers

import (
	"fmt"

	"github.com/hearthgate/hearthgate/internal/store"
)

// keepAdmin sees to it that the admin page's index is no pair's. Before there was
// an admin page its index was given out like any other, after four thousand
// others; where that has happened the page gets the next one below that is free,
// and keeps it.
func keepAdmin(tx *store.Tx, s Server) (Server, error) {
	used := map[int]bool{}
	err := eachPeer(tx, func(_ string, p *peerRecord) error {
		for _, pair := range p.pairs() {
			used[pair.Index] = true
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	index := s.lastUsable()
	for index > firstIndex && !s.isAdmin(index) {
		index--
	}
	if !used[index] {
		return s, nil
	}
	for index = s.lastUsable(); used[index]; index-- {
		if index == firstIndex {
			return s, fmt.Errorf("%w for the admin page: all are in use", ErrNoAddress)
		}
	}
	return moveAdmin(tx, s, index)
}

func moveAdmin(tx *store.Tx, s Server, index int) (Server, error) {
	record, _, err := store.Get[serverRecord](tx, serverBucket, serverKey)
	if err != nil {
		return s, err
	}
	record.AdminIndex = index
	s.Admin4, s.Admin6 = s.addresses(index)
	return s, putServer(tx, record)
}
