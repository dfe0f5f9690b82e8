package journal

import "sync"

// hub hands events to whoever subscribed. The store calls publish in the order of the changes, one at a time.
type hub struct {
	mu   sync.Mutex
	subs map[*subscriber]struct{}
}

type subscriber struct {
	events chan Event
}

// Subscribe is a channel of the events from now on, with room for buffer of them (at least one), and a function that ends
// the subscription and closes the channel. A subscriber whose room is full when an event comes has its channel closed
// after what is in it: it knows that it missed something, and finds it with After.
func (j *Journal) Subscribe(buffer int) (<-chan Event, func()) {
	s := &subscriber{events: make(chan Event, max(buffer, 1))}
	j.hub.add(s)
	return s.events, func() { j.hub.drop(s) }
}

func (h *hub) add(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs == nil {
		h.subs = make(map[*subscriber]struct{})
	}
	h.subs[s] = struct{}{}
}

func (h *hub) drop(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(s)
}

func (h *hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		select {
		case s.events <- e:
		default:
			h.remove(s)
		}
	}
}

// remove closes the channel once, whoever comes first.
func (h *hub) remove(s *subscriber) {
	if _, ok := h.subs[s]; !ok {
		return
	}
	delete(h.subs, s)
	close(s.events)
}
