package health

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// Surroundings is what the loop needs to know of the household.
type Surroundings interface {
	// Facts gathers what is known now. It asks the kernel, the router and Home Assistant, and nobody outside that the household
	// has not set up.
	Facts(ctx context.Context) (Facts, error)
	// Home looks at Home Assistant at home: what it shows of itself, and at which of its addresses it answers.
	Home(ctx context.Context, f Facts) HomeLook
	// Watch tells of changes that may make what was seen worthless; the channel is never closed.
	Watch() <-chan struct{}
}

// HomeLook is how Home Assistant looked at home at one moment.
type HomeLook struct {
	Fingerprint homeassistant.Fingerprint // zero: it did not answer as Home Assistant
	Answers     []Reached                 // the addresses of Facts.Home at which it was tried
}

// at tells whether Home Assistant answered at an address, and whether it refused to. For IPv4 the address on the LAN stands
// for the public one.
func (l HomeLook) at(family Family, address netip.Addr) (answers, refused bool) {
	if family == IPv4 {
		return l.Fingerprint.IsHome(), false
	}
	for _, r := range l.Answers {
		if r.Address == address {
			return r.Answers, r.Refused
		}
	}
	return false, false
}

// LoopConfig is what a Loop is made of. All fields but Synchronised are required.
type LoopConfig struct {
	Store        *store.Store
	Journal      *journal.Journal
	Settings     *Settings
	Surroundings Surroundings
	Vantages     []Vantage
	Now          func() time.Time
	// Synchronised tells whether the clock is known to be right. Where it is not, nobody can say how old it is what was seen
	// before the start, so that none of it makes a closed. nil: it is always right.
	Synchronised func() bool
	Log          *slog.Logger
}

// Loop asks the vantages, keeps what they saw, and knows the verdict. Its methods may be called from several goroutines.
type Loop struct {
	cfg   LoopConfig
	asked chan struct{} // somebody wants a round now

	judging sync.Mutex // one verdict at a time, and its writing; before mu
	history history    // judging's

	mu       sync.Mutex
	facts    Facts
	home     homeassistant.Fingerprint
	shown    homeassistant.Fingerprint // home when those outside looked last
	quiet    []netip.Addr              // of Home Assistant, at which nobody listens
	seen     []Observation
	past     Past
	report   Report
	judged   bool // report is one of ours
	progress Progress
	giveUp   context.CancelFunc // ends a round that nobody asked for; nil: none runs
	watchers map[chan struct{}]bool
	rounds   uint64 // since the start
	due      map[Kind]time.Time
	deepDue  time.Time // of the ports that betray a home
}

// NewLoop makes a loop that does not run yet.
func NewLoop(c LoopConfig) *Loop {
	return &Loop{
		cfg: c, asked: make(chan struct{}, 1), history: newHistory(c.Store), past: Past{}, watchers: make(map[chan struct{}]bool),
		due: make(map[Kind]time.Time),
	}
}

// Report is the verdict now, and why.
func (l *Loop) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.judged {
		return Report{Reasons: []Reason{because(NotLooked)}, Next: WaitForLook, Families: []FamilyReport{}, Findings: []Reason{}}
	}
	if now := l.cfg.Now(); l.report.Verdict == Closed && now.After(l.report.Until) {
		return Judge(now, l.facts, l.seen, l.past)
	}
	return l.report
}

// Facts are what was known of the household when it was last looked at, and what Home Assistant showed of itself then.
func (l *Loop) Facts() (Facts, homeassistant.Fingerprint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.facts, l.home
}

// Check asks for a round of everybody now and does not wait for it. One that was asked for and runs is not started twice; one that
// nobody asked for is given up, because it began before whatever the asker wants to know of.
func (l *Loop) Check() {
	l.mu.Lock()
	running := l.progress.Running
	if !running {
		l.progress = Progress{Running: true, Began: l.cfg.Now(), Steps: []Working{}}
		if l.giveUp != nil {
			l.giveUp()
		}
	}
	l.mu.Unlock()
	if running {
		return
	}
	l.tell()
	select {
	case l.asked <- struct{}{}:
	default:
	}
}

// Progress is how the round stands that runs, or how the last one that was asked for ended.
func (l *Loop) Progress() Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.progress
	p.Steps = append([]Working{}, p.Steps...)
	return p
}

// Watch is a channel that gets a value after the report, the progress or the history changed, and a function that ends it.
func (l *Loop) Watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[c] = true
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watchers, c)
	}
}

func (l *Loop) tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.watchers {
		select {
		case c <- struct{}{}:
		default: // it has not yet taken the last one
		}
	}
}

// Seen is what every vantage saw last, the newest first.
func (l *Loop) Seen() []Observation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return latest(l.seen)
}

// History is at most limit entries that are older than before, the newest first. before 0: from the newest on.
func (l *Loop) History(before uint64, limit int) ([]Entry, error) {
	return l.history.page(before, limit)
}

// Progress is how a round goes.
type Progress struct {
	Running bool      `json:"running"`
	Round   string    `json:"round,omitempty"`
	Began   time.Time `json:"began,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Steps   []Working `json:"steps"`
}

// Working is what one vantage is doing.
type Working struct {
	Kind Kind   `json:"vantage"`
	Text string `json:"text"` // English
	Done bool   `json:"done"`
}
