package api

import (
	"bytes"
	"crypto/sha256"
	"sync"
	"time"
)

// Answers are kept for a caller that asks again because the first answer was lost on its way. They hold a phone's
// private key, so they are kept as the page keeps it: in memory, for minutes, and are not given once the phone has
// connected.
const (
	replayFor  = 10 * time.Minute
	maxReplays = 256
	// longestKey bounds an Idempotency-Key, in bytes: a UUID has 36.
	longestKey = 128
)

// replays are the enrolments that were made with an Idempotency-Key, by caller and key.
type replays struct {
	mu   sync.Mutex
	kept map[string]*replay
}

type replay struct {
	body   [sha256.Size]byte // of the request
	answer *Enrolment        // nil while the first request is under way
	since  time.Time
	forget *time.Timer
}

// begin returns the answer that was given to the same request before, or nil and a function with which the answer is to
// be kept, or nil if there is none: a request that failed may be tried again.
func (r *replays) begin(name string, body []byte) (*Enrolment, func(*Enrolment), error) {
	sum := sha256.Sum256(bytes.TrimSpace(body))
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, ok := r.kept[name]; ok {
		switch {
		case before.body != sum:
			return nil, nil, refuse(ErrMismatch, "this Idempotency-Key came with another body before; use a new one for another request")
		case before.answer == nil:
			return nil, nil, refuse(ErrConflict, "the first request with this Idempotency-Key is still under way; ask again in a moment")
		}
		return before.answer, nil, nil
	}
	if !r.room() {
		return nil, nil, refuse(ErrBusy, "too many requests at once; try again in a moment")
	}
	made := &replay{body: sum, since: time.Now()}
	r.kept[name] = made
	return nil, func(answer *Enrolment) { r.end(name, made, answer) }, nil
}

// room makes room for one more, at the cost of the oldest answer.
func (r *replays) room() bool {
	if r.kept == nil {
		r.kept = make(map[string]*replay)
	}
	if len(r.kept) < maxReplays {
		return true
	}
	oldest := ""
	for name, kept := range r.kept {
		if kept.answer != nil && (oldest == "" || kept.since.Before(r.kept[oldest].since)) {
			oldest = name
		}
	}
	if oldest != "" {
		r.kept[oldest].forget.Stop()
		delete(r.kept, oldest)
	}
	return oldest != ""
}

func (r *replays) end(name string, made *replay, answer *Enrolment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answer == nil {
		delete(r.kept, name)
		return
	}
	made.answer = answer
	made.forget = time.AfterFunc(replayFor, func() { r.drop(name, made) })
}

func (r *replays) drop(name string, made *replay) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept[name] == made {
		delete(r.kept, name)
	}
}
