package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/store"
)

// This file decides what is due on a channel that is told things: not what is, but what is news there.

const (
	// again is the time between two tellings of the same exposure.
	again = 24 * time.Hour

	// After a failure it is tried again after soonest, then after twice as long, up to latest, for patience in all. After
	// that it waits for the reminder: a receiver that takes what it is told and answers too late must not be told all day.
	soonest  = 5 * time.Second
	latest   = 10 * time.Minute
	patience = time.Hour
)

// News is what is due.
type News string

// The news.
const (
	nothing      News = ""
	Exposed      News = "exposed"
	StillExposed News = "still_exposed"
	Over         News = "over"
)

// told is what a channel knows, as it stands in the store.
type told struct {
	Target  string    `json:"target"`  // who: a hash, because it may hold a password
	Exposed bool      `json:"exposed"` // was told of an exposure, and not yet of its end
	At      time.Time `json:"at"`
}

// due says what is news to somebody who was told that, and when to ask again if nothing else happens; 0: not before.
func due(r health.Report, was told, now time.Time) (News, time.Duration) {
	exposed := r.Verdict == health.Exposed
	switch {
	case r.JudgedAt.IsZero():
		return nothing, 0
	case !exposed && was.Exposed:
		return Over, 0
	case !exposed:
		return nothing, 0
	case !was.Exposed:
		return Exposed, 0
	}
	// A clock that was put back makes the last telling lie in the future; then a day is counted from now.
	wait := min(was.At.Add(again).Sub(now), again)
	if wait <= 0 {
		return StillExposed, 0
	}
	return nothing, wait
}

// after is what a channel knows after it was told.
func (t told) after(n News, now time.Time) told {
	return told{Target: t.Target, Exposed: n != Over, At: now}
}

// A route is a channel as it is set up. The zero value is none.
type route struct {
	target   secretHash
	tell     func(context.Context, notice) error
	withdraw func(context.Context) error // of a channel that was switched off: takes back what still stands there; may be nil
}

type secretHash string

func hashOf(kind Channel, target string) secretHash {
	sum := sha256.Sum256([]byte(string(kind) + "\n" + target))
	return secretHash(hex.EncodeToString(sum[:]))
}

// A teller is one channel's goroutine.
type teller struct {
	*Alerts
	channel Channel
	route   func(health.Setup) route
	was     told

	failing News      // what did not get through; nothing: nothing
	first   time.Time // when that failed first
	next    time.Time // not before
	pause   time.Duration
}

func (a *Alerts) teller(c Channel, r func(health.Setup) route) func(context.Context, <-chan struct{}) {
	return func(ctx context.Context, wake <-chan struct{}) {
		t := &teller{Alerts: a, channel: c, route: r}
		if err := t.load(); err != nil {
			// What was told is not known; to repeat it is better than to be silent.
			a.cfg.Log.Error("what was told is not known", "channel", c, "error", err)
		}
		for {
			var timer <-chan time.Time
			if wait := t.turn(ctx); wait > 0 {
				timer = time.After(wait)
			}
			select {
			case <-ctx.Done():
				return
			case <-wake:
			case <-timer:
			}
		}
	}
}

// turn tells what is due, and returns how long to wait if nothing happens; 0: for ever.
func (t *teller) turn(ctx context.Context) time.Duration {
	setup, err := t.cfg.Settings.Get()
	if err != nil {
		t.fails(t.channel, err)
		return latest
	}
	r := t.route(setup)
	t.setUp(t.channel, r.tell != nil)
	if r.tell == nil {
		t.leave(ctx, r)
		return 0
	}
	if t.was.Target != string(r.target) {
		t.was, t.failing = told{Target: string(r.target)}, nothing // somebody else, who knows nothing yet
	}
	report, now := t.cfg.Reports.Report(), t.cfg.Now()
	news, wait := due(report, t.was, now)
	if news != t.failing {
		t.failing, t.first, t.next, t.pause = nothing, now, now, soonest
	}
	if news == nothing {
		return wait
	}
	if early := t.next.Sub(now); early > 0 {
		return min(early, latest)
	}
	return t.deliver(ctx, r, news, report)
}

func (t *teller) deliver(ctx context.Context, r route, news News, report health.Report) time.Duration {
	err := r.tell(ctx, t.notice(news, report))
	if ctx.Err() != nil {
		return 0
	}
	now := t.cfg.Now()
	if err == nil {
		if t.channel != reminders {
			t.works(t.channel)
		}
		return t.knows(news, now)
	}
	t.fails(t.channel, err)
	if now.Sub(t.first) >= patience {
		return t.knows(news, now)
	}
	wait := t.pause
	t.failing, t.next, t.pause = news, now.Add(wait), min(2*t.pause, latest)
	return wait
}

// knows remembers what was told, and returns how long nothing is due.
func (t *teller) knows(news News, now time.Time) time.Duration {
	t.was, t.failing = t.was.after(news, now), nothing
	if err := t.save(); err != nil {
		t.cfg.Log.Error("what was told is not written", "channel", t.channel, "error", err)
	}
	if t.was.Exposed {
		return again
	}
	return 0
}

// leave forgets a channel that is not set up any more, after taking back what stands there, if that can be done at once.
func (t *teller) leave(ctx context.Context, r route) {
	if t.was == (told{}) {
		return
	}
	if t.was.Exposed && r.withdraw != nil {
		if err := r.withdraw(ctx); err != nil {
			t.cfg.Log.Warn("alert stays where it was told", "channel", t.channel, "error", err)
		}
	}
	t.was, t.failing = told{}, nothing
	if err := t.save(); err != nil {
		t.cfg.Log.Error("what was told is not written", "channel", t.channel, "error", err)
	}
}

const bucket = "alert"

func (t *teller) load() error {
	return t.cfg.Store.View(func(tx *store.Tx) (err error) {
		t.was, _, err = store.Get[told](tx, bucket, string(t.channel))
		return err
	})
}

func (t *teller) save() error {
	return t.cfg.Store.Update(func(tx *store.Tx) error { return store.Put(tx, bucket, string(t.channel), t.was) })
}
