package access

import (
	"net/netip"
	"slices"
	"sync"
)

const (
	// maxConns bounds what all callers hold together: at some 20 KiB each, 10 MiB of the 64 that the product has.
	maxConns = 512

	// maxPerSource lets ten browsers behind one address load a page at once.
	maxPerSource = 64

	// maxPerNetwork bounds an IPv6 /64 (an IPv4 address has its own bound), in which one machine can take as many addresses as it likes. It is not a source's
	// share, because the callers that are admitted are neighbours: a whole home is in one /64, and a neighbour who is mad
	// must not shut out the others. Half of all is left to IPv4, which every browser falls back to.
	maxPerNetwork = 256
)

// limits are a room's, for tests to make small.
type limits struct{ all, source, network int }

// room counts the connections that are open: all, each source's, and each IPv6 network's. Its memory is bounded by what
// it admits.
type room struct {
	most limits

	mu       sync.Mutex
	guests   []*guest // the one that came first is first
	sources  map[netip.Addr]int
	networks map[netip.Prefix]int
}

func newRoom(most limits) *room {
	return &room{most: most, sources: make(map[netip.Addr]int), networks: make(map[netip.Prefix]int)}
}

// enter takes a place for a guest, or says why there is none. Where all places are taken, or all of its network, the source that
// has most gives up its oldest connection: somebody with many addresses could otherwise hold them all. victim is to be closed.
func (r *room) enter(g *guest) (victim *guest, err error) {
	network := networkOf(g.source)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.sources[g.source] >= r.most.source:
		return nil, refusal("it has too many connections open")
	case r.networks[network] >= r.most.network:
		victim = r.greediest(func(other *guest) bool { return networkOf(other.source) == network })
	case len(r.guests) >= r.most.all:
		victim = r.greediest(func(*guest) bool { return true })
	}
	if victim != nil {
		r.drop(victim)
	}
	r.guests = append(r.guests, g)
	r.sources[g.source]++
	r.networks[network]++
	return victim, nil
}

// greediest is the oldest connection of the source that has most, of those that may be chosen.
func (r *room) greediest(may func(*guest) bool) (found *guest) {
	for _, g := range r.guests {
		if may(g) && (found == nil || r.sources[g.source] > r.sources[found.source]) {
			found = g
		}
	}
	return found
}

// leave gives a place back. That a guest had to leave before is fine.
func (r *room) leave(g *guest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(g)
}

// drop wants mu to be held.
func (r *room) drop(g *guest) {
	i := slices.Index(r.guests, g)
	if i < 0 {
		return
	}
	r.guests = slices.Delete(r.guests, i, i+1)
	lessOne(r.sources, g.source)
	lessOne(r.networks, networkOf(g.source))
}

func lessOne[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

// networkOf is the IPv4 address itself, or the /64 out of which one machine can take any address (RFC 4291, section 2.5.4).
func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() && !addr.IsLoopback() {
		bits = 64
	}
	network, _ := addr.Prefix(bits)
	return network
}
