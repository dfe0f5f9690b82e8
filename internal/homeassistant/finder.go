package homeassistant

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

const (
	// foundEvery is the time between looks while all is well: one small request.
	foundEvery = 10 * time.Second

	// soonest and latest bound the time between looks while it is not. Home Assistant takes from ten seconds to some
	// minutes to start, and somebody may be waiting in front of the screen.
	soonest = 2 * time.Second
	latest  = 30 * time.Second

	// askedEvery is the least time between looks that Address causes.
	askedEvery = 5 * time.Second
)

// Config is what a Finder needs.
type Config struct {
	Store   *store.Store     // keeps the pin
	Journal *journal.Journal // learns of found, lost, moved, choose and warning
	Log     *slog.Logger     // nil for none

	// URL is what --home-assistant says, in any form that ParseAddress reads; empty to look for it.
	URL string

	// Browse asks the LAN who announces a Home Assistant; nil for multicast DNS.
	Browse func(context.Context) (Hearsay, error)
}

// Finder finds Home Assistant and keeps knowing where it is. Its methods may be called from several goroutines.
type Finder struct {
	store   *store.Store
	journal *journal.Journal
	log     *slog.Logger
	senses  senses
	told    []Target // by the flag; nil to look for it
	name    string   // the flag's host, where that is a .local name: looked up on the LAN, so pinned like a find of ours

	nudge chan struct{} // asks Run for a look
	busy  chan struct{} // holds the right to look and to pin: one at a time

	mu     sync.Mutex
	state  State
	dial   string    // what Address answers; empty for none
	looked time.Time // when the last look began or ended

	// These belong to whoever holds busy.
	misses    int           // looks in vain in a row, at what was found
	fruitless int           // looks in a row that did not end in Found
	several   bool          // more than one was seen, and the owner has not chosen
	crowded   bool          // several, because a crowd was heard
	doubt     *Announcement // of another installation, by the pinned machine
	last      Target        // of told: the one that worked
	inspected time.Time     // the last closer look
	warned    []Warning     // what was last found wrong
}

// New checks the configuration. It looks nowhere and reads nothing; Run does.
func New(c Config) (*Finder, error) {
	f := &Finder{
		store: c.Store, journal: c.Journal, log: c.Log, senses: realSenses(),
		nudge: make(chan struct{}, 1), busy: make(chan struct{}, 1),
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if c.Browse != nil {
		f.senses.browse = c.Browse
	}
	if c.URL != "" {
		told, err := ParseAddress(c.URL)
		if err != nil {
			return nil, err
		}
		f.told = told
		if isLocalName(told[0].Host) {
			f.name = told[0].Host
		}
	}
	f.state = State{Phase: Searching, Since: time.Now().UTC(), Reason: f.notYet()}
	return f, nil
}

// notYet is the sentence while nothing was ever found.
func (f *Finder) notYet() string {
	switch {
	case f.name != "":
		return "Home Assistant has not been found yet; asking this network for " + f.name
	case f.told != nil:
		return "Home Assistant has not been found yet; looking at " + f.told[0].URL()
	default:
		return "Home Assistant has not been found yet; looking on this machine and by mDNS"
	}
}

// Run looks, again and again, until the context ends.
func (f *Finder) Run(ctx context.Context) error {
	for {
		wait := time.NewTimer(f.turn(ctx))
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		case <-f.nudge:
			wait.Stop()
		}
	}
}

// turn is one look of Run's, and returns how long to wait for the next.
func (f *Finder) turn(ctx context.Context) time.Duration {
	if !f.take(ctx) {
		return latest
	}
	defer f.give()
	f.lookAround(ctx)

	switch {
	case f.State().Phase != Found:
		f.fruitless++
		return min(soonest<<min(f.fruitless-1, 10), latest)
	case f.misses > 0:
		return soonest
	}
	f.fruitless = 0
	return foundEvery
}

func (f *Finder) take(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case f.busy <- struct{}{}:
		f.stamp()
		return true
	case <-ctx.Done():
		return false
	}
}

func (f *Finder) give() {
	f.stamp()
	<-f.busy
}

func (f *Finder) stamp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked = time.Now()
}

// State is what is known at the moment.
func (f *Finder) State() State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.copied()
}

// Address is where to dial Home Assistant now, as host:port. The error is a sentence that says why there is none. When
// somebody wants to go there and it is lost, that is a reason to look at once; but whoever asks all the time does not
// make us look all the time.
func (f *Finder) Address() (string, error) {
	f.mu.Lock()
	dial, reason, phase, quiet := f.dial, f.state.Reason, f.state.Phase, time.Since(f.looked) >= askedEvery
	f.mu.Unlock()
	if phase == Lost && quiet {
		f.Recheck()
	}
	if dial == "" {
		return "", errors.New(reason)
	}
	return dial, nil
}

// Recheck asks for a look now. It does not wait for it.
func (f *Finder) Recheck() {
	select {
	case f.nudge <- struct{}{}:
	default:
	}
}

// recall shows, before the first look has ended, where Home Assistant was when it was last known.
func (f *Finder) recall(p pin) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state.Target == "" {
		f.state = f.state.of(p.target(), p.Source)
		f.state.UUID = p.UUID
		f.state.Reason = "Home Assistant was at " + f.state.Target + "; looking for it there"
	}
}
