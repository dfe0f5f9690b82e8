package account

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// hasher lets one passphrase be hashed at a time, and few wait. Strangers get half of the waiting places, so that they
// cannot fill those of browsers that have signed in before.
type hasher struct {
	slot chan struct{}

	mu      sync.Mutex
	waiting int
}

const (
	placesForAll   = 4 // at a tenth of a second on a Pi 4, and a second on a router, nobody waits longer than he would type
	placesForKnown = 8
)

func newHasher() *hasher { return &hasher{slot: make(chan struct{}, 1)} }

// do runs fn alone, when its turn has come. It is ErrBusy when too many wait, and the context's error when that ends first.
//
// Afterwards it gives the 19 MiB back to the system. x/crypto's Argon2 takes new memory at every call and cannot be
// given old. Measured (BenchmarkMemory: 40 hashes in a row, 8 MiB beside them, a memory limit of 48 MiB; resident at most,
// and afterwards): left to the collector 47 and 47 MiB, with FreeOSMemory 32 and 13 MiB, for about half as much time again.
// Without it, what a sign-in took would be missing for the tunnel until much later.
func (h *hasher) do(ctx context.Context, known bool, fn func() error) error {
	if !h.enter(known) {
		return ErrBusy
	}
	defer h.leave()
	select {
	case h.slot <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for a passphrase to be looked at: %w", ctx.Err())
	}
	defer func() {
		debug.FreeOSMemory()
		<-h.slot
	}()
	return fn()
}

func (h *hasher) enter(known bool) bool {
	places := placesForAll
	if known {
		places = placesForKnown
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting >= 1+places { // one of them is being looked at
		return false
	}
	h.waiting++
	return true
}

func (h *hasher) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting--
}
