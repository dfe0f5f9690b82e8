package homeassistant

import (
	"context"
	"fmt"
	"time"
)

// This file is one look around, and what it makes of the answers.

const (
	// blip is how many looks in vain there are to a loss. Home Assistant's web server stalls for a moment now and then.
	blip = 2

	// inspectEvery is how often sign-in and identity are looked at again while nothing changes.
	inspectEvery = 10 * time.Minute

	// inspectAgain is when a closer look that came to nothing is tried again.
	inspectAgain = time.Minute
)

// lookAround is one round. It holds f.busy.
func (f *Finder) lookAround(ctx context.Context) {
	if f.told != nil && f.name == "" {
		f.lookWhereTold(ctx)
		return
	}
	p, ok, err := readPin(f.store, f.name)
	switch {
	case err != nil:
		f.log.Error("pin not read", "error", err)
		f.publish(State{Phase: Searching, Reason: "where Home Assistant was cannot be read from the state directory; see the log"}, "")
	case ok:
		f.lookAtPin(ctx, p)
	default:
		f.search(ctx)
	}
}

// lookWhereTold tries what --home-assistant says, the target that worked last first.
func (f *Finder) lookWhereTold(ctx context.Context) {
	targets := f.told
	if f.last != (Target{}) {
		targets = append([]Target{f.last}, targets...)
	}
	var worst sight // the one that says most about why
	var at Target
	for _, t := range targets {
		s := f.senses.look(ctx, t)
		if s.answer >= banned {
			f.misses = 0
			f.last, _ = f.present(ctx, find{target: t, source: FromFlag}, s)
			return
		}
		if at == (Target{}) || s.answer > worst.answer {
			worst, at = s, t
		}
	}
	if ctx.Err() != nil {
		return
	}
	was := f.State()
	if f.misses++; was.Phase == Found && f.misses < blip {
		return
	}
	next := State{Phase: Searching}
	if f.last != (Target{}) {
		next = State{Phase: Lost}.of(f.last, FromFlag)
	}
	next.Reason = fmt.Sprintf("Home Assistant is not where --home-assistant says (%s: %s); looking again", at.URL(), worst.detail)
	// The owner's word is good for dialling as long as nobody else answers there: then the gate sees for itself.
	certain := len(f.told) == 1 || f.last != (Target{})
	f.publish(next, onlyIf(certain && worst.answer == silent, targets[0].Addr()))
}

func onlyIf(yes bool, s string) string {
	if yes {
		return s
	}
	return ""
}

// lookAtPin asks whether Home Assistant is still where it was, and still itself.
func (f *Finder) lookAtPin(ctx context.Context, p pin) {
	f.recall(p)
	t := p.target()
	s := f.senses.look(ctx, t)
	if s.answer >= banned {
		m := f.senses.machine(t.IP())
		switch p.recognise(m) {
		case same:
			f.misses = 0
			f.presentPinned(ctx, p, s, m)
			return
		case other:
			why := "another machine answers at " + t.URL() + " than the one that was known as Home Assistant"
			f.withhold(why)
			f.gone(ctx, p, why, spot{target: t, machine: m, source: p.Source}, s)
			return
		case unsure:
			s.answer, s.detail = silent, "the network does not say which machine it is"
		}
	}
	if f.misses++; f.misses >= blip {
		f.gone(ctx, p, fmt.Sprintf("Home Assistant does not answer at %s: %s", t.URL(), s.detail), spot{}, s)
	}
}

// withhold stops handing out the address at once, while we are still finding out more.
func (f *Finder) withhold(why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dial, f.state.Reason = "", why
}

// gone looks for a pinned Home Assistant elsewhere. On the same machine it is followed; anything else is for the owner
// to say, also the one that took its place, if any.
func (f *Finder) gone(ctx context.Context, p pin, why string, impostor spot, s sight) {
	found := f.elsewhere(ctx, p)
	if ctx.Err() != nil {
		return
	}
	if heir, ok := p.successor(found.spots); ok {
		f.doubt = nil
		p = p.moved(heir)
		_, _ = f.present(ctx, find{target: p.target(), source: p.Source, pin: &p, write: true}, sight{answer: itself})
		return
	}
	if impostor.target != (Target{}) && s.answer == itself {
		found.spots = append([]spot{impostor}, found.spots...)
	}
	next := State{Phase: Lost, UUID: p.UUID, Reason: why + "; looking for it there and on the network"}
	if len(found.spots) > 0 || impostor.target != (Target{}) {
		next.Phase = Changed
		next.Candidates = candidates(found.spots)
		next.Reason = why + "; " + ask(found.spots)
	} else if found.note != "" {
		next.Reason += "; " + found.note
	}
	next = next.of(p.target(), p.Source)
	// On this machine there is nobody to mistake for it, so the gate may try on its own.
	f.publish(next, onlyIf(p.ThisMachine && s.answer == silent && next.Phase == Lost, next.Addr))
}

// search is the first find: this machine, then whoever is the only one on the LAN.
func (f *Finder) search(ctx context.Context) {
	var here survey
	if f.name == "" {
		here = f.first(ctx, onThisMachine(), FromLoopback)
	}
	found := here
	if len(here.spots) == 0 {
		found = f.propose(ctx)
		if here.note != "" {
			found.note = here.note
		}
	}
	if ctx.Err() != nil {
		return
	}
	if found.crowded { // to none of these questions is the answer "the only one", then or later
		f.several, f.crowded = true, true
	}
	switch {
	case len(here.spots) == 1 || len(found.spots) == 1 && !f.several:
		_ = f.adopt(ctx, pinned(found.spots[0], found.spots[0].source, time.Now()))
	case len(found.spots) == 0 && !found.crowded:
		reason := f.notYet()
		if found.note != "" {
			reason += "; " + found.note
		}
		f.publish(State{Phase: Searching, Reason: reason}, "")
	default:
		// Once there were several it stays a question, even when all but one go quiet: that may be why they do.
		f.several = true
		f.publish(State{Phase: Choose, Candidates: candidates(found.spots), Reason: f.which(found.spots)}, "")
	}
}

// which is the question to the owner at the first find. A crowd's names are left to the list of candidates.
func (f *Finder) which(spots []spot) string {
	if f.crowded {
		return crowd + ", or speak in its name, so that none was taken unasked; say which one is yours, or its address " +
			"when it is not among them"
	}
	return "more than one Home Assistant was seen on this network; say which one is yours: " + describeAll(spots)
}

// ask is what the owner has to answer.
func ask(spots []spot) string {
	if len(spots) == 0 {
		return "say where it is now"
	}
	return "confirm it, if this is yours: " + describeAll(spots)
}

// adopt takes a new pin. Where it cannot be written, the state says so too, and the next look tries again.
func (f *Finder) adopt(ctx context.Context, p pin) error {
	f.several, f.crowded, f.doubt, f.misses = false, false, nil, 0
	_, err := f.present(ctx, find{target: p.target(), source: p.Source, pin: &p, write: true}, sight{answer: itself})
	return err
}
