package health

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// roundLimit is how long a round may take: ports that stay silent take a witness half a minute, public probes four.
const roundLimit = 5 * time.Minute

// round has vantages look, and judges what they saw.
func (l *Loop) round(ctx context.Context, vantages []Vantage, asked bool) error {
	if len(vantages) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	if !asked {
		l.mu.Lock()
		l.giveUp = cancel
		l.mu.Unlock()
	}
	l.mu.Lock()
	deepDue := l.deepDue
	l.mu.Unlock()
	r, before := l.begin(limited, vantages, asked)
	seen := l.look(limited, r, vantages)
	l.mu.Lock()
	l.giveUp = nil
	l.mu.Unlock()
	if ctx.Err() != nil || !asked && errors.Is(limited.Err(), context.Canceled) {
		l.mu.Lock()
		l.deepDue = earlier(l.deepDue, deepDue)
		l.mu.Unlock()
		return nil // given up: what ends in the middle says nothing
	}
	// The round's own time must not be what keeps the controls from being made.
	closing, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	facts, err := l.cfg.Surroundings.Facts(closing)
	if err != nil {
		l.cfg.Log.Warn("looking at the household's surroundings failed", "error", err)
		facts = r.Facts
	}
	after := l.cfg.Surroundings.Home(closing, facts)
	for i := range seen {
		control(&seen[i], r.Facts, facts, before, after)
		if o := &seen[i]; err != nil && o.Kind.Outside() && o.State != Untested {
			o.Controls.Address = Failed // nobody knows whether it stayed what it was
		}
		if o := &seen[i]; o.Kind.Outside() && !l.isHomes(r.Facts, o.door()) {
			o.Controls.HomeBefore, o.Controls.HomeAfter = Held, Held // it is not Home Assistant that would answer there
		}
	}
	l.finish(seen, vantages, facts, before, after, asked)
	if err := l.judge(seen); err != nil {
		return err
	}
	if slices.ContainsFunc(vantages, func(v Vantage) bool { return v.Kind().Outside() }) {
		debug.FreeOSMemory() // a round takes some MiB that nothing needs until the next one, hours later
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hasten(l.cfg.Now()) // what changed while they looked
	return nil
}

// begin looks at the household and says what the round is to look at.
func (l *Loop) begin(ctx context.Context, vantages []Vantage, asked bool) (Round, HomeLook) {
	facts, err := l.cfg.Surroundings.Facts(ctx)
	if err != nil {
		l.cfg.Log.Warn("looking at the household's surroundings failed", "error", err)
	}
	home := l.cfg.Surroundings.Home(ctx, facts)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && ctx.Err() != nil {
		facts = l.facts // it was given up, and is no worse known than before
	}
	facts = facts.without(quiet(facts, home, home, l.quiet))
	l.rounds++
	began := l.cfg.Now()
	r := Round{
		ID: roundID(began, l.rounds), Began: began, Facts: facts, Home: home.Fingerprint, Ports: facts.Ports(), Asked: asked,
		Tell: l.working, Now: l.cfg.Now,
	}
	for door := range l.past { // what stood exposed is looked at until it is closed
		if !slices.ContainsFunc(r.Ports, func(w Watched) bool { return w.Port == door.Port }) {
			r.Ports = append(r.Ports, Watched{door.Port, RoleOther})
		}
	}
	witness := slices.ContainsFunc(vantages, func(v Vantage) bool { return v.Kind() == Witness })
	if !asked && witness && !l.deepDue.After(began) {
		r.Ports = append(r.Ports, Weekly()...)
		l.deepDue = began.Add(jitter(deep))
	}
	l.facts, l.home = facts, home.Fingerprint
	if asked {
		l.progress = Progress{Running: true, Round: r.ID, Began: began, Steps: []Working{}}
	}
	return r, home
}

// look has all vantages look at once and waits for the last. Who sees Home Assistant is heard at once. What changes meanwhile is noted at once, for a round may take
// minutes, and nothing is to be called closed for so long that is not.
func (l *Loop) look(ctx context.Context, r Round, vantages []Vantage) (seen []Observation) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, v := range vantages {
		all.Go(func() {
			some := v.Look(ctx, r)
			l.done(v.Kind())
			l.sighted(some)
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, some...)
		})
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	l.meanwhile(ctx, done)
	slices.SortStableFunc(seen, func(a, b Observation) int { return a.At.Compare(b.At) })
	return seen
}

