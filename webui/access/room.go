package access

import (
	"net/netip"
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
	all      int
	sources  map[netip.Addr]int
	networks map[netip.Prefix]int
}

func newRoom(most limits) *room {
	return &room{most: most, sources: make(map[netip.Addr]int), networks: make(map[netip.Prefix]int)}
}

// enter takes a place, or says why there is none.
func (r *room) enter(source netip.Addr) error {
	network := networkOf(source)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.sources[source] >= r.most.source:
		return refusal("it has too many connections open")
	case r.networks[network] >= r.most.network:
		return refusal("its network has too many connections open")
	case r.all >= r.most.all:
		return refusal("too many connections are open")
	}
	r.all++
	r.sources[source]++
	r.networks[network]++
	return nil
}

func (r *room) leave(source netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all--
	lessOne(r.sources, source)
	lessOne(r.networks, networkOf(source))
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
