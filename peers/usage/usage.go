// Package usage counts how much each phone has carried, by day.
//
// It keeps true that what a phone has carried is in exactly one day, the local date on which it was counted; that what a
// restart may lose is at most what came in the last quarter of an hour; and that nothing grows: the last 31 days of each
// peer that exists, and no more.
//
// Its nouns: counters are what the tunnel has seen of a peer since it started; a sample reads them all and counts what has
// been added since the last one; a day is a local date with what was received from the phone and sent to it; recent is
// what this process has counted in the last two days. When the clock is set, as on a Pi that wakes up in 1970 until the network
// tells the time, what is recent goes along to the dates on which it really happened.
//
// It never throws a day away for its age while nobody vouches for the clock, never writes more often than every 15 minutes (an
// SD card wears out), never holds up whoever asks by writing, and never counts twice when counters begin again.
package usage

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// Counters are what has moved in the tunnel of one peer since the tunnel started, in bytes: from the phone and to it. They
// begin again from nothing when a key is replaced or the tunnel starts again.
type Counters struct{ Received, Sent int64 }

// Day is what one phone has carried on one local date, in bytes.
type Day struct {
	Date     time.Time // when it begins: local midnight, or what comes first where the clock skips midnight
	Received int64     // from the phone
	Sent     int64     // to the phone
}

// Config is what the count is made of.
type Config struct {
	Store *store.Store
	// Now is the time by which days are told.
	Now func() time.Time
	// Synchronised says whether somebody vouches for Now. While nobody does, no day is dropped for its age. Nil: always.
	Synchronised func() bool
	// Location is where the days are. Nil: time.Local.
	Location *time.Location
	// Source gives the counters by peer id. A peer that is not in it has none now, and begins again from nothing.
	Source func() map[string]Counters
	// Known gives the ids of all peers that exist; the record of any other goes.
	Known func() ([]string, error)
	Log   *slog.Logger
}

// Usage is the count. Its methods may be called from any goroutine.
type Usage struct {
	cfg     Config
	started time.Time // with the monotonic reading by which jumps of the clock are noticed

	mu     sync.Mutex
	loaded bool
	last   map[string]Counters // at the last sample
	peers  map[string]*account
	wall   time.Time     // at the last sample
	steady time.Duration // at the last sample, since started
}

// New makes a count; Run makes it go on.
func New(cfg Config) *Usage {
	if cfg.Location == nil {
		cfg.Location = time.Local
	}
	if cfg.Synchronised == nil {
		cfg.Synchronised = func() bool { return true }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Usage{cfg: cfg, started: time.Now(), last: map[string]Counters{}, peers: map[string]*account{}}
}

const (
	sampleEvery = 30 * time.Second
	writeEvery  = 15 * time.Minute
	shown       = 30 // days that Days gives
)

// Run samples until ctx ends, then counts and writes a last time and returns nil. What cannot be written is logged and
// tried again.
func (u *Usage) Run(ctx context.Context) error {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	written := u.steadily()
	u.sample()
	for {
		select {
		case <-ctx.Done():
			u.sample()
			u.write()
			return nil
		case <-tick.C:
		}
		u.sample()
		if now := u.steadily(); now-written >= writeEvery {
			u.write()
			written = now
		}
	}
}

// steadily is the time since the start by the monotonic clock.
func (u *Usage) steadily() time.Duration { return time.Since(u.started) }

// Days gives what a peer has carried on each of the last 30 local dates, oldest first and today last; nothing is a day of
// zeros. It counts in what is not yet written.
func (u *Usage) Days(peerID string) ([]Day, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.load(); err != nil {
		return nil, err
	}
	today := dateOf(u.cfg.Now(), u.cfg.Location)
	days := make([]Day, shown)
	for i := range days {
		days[i].Date = (today - date(shown-1-i)).midnight(u.cfg.Location)
	}
	if a := u.peers[peerID]; a != nil {
		a.each(func(d date, received, sent int64) {
			if i := int(d-today) + shown - 1; 0 <= i && i < shown {
				days[i].Received += received
				days[i].Sent += sent
			}
		})
	}
	return days, nil
}

// Today gives the last of Days; while nothing can be read, what this process has counted.
func (u *Usage) Today(peerID string) Day {
	u.mu.Lock()
	defer u.mu.Unlock()
	_ = u.load() // Days tells
	today := dateOf(u.cfg.Now(), u.cfg.Location)
	day := Day{Date: today.midnight(u.cfg.Location)}
	if a := u.peers[peerID]; a != nil {
		a.each(func(d date, received, sent int64) {
			if d == today {
				day.Received += received
				day.Sent += sent
			}
		})
	}
	return day
}
