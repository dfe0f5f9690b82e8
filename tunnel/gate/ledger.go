package gate

import (
	"log/slog"
	"sync"
	"time"
)

// The limits that protect the household from one bad phone. They are for a peer, not for an address: a retiring pair
// shares its peer's.
const (
	maxTCP     = 256 // browsers hold 6 connections for each host and an app some more; 256 is a tab for every light
	maxUDP     = 64
	maxPending = 32 // dials and handshakes under way, TCP and UDP together

	// evictAfter is when an idle TCP flow must make room for a new one of the same peer. A WebSocket of Home Assistant moves
	// something every 55 s, so that ten minutes of silence mean that the phone has forgotten the connection.
	evictAfter = 10 * time.Minute

	// tcpIdle is when an idle TCP flow ends for good, so that the flows of vanished phones do. Nothing may be cut below 24 h.
	tcpIdle = 25 * time.Hour
	// udpIdle is the same for UDP: RFC 4787, REQ-5 forbids less than two minutes and recommends five or more.
	udpIdle = 5 * time.Minute
)

// answer is what becomes of a phone's packet that is not of a TCP connection that exists.
type answer uint8

const (
	ignore  answer = iota // the source is nobody's: silence
	refuse                // a reset, or port unreachable
	carry                 // a new flow
	ongoing               // it belongs to a flow that is there
)

// ledger holds the policy and every peer's account under one lock, so that nothing can slip in between a change of the one
// and an entry in the other.
type ledger struct {
	now func() time.Time
	log *slog.Logger

	mu       sync.Mutex
	table    table
	accounts map[string]*account
	coming   map[key]*flow // TCP flows that are pending, so that a repeated SYN is known
	talks    map[key]*flow // UDP flows
	wide     int           // flows with large buffers, of all peers
}

func newLedger(now func() time.Time, log *slog.Logger) *ledger {
	return &ledger{
		now: now, log: log, table: table{},
		accounts: make(map[string]*account), coming: make(map[key]*flow), talks: make(map[key]*flow),
	}
}

// admitTCP decides about a SYN.
func (l *ledger) admitTCP(k key) (*flow, answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.coming[k] != nil {
		return nil, ongoing
	}
	f, a := l.admit(k, func(acc *account, now time.Time) bool {
		return len(acc.tcp) < maxTCP || l.evictTCP(acc, now)
	})
	if a == carry {
		l.coming[k] = f
	}
	return f, a
}

// admitUDP decides about a datagram, and gives the flow that it belongs to if it has one.
func (l *ledger) admitUDP(k key) (*flow, answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.talks[k]; f != nil {
		return f, ongoing
	}
	f, a := l.admit(k, func(acc *account, _ time.Time) bool {
		if len(acc.udp) >= maxUDP {
			l.drop(longestIdle(acc.udp))
		}
		return true
	})
	if a == carry {
		l.talks[k] = f
	}
	return f, a
}

// admit opens a flow if the policy and the account allow it; room makes room for one in the account if there is none.
func (l *ledger) admit(k key, room func(*account, time.Time) bool) (*flow, answer) {
	peer, known, s, has := l.table.find(k)
	if !known {
		return nil, ignore
	}
	if !has {
		return nil, refuse
	}
	now := l.now()
	acc := l.account(peer)
	if acc.pending >= maxPending || !room(acc, now) {
		if acc.mayTell(now) {
			l.log.Info("peer is at its limit", "peer_id", peer, "tcp", len(acc.tcp), "udp", len(acc.udp), "pending", acc.pending)
		}
		return nil, refuse
	}
	f := newFlow(k, peer, s, now)
	acc.add(f)
	return f, carry
}

// ask says what a TCP segment that belongs to no connection gets.
func (l *ledger) ask(k key) answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch _, known := l.table[k.phone.Addr()]; {
	case !known:
		return ignore
	case l.coming[k] != nil:
		return ongoing
	}
	return refuse
}

// awaited gives the pending TCP flow of k.
func (l *ledger) awaited(k key) *flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.coming[k]
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
	l.table = newTable(p)
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

// stale gives the flows that have been idle for too long.
func (l *ledger) stale() []*flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var out []*flow
	for _, acc := range l.accounts {
		for f := range acc.flows() {
			limit := tcpIdle
			if f.key.protocol == UDP {
				limit = udpIdle
			}
			if f.idle(now) >= limit {
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
