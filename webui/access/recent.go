package access

import (
	"sync"
	"time"
)

// fresh is how long an answer of the kernel is believed. It spares a dump of tables for each request of a page that loads,
// and is shorter than it takes a person to plug a cable.
const fresh = time.Second

// recent remembers the last good answer to a question. An error is an answer to nobody but who asked.
type recent[T any] struct {
	ask func() (T, error)

	mu     sync.Mutex
	answer T
	asked  time.Time
}

func (r *recent[T]) get() (T, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked.IsZero() && time.Since(r.asked) < fresh {
		return r.answer, nil
	}
	answer, err := r.ask()
	if err != nil {
		var none T // what was remembered is too old
		return none, err
	}
	r.answer, r.asked = answer, time.Now()
	return answer, nil
}
