package account

import (
	"sync"
	"time"
)

const (
	// refusalPause is how far apart two lines of the journal about one source are at least.
	refusalPause = time.Minute
	// mostRefusals are told in an hour altogether: 288 a day leave of the journal's 10,000 lines a month, whatever a script
	// with many addresses does.
	mostRefusals = 12
)

// refusals says which wrong guesses are told in the journal, so that nobody can push the rest out of it.
type refusals struct {
	mu     sync.Mutex
	told   map[string]time.Time // by source, within this hour
	since  time.Time            // when this hour began
	count  int
	untold int
}

func newRefusals() *refusals { return &refusals{told: make(map[string]time.Time)} }

// note takes a wrong guess. When it is to be told, untold is how many were not told before it.
func (r *refusals) note(source string) (untold int, tell bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.since) >= time.Hour {
		r.since, r.count = now, 0
		clear(r.told)
	}
	last, known := r.told[source]
	if r.count >= mostRefusals || known && now.Sub(last) < refusalPause {
		r.untold++
		return 0, false
	}
	r.told[source] = now
	r.count++
	untold, r.untold = r.untold, 0
	return untold, true
}
