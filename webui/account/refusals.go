package account

import (
	"sync"
	"time"
)

const (
	// refusalPause is how far apart two lines of the journal about one source are at least.
	refusalPause = time.Minute
	// mostRefusals of each kind are told in an hour: whatever a script with many addresses does, the journal's 10,000 lines
	// reach back for weeks, and wrong tokens cannot hide wrong passphrases.
	mostRefusals = 6
)

// refusals says which wrong guesses are told in the journal, so that nobody can push the rest out of it.
type refusals struct {
	mu     sync.Mutex
	told   map[refusal]time.Time // within this hour
	since  time.Time             // when this hour began
	count  map[subject]int
	untold map[subject]int
}

// refusal is what is told once a minute.
type refusal struct {
	of     subject
	source string
}

func newRefusals() *refusals {
	return &refusals{told: make(map[refusal]time.Time), count: make(map[subject]int), untold: make(map[subject]int)}
}

// note takes a wrong guess. When it is to be told, untold is how many were not told before it.
func (r *refusals) note(of subject, source string) (untold int, tell bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.since) >= time.Hour {
		r.since = now
		clear(r.count)
		clear(r.told)
	}
	one := refusal{of, source}
	last, known := r.told[one]
	if r.count[of] >= mostRefusals || known && now.Sub(last) < refusalPause {
		r.untold[of]++
		return 0, false
	}
	r.told[one] = now
	r.count[of]++
	untold = r.untold[of]
	delete(r.untold, of)
	return untold, true
}
