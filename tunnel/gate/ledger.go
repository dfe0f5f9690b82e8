package gate

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	// x/time/rate: the token bucket, kept by the Go project; gVisor brings it along anyway.
	"golang.org/x/time/rate"
)

// The limits that protect the household from one bad phone. They are for a peer, not for an address: a retiring pair
// shares its peer's.
const (
	maxTCP     = 256 // browsers hold 6 connections for each host and an app some more; 256 is a tab for every light
	maxUDP     = 64
	maxPending = 32 // dials and handshakes under way, TCP and UDP together

	// maxTCPAll is for all peers together, because memory is: what one peer may have and a little for the others. A household's
	// phones have a handful each. Where it is reached, the peer that has most makes room (shareTCP).
	maxTCPAll = maxTCP + 32

	// newRate and newBurst bound how fast a peer opens flows, each of which costs a dial: all that it may have at once twice
	// over, then as many in a second as a page with all its pictures.
	newRate  = 50
	newBurst = 2 * (maxTCP + maxUDP)

	// evictAfter is when an idle TCP flow must make room for a new one of the same peer. A WebSocket of Home Assistant moves
	// something every 55 s, so that ten minutes of silence mean that the phone has forgotten the connection.
	evictAfter = 10 * time.Minute

	// tcpIdle is when an idle TCP flow ends for good, so that the flows of vanished phones do. Nothing may be cut below 24 h.
	tcpIdle = 25 * time.Hour
	// udpIdle is the same for UDP: RFC 4787, REQ-5 forbids less than two minutes and recommends five or more.
	udpIdle = 5 * time.Minute
)

// ledger holds the policy and every peer's account under one lock, so that nothing can slip in between a change of the one
// and an entry in the other.
type ledger struct {
	now   func() time.Time
	epoch time.Time // when it was made; flows count their time from here
	log   *slog.Logger

	mu       sync.Mutex
	paces    map[string]*rate.Limiter // how fast each peer of the policy opens flows
	table    table
	accounts map[string]*account
	coming   map[key]*flow // TCP flows that are pending, so that a repeated SYN is known
	talks    map[key]*flow // UDP flows
	wide     int           // flows with large buffers, of all peers
}

func newLedger(now func() time.Time, log *slog.Logger) *ledger {
	return &ledger{
		now: now, epoch: now(), log: log, table: newTable(Policy{}, nil), paces: make(map[string]*rate.Limiter),
		accounts: make(map[string]*account), coming: make(map[key]*flow), talks: make(map[key]*flow),
	}
}

// opened says that a flow's both ends stand. False: it has ended meanwhile, and its ends must go.
func (l *ledger) opened(f *flow) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.gone || f.ctx.Err() != nil {
		return false
	}
	l.leavePending(f)
	f.stage = open
	return true
}

// drained says that both ends of a flow are done and that only the phone's last acknowledgements are missing.
func (l *ledger) drained(f *flow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.stage = closing
}

// remove strikes a flow that has ended from the ledger, if it is still there.
func (l *ledger) remove(f *flow) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.strike(f)
}

// drop ends a flow in favour of another. Its place is free at once.
func (l *ledger) drop(f *flow) {
	f.end(errEvicted)
	l.strike(f)
}

func (l *ledger) strike(f *flow) {
	if f.gone {
		return
	}
	f.gone = true
	l.leavePending(f)
	if l.talks[f.key] == f {
		delete(l.talks, f.key)
	}
	if f.wide {
		l.wide--
	}
	if acc := l.accounts[f.peer]; acc.remove(f) {
		delete(l.accounts, f.peer)
	}
}

func (l *ledger) leavePending(f *flow) {
	if f.stage != pending {
		return
	}
	f.stage = closing
	l.accounts[f.peer].pending--
	if l.coming[f.key] == f {
		delete(l.coming, f.key)
	}
}

// setPolicy makes p hold and gives the flows that it does not admit.
func (l *ledger) setPolicy(p Policy) []*flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.table = newTable(p, l.table.admin)
	peers := make(map[string]*rate.Limiter, len(p.Peers))
	for _, peer := range p.Peers {
		if pace := l.paces[peer.ID]; pace != nil {
			peers[peer.ID] = pace
		}
	}
	l.paces = peers
	var out []*flow
	for _, acc := range l.accounts {
		for f := range acc.flows() {
			if !l.table.admits(f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// setAdmin says which of our addresses are those of the admin page.
func (l *ledger) setAdmin(addrs []netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.table.admin = addrs
}

// stale gives the flows that have been idle for too long.
func (l *ledger) stale() []*flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var out []*flow
	for _, acc := range l.accounts {
		for f := range acc.flows() {
			if f.idle(now) >= f.maxIdle() {
				out = append(out, f)
			}
		}
	}
	return out
}

func (l *ledger) all() []*flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []*flow
	for _, acc := range l.accounts {
		for f := range acc.flows() {
			out = append(out, f)
		}
	}
	return out
}
