package witness

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// places are the connections that may be open. Whoever has not shown a guest's key yet holds one only as long as nobody else wants
// it: somebody with many addresses can fill them all, and must not be able to keep guests out. One who has shown a key may hold a
// few at a time, from however many addresses.
type places struct {
	limits Limits

	mu      sync.Mutex
	sources map[netip.Prefix]int // by host or /64
	guests  map[publicKey]int    // that have shown their keys
	unknown *list.List           // of *place, that have not; the oldest in front
	open    int
}

// place is one connection's.
type place struct {
	*places
	conn    net.Conn
	source  netip.Prefix
	waiting *list.Element // nil: a guest's
	guest   publicKey
	isGuest bool
	gone    bool
}

func newPlaces(l Limits) *places {
	return &places{limits: l, sources: make(map[netip.Prefix]int), guests: make(map[publicKey]int), unknown: list.New()}
}

// enter gives a connection a place, if need be that of the stranger who is here longest.
func (p *places) enter(conn net.Conn) (*place, bool) {
	from := remote(conn)
	at := &place{places: p, conn: conn, source: host(from)}
	if from.Is6() {
		at.source = network(from)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sources[at.source] >= p.limits.PerSource {
		return nil, false
	}
	if p.open >= p.limits.Connections {
		oldest := p.unknown.Front()
		if oldest == nil {
			return nil, false
		}
		stranger, _ := oldest.Value.(*place)
		stranger.vacate()
		_ = stranger.conn.Close()
	}
	p.open++
	p.sources[at.source]++
	at.waiting = p.unknown.PushBack(at)
	return at, true
}

// known notes whose connection it is; false: that guest has as many as may be, or the place is gone.
func (p *place) known(guest publicKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.guests[guest] >= p.limits.PerGuestOpen {
		return false
	}
	p.unknown.Remove(p.waiting)
	p.waiting, p.guest, p.isGuest = nil, guest, true
	p.guests[guest]++
	return true
}

// leave gives the place back, unless somebody else has it.
func (p *place) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.vacate()
}

// vacate is called with mu held, and does nothing the second time.
func (p *place) vacate() {
	if p.gone {
		return
	}
	p.gone = true
	p.open--
	if p.sources[p.source]--; p.sources[p.source] == 0 {
		delete(p.sources, p.source)
	}
	if !p.isGuest {
		p.unknown.Remove(p.waiting)
		return
	}
	if p.guests[p.guest]--; p.guests[p.guest] == 0 {
		delete(p.guests, p.guest)
	}
}
