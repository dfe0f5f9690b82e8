package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	quiet    = time.Minute // between two lines about one network: an IPv4 address, or an IPv6 /64
	maxNoted = 256         // networks that are remembered
)

// notes keeps a flood out of the log: one line for a network in a minute. When more of them come than are remembered,
// the rest is silent, for who is refused by thousands is known by then.
type notes struct {
	mu   sync.Mutex
	last map[netip.Prefix]time.Time
}

func newNotes() *notes { return &notes{last: make(map[netip.Prefix]time.Time)} }

// due tells whether a line about a network may be written now, and takes it for written.
func (n *notes) due(network netip.Prefix) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if at, ok := n.last[network]; ok && now.Sub(at) < quiet {
		return false
	}
	if len(n.last) >= maxNoted {
		n.forget(now)
	}
	if len(n.last) >= maxNoted {
		return false
	}
	n.last[network] = now
	return true
}

func (n *notes) forget(now time.Time) {
	for network, at := range n.last {
		if now.Sub(at) >= quiet {
			delete(n.last, network)
		}
	}
}
