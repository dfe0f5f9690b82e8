package peers

import "sync"

// Watch gives a channel that has a value whenever something changed since it was
// last read, however often; it says nothing about what. The function ends the
// watch and closes the channel.
func (r *Registry) Watch() (<-chan struct{}, func()) {
	changes := make(chan struct{}, 1)
	r.mu.Lock()
	r.watchers[changes] = struct{}{}
	r.mu.Unlock()
	return changes, sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watchers, changes)
		close(changes)
	})
}

// notify wakes all watchers and waits for none.
func (r *Registry) notify() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.watchers {
		select {
		case w <- struct{}{}:
		default: // it has not read the last one yet, which says the same
		}
	}
}
