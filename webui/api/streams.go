package api

import "sync"

// Bounds on event streams that are open at once. A page holds one, so eight are a household's browser with many tabs.
const (
	allStreams      = 64
	streamsByCaller = 8
)

// streams counts the event streams that are open, in all and by caller.
type streams struct {
	mu   sync.Mutex
	all  int
	each map[string]int
}

// open takes a place for a stream, or says that there is none. The function gives it back. Whoever owns the machine is
// bounded by the total only: several commands may wait for a phone at once.
func (s *streams) open(c Caller) (closed func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := c.name()
	if s.all >= allStreams || !c.Owner && s.each[name] >= streamsByCaller {
		return nil, false
	}
	if s.each == nil {
		s.each = make(map[string]int)
	}
	s.all++
	s.each[name]++
	return sync.OnceFunc(func() { s.close(name) }), true
}

func (s *streams) close(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.each[name]--; s.each[name] == 0 {
		delete(s.each, name)
	}
}
