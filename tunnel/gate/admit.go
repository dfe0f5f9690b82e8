package gate

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// answer is what becomes of a phone's packet that is not of a TCP connection that exists.
type answer uint8

const (
	ignore  answer = iota // the source is nobody's: silence
	refuse                // a reset, or port unreachable
	carry                 // a new flow
	ongoing               // it belongs to a flow that is there
)

// admitTCP decides about a SYN.
func (l *ledger) admitTCP(k key, nic tcpip.NICID) (*flow, answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.coming[k] != nil {
		return nil, ongoing
	}
	f, a := l.admit(k, nic, func(acc *account, s Service, now time.Time) bool {
		return l.roomOnPage(acc, s, now) && (len(acc.tcp) < maxTCP || l.evictTCP(acc, now)) && l.shareTCP(acc, now)
	})
	if a == carry {
		l.coming[k] = f
	}
	return f, a
}

// admitUDP decides about a datagram, and gives the flow that it belongs to if it has one.
func (l *ledger) admitUDP(k key, nic tcpip.NICID) (*flow, answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.talks[k]; f != nil {
		return f, ongoing
	}
	f, a := l.admit(k, nic, func(acc *account, _ Service, _ time.Time) bool {
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
func (l *ledger) admit(k key, nic tcpip.NICID, room func(*account, Service, time.Time) bool) (*flow, answer) {
	peer, known, s, has := l.table.find(k)
	if !known {
		return nil, ignore
	}
	if !has {
		return nil, refuse
	}
	now := l.now()
	acc := l.account(peer)
	if acc.pending >= maxPending || !l.pace(peer, now) || !room(acc, s, now) {
		l.tidy(peer)
		if acc.mayTell(now) {
			l.log.Info("peer is at its limit", "peer_id", peer, "tcp", len(acc.tcp), "udp", len(acc.udp), "pending", acc.pending)
		}
		return nil, refuse
	}
	acc = l.account(peer) // making room may have emptied and struck it
	f := newFlow(k, nic, peer, s, l.epoch, now)
	acc.add(f)
	return f, carry
}

// ask says what a TCP segment that belongs to no connection gets. A phone that has just been shut out gets a reset as every
// other does: it is the only way to tell it that a connection is dead whose end was lost, or which never quite began.
func (l *ledger) ask(k key) answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.coming[k] != nil {
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
