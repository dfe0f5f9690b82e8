package peers

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// An index is a pair's place in the tunnel: with index n its addresses are
// network+n, in IPv4 and in IPv6. Index 0 is the IPv4 network's own address and
// the last one its broadcast address; neither is given to anyone. The one before
// broadcast is the admin page's.
const (
	serverIndex = 1
	firstIndex  = 2
)

// restFor is how long an index stays unused after its pair has gone. What had
// been sent to the old phone, or believed of its address, is then long over.
const restFor = 24 * time.Hour

const (
	addressBucket = "peer_addresses" // "last": the index given most recently
	restingBucket = "peer_resting"   // index, four digits: resting
	lastKey       = "last"
)

type lastIndex struct {
	Index int `json:"index"`
}

type resting struct {
	Until time.Time `json:"until"`
}

// addresses gives the pair of addresses at an index.
func (s Server) addresses(index int) (v4, v6 netip.Addr) {
	four := s.Network4.Addr().As4()
	binary.BigEndian.PutUint32(four[:], binary.BigEndian.Uint32(four[:])+uint32(index))
	six := s.Network6.Addr().As16()
	binary.BigEndian.PutUint64(six[8:], uint64(index))
	return netip.AddrFrom4(four), netip.AddrFrom16(six)
}

// lastUsable is the highest index: the one before broadcast.
func (s Server) lastUsable() int { return 1<<(32-s.Network4.Bits()) - 2 }

// isAdmin says whether an index is the admin page's.
func (s Server) isAdmin(index int) bool {
	v4, _ := s.addresses(index)
	return v4 == s.Admin4
}

// room is how many indexes there are for pairs: all but the server's and the
// admin page's.
func (s Server) room() int { return s.lastUsable() - 2 }

// takeIndex gives the next index that no pair has and that does not rest. It
// goes forward through the network and begins again only at its end, so that an
// address comes back as late as can be.
func (t *transaction) takeIndex(used map[int]bool) (int, error) {
	last, _, err := store.Get[lastIndex](t.tx, addressBucket, lastKey)
	if err != nil {
		return 0, err
	}
	rests, err := restingIndexes(t.tx)
	if err != nil {
		return 0, err
	}
	index := max(last.Index, serverIndex)
	for range t.server.lastUsable() - serverIndex {
		if index++; index > t.server.lastUsable() {
			index = firstIndex
		}
		if used[index] || t.server.isAdmin(index) || t.now.Before(rests[index]) {
			continue
		}
		return index, store.Put(t.tx, addressBucket, lastKey, lastIndex{index})
	}
	return 0, fmt.Errorf("%w: all %d are in use, or rest for %d hours after a removal",
		ErrNoAddress, t.server.room(), int(restFor.Hours()))
}

// rest keeps an index from being given out for a day.
func (t *transaction) rest(index int) error {
	return store.Put(t.tx, restingBucket, restingKey(index), resting{t.now.Add(restFor)})
}

// restingKey sorts by number.
func restingKey(index int) string { return fmt.Sprintf("%04d", index) }

// restingIndexes gives when each rest ends.
func restingIndexes(tx *store.Tx) (map[int]time.Time, error) {
	rests := map[int]time.Time{}
	err := store.Each(tx, restingBucket, func(name string, r resting) error {
		index, err := strconv.Atoi(name)
		if err != nil {
			return fmt.Errorf("reading resting address %q: %w", name, err)
		}
		rests[index] = r.Until
		return nil
	})
	return rests, err
}
