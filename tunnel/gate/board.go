package gate

import (
	"errors"
	"log/slog"
	"sync"
	"syscall"
	"time"
)

// State is how a service is, as far as real connections to it have shown.
type State string

// The states.
const (
	Up      State = "up"
	Down    State = "down"
	Unknown State = "unknown" // nobody has asked for it yet
)

// ServiceStatus is one service and how it is.
type ServiceStatus struct {
	Name  string    `json:"name"`
	State State     `json:"state"`
	Since time.Time `json:"since,omitzero"`  // UTC; zero while unknown
	Error string    `json:"error,omitempty"` // a sentence, while down
	Flows int       `json:"flows"`           // open now, of all peers
}

// refusedFor is for how long the next datagrams to a UDP target that has refused one are answered with port unreachable.
// Long enough for the datagram that the phone sends again to get that answer, short enough that nobody notices when the
// service is back.
const refusedFor = time.Second

// board keeps how each service of the policy is. What it knows comes from the dials that phones cause; it makes none.
type board struct {
	now func() time.Time
	log *slog.Logger

	mu       sync.Mutex
	services []Service
	seen     map[Service]*sighting
}

type sighting struct {
	state   State
	since   time.Time
	err     string
	refused time.Time
}

func newBoard(now func() time.Time, log *slog.Logger) *board {
	return &board{now: now, log: log, seen: make(map[Service]*sighting)}
}

// keep says which services there are. What was seen of one that points elsewhere now says nothing about it.
func (b *board) keep(services []Service) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := make(map[Service]*sighting, len(services))
	for _, s := range services {
		seen[s] = b.seen[s]
		if seen[s] == nil {
			seen[s] = &sighting{state: Unknown}
		}
	}
	b.services, b.seen = append([]Service(nil), services...), seen
}

func (b *board) status(flows map[string]int) []ServiceStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]ServiceStatus, 0, len(b.services))
	for _, s := range b.services {
		x := b.seen[s]
		out = append(out, ServiceStatus{Name: s.Name, State: x.state, Since: x.since, Error: x.err, Flows: flows[s.Name]})
	}
	return out
}

// answered says that a service's target is there.
func (b *board) answered(s Service) { b.saw(s, Up, "", false) }

// failed says that it is not, with a sentence.
func (b *board) failed(s Service, sentence string, err error) {
	b.saw(s, Down, sentence, errors.Is(err, syscall.ECONNREFUSED))
}

func (b *board) saw(s Service, state State, sentence string, refused bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.seen[s]
	if x == nil {
		return
	}
	now := b.now()
	if refused {
		x.refused = now
	}
	if x.state != state {
		x.state, x.since = state, now.UTC()
		b.log.Info("service changed", "service", s.Name, "state", state, "reason", sentence)
	}
	x.err = sentence
}

// justRefused says that a service's target has refused us a moment ago.
func (b *board) justRefused(s Service) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.seen[s]
	return x != nil && !x.refused.IsZero() && b.now().Sub(x.refused) < refusedFor
}
