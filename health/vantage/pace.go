package vantage

import (
	"sync"
	"time"
)

// A pace keeps us from asking somebody more often than he likes, also when the loop has many reasons to look.
type pace struct {
	most int           // times
	per  time.Duration // in this time

	mu    sync.Mutex
	times []time.Time // of the last ones, the oldest first
	rest  time.Time   // not before this: he said so
}

// take tells whether he may be asked now, and counts it. If not, it says when.
func (p *pace) take(now time.Time) (at time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.times) > 0 && (now.Sub(p.times[0]) >= p.per || p.times[0].After(now)) { // or the clock was put back
		p.times = p.times[1:]
	}
	if now.Before(p.rest) && p.rest.Sub(now) <= day {
		return p.rest, false
	}
	if len(p.times) >= p.most {
		return p.times[0].Add(p.per), false
	}
	p.times = append(p.times, now)
	return now, true
}

// leave leaves him alone until then.
func (p *pace) leave(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = until
}
