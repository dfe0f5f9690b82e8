package witness

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// look is what a question makes the witness do: a datagram, the ports, what their listeners show, the way to the silent ones, and
// another datagram. It is false when the caller is gone or the time was too short.
func (e *session) look(ctx context.Context, q Question) (Answer, bool) {
	a := Answer{Address: e.from, Family: familyOf(e.from), Vantage: e.own, Started: e.cfg.Now().UTC()}
	ctx, cancel := e.untilGone(ctx)
	defer cancel()
	// Everybody who asks at the hour would else be looked at in one instant.
	if pause(ctx, rand.N(e.cfg.Pace.Jitter+1)) != nil {
		return a, false
	}
	e.datagrams(ctx, q.Path, q.Before)
	results, extra := e.tries(q)
	e.knockAll(ctx, slices.Concat(results, extra))
	e.show(ctx, q, results)
	e.reachAll(ctx, results, extra)
	e.datagrams(ctx, q.Path, q.After)
	for _, r := range results {
		a.Results = append(a.Results, r.Result)
	}
	a.Decoy = extra[0].Result
	if len(extra) > 1 {
		a.Canary = extra[1].Result
	}
	a.Ended = e.cfg.Now().UTC()
	return a, ctx.Err() == nil
}

// untilGone ends when the caller closes the connection, or says something that nobody asked for: then nobody waits for the answer.
func (e *session) untilGone(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		_ = e.conn.SetReadDeadline(deadline)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = e.conn.Read(make([]byte, 1))
		cancel()
	}()
	return ctx, func() {
		_ = e.conn.SetReadDeadline(time.Now()) // wakes the reader, whose cancel is ours
		<-done
	}
}

// try is one port that is tried, and what comes of it.
type try struct {
	Result
	local bool // it failed on this machine, at once: the port is not let out
}

func (t *try) target() netip.AddrPort { return netip.AddrPortFrom(t.Address, t.Port) }

// tries are the ports of the question, and the decoy and the canary.
func (e *session) tries(q Question) (asked, extra []*try) {
	for _, t := range q.Targets {
		at, _ := t.at(e.from) // it was checked
		for _, port := range t.Ports {
			asked = append(asked, &try{Result: Result{Address: at, Port: port}})
		}
	}
	decoy := e.cfg.Decoy()
	for decoy == q.Canary {
		decoy = e.cfg.Decoy()
	}
	extra = append(extra, &try{Result: Result{Address: e.from, Port: decoy}})
	if q.Canary != 0 {
		extra = append(extra, &try{Result: Result{Address: e.from, Port: q.Canary}})
	}
	return asked, extra
}

// knockAll tries all at the same time.
func (e *session) knockAll(ctx context.Context, all []*try) {
	var group sync.WaitGroup
	for _, t := range all {
		group.Go(func() { e.knock(ctx, t) })
	}
	group.Wait()
}

// knock tries one port up to three times: one connection makes it open, a reset ends the tries.
func (e *session) knock(ctx context.Context, t *try) {
	for t.Attempts < e.cfg.Pace.Tries {
		if t.Attempts > 0 && pause(ctx, e.cfg.Pace.Gap) != nil {
			return
		}
		if !e.meter.spend(attemptCost) {
			t.State, t.Why = health.Untested, "" // a silence that was too short is none
			return
		}
		began := time.Now()
		outcome := e.connect(ctx, t.target())
		if ctx.Err() != nil {
			t.State, t.Why = health.Untested, ""
			return
		}
		t.Attempts++
		t.note(outcome, time.Since(began))
		if t.State == health.PortOpen || t.State == health.PortClosed || t.State == health.Untested {
			return
		}
	}
}

// note takes the outcome of an attempt. An ICMP error says more than the silence before or after it.
func (t *try) note(o outcome, took time.Duration) {
	switch o {
	case connected:
		t.State, t.Why = health.PortOpen, health.Connected
	case refused:
		t.State, t.Why = health.PortClosed, health.Refused
	case rejected:
		t.State, t.Why = health.PortFiltered, health.Rejected
	case silence:
		if t.Why == "" {
			t.State, t.Why = health.PortFiltered, health.NoAnswer
		}
		return
	case forbidden:
		t.State, t.Why, t.local = health.PortFiltered, health.Rejected, true
	case broken:
		t.State, t.Why = health.Untested, health.NoRoute
	}
	t.RTT = int(max(took.Milliseconds(), 1))
}

// maxShows keeps the answer below maxBody.
const maxShows = 48

// show takes fingerprints of what is open, first of each listener, then by the names.
func (e *session) show(ctx context.Context, q Question, all []*try) {
	type job struct {
		*try
		name string
	}
	var jobs []job
	for _, name := range append([]string{""}, q.Names...) {
		for _, t := range all {
			if t.State == health.PortOpen && (name == "" || byName(t.Port)) {
				jobs = append(jobs, job{t, name})
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Pace.Show)
	defer cancel()
	shown := make([]*Shown, len(jobs))
	var group sync.WaitGroup
	for i, j := range jobs {
		if i == maxShows || !e.meter.spend(shownBytes) { // its place in the answer
			break
		}
		group.Go(func() { shown[i] = e.fingerprint(ctx, j.target(), j.name) })
	}
	group.Wait()
	for i, j := range jobs {
		if shown[i] != nil {
			j.Shows = append(j.Shows, *shown[i])
		}
	}
}

func (e *session) fingerprint(ctx context.Context, at netip.AddrPort, name string) *Shown {
	f, err := homeassistant.TakeFingerprint(ctx, e.paid, at.String(), name)
	if err != nil || f == (homeassistant.Fingerprint{}) {
		return nil
	}
	f.Version = clean(f.Version)[:min(len(clean(f.Version)), 64)]
	return &Shown{name, f}
}
