package health

import (
	"context"
	"log/slog"
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

// LoopConfig is what a Loop is made of. All fields are required.
type LoopConfig struct {
	Store        *store.Store
	Journal      *journal.Journal
	Settings     *Settings
	Surroundings Surroundings
	Vantages     []Vantage
	Now          func() time.Time
	Log          *slog.Logger
}

// Loop asks the vantages, keeps what they saw, and knows the verdict.
type Loop struct {
	cfg LoopConfig
	mu  sync.Mutex
}

// NewLoop makes a loop that does not run yet.
func NewLoop(c LoopConfig) *Loop { return &Loop{cfg: c} }

// Run asks, until ctx ends.
func (l *Loop) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Report is the verdict now, and why.
func (l *Loop) Report() Report { return Report{} }

// Check asks for a round of everybody now and does not wait for it. One that runs already is not started twice.
func (l *Loop) Check() {}

// Progress is how the round stands that runs, or how the last one that was asked for ended.
func (l *Loop) Progress() Progress { return Progress{} }

// Watch is a channel that gets a value after the report, the progress or the history changed, and a function that ends it.
func (l *Loop) Watch() (<-chan struct{}, func()) { return make(chan struct{}), func() {} }

// Add takes what a vantage saw by itself, outside a round: the phone's reports.
func (l *Loop) Add(seen ...Observation) {}

// Seen is what every vantage saw last, the newest first.
func (l *Loop) Seen() []Observation { return nil }

// History is at most limit entries that are older than before, the newest first. before 0: from the newest on.
func (l *Loop) History(before uint64, limit int) ([]Entry, error) { return nil, nil }

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

// Entry is one line of history: what a vantage saw, as long as it saw the same.
type Entry struct {
	Seq     uint64        `json:"seq"`
	First   time.Time     `json:"first"`
	Last    time.Time     `json:"last"`
	Times   int           `json:"times"`
	Kind    Kind          `json:"vantage,omitempty"` // empty: a change of the verdict
	Seen    []Observation `json:"seen,omitempty"`
	Verdict Verdict       `json:"verdict"` // afterwards
	Reasons []Reason      `json:"reasons,omitempty"`
}
