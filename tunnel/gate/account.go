package gate

import (
	"iter"
	"time"

	"golang.org/x/time/rate"
)

// account is what one peer has open. The ledger guards it.
type account struct {
	tcp, udp map[*flow]struct{}
	pending  int // of both
	wide     int

	searched time.Time // when nothing was found to evict
	told     time.Time // when the log was last told that the peer is at its limit
}

// account gives a peer's account and makes it if it has none.
func (l *ledger) account(peer string) *account {
	acc := l.accounts[peer]
	if acc == nil {
		acc = &account{tcp: make(map[*flow]struct{}), udp: make(map[*flow]struct{})}
		l.accounts[peer] = acc
	}
	return acc
}

func (a *account) of(p Protocol) map[*flow]struct{} {
	if p == UDP {
		return a.udp
	}
	return a.tcp
}

func (a *account) add(f *flow) {
	a.of(f.key.protocol)[f] = struct{}{}
	a.pending++
}

// remove says whether the account is empty now.
func (a *account) remove(f *flow) bool {
	delete(a.of(f.key.protocol), f)
	if f.wide {
		a.wide--
	}
	return len(a.tcp)+len(a.udp) == 0
}

func (a *account) flows() iter.Seq[*flow] {
	return func(yield func(*flow) bool) {
		for f := range a.tcp {
			if !yield(f) {
				return
			}
		}
		for f := range a.udp {
			if !yield(f) {
				return
			}
		}
	}
}

// mayTell keeps the log to a line a minute.
func (a *account) mayTell(now time.Time) bool {
	if now.Sub(a.told) < time.Minute {
		return false
	}
	a.told = now
	return true
}

// evictTCP makes room for a TCP flow: first goes one that both sides have finished with, then the one that has been idle
// for longest, if that is long. A phone that floods us with SYNs does not make us search again and again.
func (l *ledger) evictTCP(a *account, now time.Time) bool {
	if now.Sub(a.searched) < time.Second {
		return false
	}
	var victim *flow
	for f := range a.tcp {
		if victim == nil || f.goesBefore(victim) {
			victim = f
		}
	}
	if victim.stage != closing && victim.idle(now) < evictAfter {
		a.searched = now
		return false
	}
	l.drop(victim)
	return true
}

// shareTCP makes room where all peers together are at their limit: the one that has most loses its longest idle flow. When
// that is the peer that asks, its flow must have been idle for long, as ever.
func (l *ledger) shareTCP(a *account, now time.Time) bool {
	all, most := 0, a
	for _, acc := range l.accounts {
		all += len(acc.tcp)
		if len(acc.tcp) > len(most.tcp) {
			most = acc
		}
	}
	switch {
	case all < maxTCPAll:
		return true
	case most == a:
		return len(a.tcp) > 0 && l.evictTCP(a, now)
	default:
		l.drop(longestIdle(most.tcp))
		return true
	}
}

// pace tells whether a peer may open a flow at this moment.
func (l *ledger) pace(peer string, now time.Time) bool {
	p := l.paces[peer]
	if p == nil {
		p = rate.NewLimiter(newRate, newBurst)
		l.paces[peer] = p
	}
	return p.AllowN(now, 1)
}

// tidy forgets the account of a peer that has nothing open.
func (l *ledger) tidy(peer string) {
	if acc := l.accounts[peer]; acc != nil && len(acc.tcp)+len(acc.udp) == 0 {
		delete(l.accounts, peer)
	}
}

func longestIdle(flows map[*flow]struct{}) *flow {
	var victim *flow
	for f := range flows {
		if victim == nil || f.moved.Load() < victim.moved.Load() {
			victim = f
		}
	}
	return victim
}

// count gives how many flows a peer has that are not over but for the last acknowledgement.
func (l *ledger) count(peer string) (tcp, udp int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acc := l.accounts[peer]
	if acc == nil {
		return 0, 0
	}
	for f := range acc.flows() {
		switch {
		case f.stage == closing:
		case f.key.protocol == UDP:
			udp++
		default:
			tcp++
		}
	}
	return tcp, udp
}

// flowsByService gives the same by service.
func (l *ledger) flowsByService() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]int)
	for _, acc := range l.accounts {
		for f := range acc.flows() {
			if f.stage != closing {
				out[f.service.Name]++
			}
		}
	}
	return out
}