func (l *Loop) meanwhile(ctx context.Context, done <-chan struct{}) {
	var settled <-chan time.Time
	for {
		select {
		case <-done:
			return
		case <-l.cfg.Surroundings.Watch():
			if settled == nil {
				settled = time.After(settle)
			}
		case <-settled:
			settled = nil
			if ctx.Err() != nil {
				continue
			}
			if err := l.changed(ctx); err != nil {
				l.cfg.Log.Error("keeping what changed failed", "error", err)
			}
		}
	}
}

// control adds to an observation what only the loop knows: whether Home Assistant was there before and after, as itself, and
// whether the home's address stayed what it was.
func control(o *Observation, began, ended Facts, before, after HomeLook) {
	if !o.Kind.Outside() || o.State == Untested {
		return
	}
	there, _ := before.at(o.Family, o.Address)
	still, _ := after.at(o.Family, o.Address)
	moved := began.Home.Port != ended.Home.Port || began.Home.Address != ended.Home.Address ||
		before.Fingerprint.IsHome() && after.Fingerprint.IsHome() && !before.Fingerprint.Matches(after.Fingerprint)
	o.Controls.HomeBefore, o.Controls.HomeAfter = HeldIf(there), HeldIf(still && !moved)
	was, is := began.Public[o.Family], ended.Public[o.Family]
	switch {
	case o.Controls.Address == Failed:
	case was.Standing == Known && is.Standing == Known && was.Address != is.Address, is.Standing == Ambiguous:
		o.Controls.Address = Failed
	default:
		o.Controls.Address = Held
	}
}

// isHomes tells whether it is Home Assistant that one looks for behind a door.
func (l *Loop) isHomes(f Facts, door Door) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, stood := l.past[door]; stood {
		return true
	}
	return slices.ContainsFunc(f.Ports(), func(w Watched) bool {
		return w.Port == door.Port && (w.Role == RoleHome || w.Role == RoleDoor)
	})
}

// finish notes when everybody is due again.
func (l *Loop) finish(seen []Observation, vantages []Vantage, facts Facts, before, after HomeLook, asked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.cfg.Now()
	l.quiet = quiet(facts, before, after, l.quiet)
	l.facts = facts.without(l.quiet)
	if after.Fingerprint.IsHome() {
		l.home = after.Fingerprint
		if slices.ContainsFunc(vantages, func(v Vantage) bool { return v.Kind() == Witness || v.Kind() == Globalping }) {
			l.shown = after.Fingerprint
		}
	}
	for _, v := range vantages {
		l.due[v.Kind()] = now.Add(jitter(l.pause(v, seen)))
	}
	if asked {
		l.progress.Running, l.progress.Ended = false, now
	}
}

// pause is how long a vantage waits: its interval; less when it could not look; and as long as it takes to see an exposure
// closed a second time, when it was closed this time.
func (l *Loop) pause(v Vantage, seen []Observation) time.Duration {
	pause, said, tried, closedNow := v.Every(), false, false, false
	for _, o := range seen {
		if o.Kind != v.Kind() {
			continue
		}
		said, tried = true, tried || o.looked()
		_, stood := l.past[o.door()]
		closedNow = closedNow || stood && (o.nothingThere() || foundGone(o, o.door()))
	}
	switch {
	case closedNow:
		return min(pause, closedGap*5/4+30*time.Second)
	case v.Kind().Outside() && said && !tried:
		return min(pause, retry)
	default:
		return pause
	}
}

func (l *Loop) working(kind Kind, text string) {
	l.step(Working{Kind: kind, Text: text})
}

func (l *Loop) done(kind Kind) {
	l.step(Working{Kind: kind, Done: true})
}

// step notes progress of a round that somebody waits for.
func (l *Loop) step(w Working) {
	l.mu.Lock()
	if l.progress.Running {
		if i := slices.IndexFunc(l.progress.Steps, func(s Working) bool { return s.Kind == w.Kind }); i >= 0 {
			if w.Text == "" {
				w.Text = l.progress.Steps[i].Text
			}
			l.progress.Steps[i] = w
		} else if w.Text != "" {
			l.progress.Steps = append(l.progress.Steps, w)
		}
	}
	l.mu.Unlock()
	l.tell()
}
