package homeassistant

import (
	"context"
	"slices"
	"time"
)

// This file is what happens with a Home Assistant that is there: looking closer, and making sure that it is still the
// same installation.

// A find is a target that passed, and its pin if it has one.
type find struct {
	target Target
	source Source
	pin    *pin
	write  bool // the pin is new or changed
}

// presentPinned is the pinned machine at its place. A pin without a MAC learns it, and a doubt is settled first.
func (f *Finder) presentPinned(ctx context.Context, p pin, s sight, m machine) {
	found := find{target: p.target(), source: p.Source, pin: &p}
	if !p.ThisMachine && len(p.MACs) == 0 && m.mac != "" {
		p.MACs, found.write = []string{m.mac}, true
	}
	if f.doubt != nil {
		f.identify(ctx, p)
	}
	if f.doubt != nil {
		f.publish(f.doubtful(p), "")
		return
	}
	_, _ = f.present(ctx, found, s)
}

// present publishes a find, after a closer look where one is due, and returns the target that it is at in the end.
func (f *Finder) present(ctx context.Context, found find, s sight) (Target, error) {
	was := f.State()
	known := was.Phase == Found && was.Addr == found.target.Addr()
	if known && !found.write && time.Since(f.inspected) < inspectEvery && (s.answer == banned) == has(was.Warnings, Banned) {
		return found.target, nil
	}
	in := f.inspection(ctx, &found, s)
	if err := ctx.Err(); err != nil {
		return found.target, err
	}

	next := State{Phase: Found, Version: was.Version, Warnings: in.warnings}.of(found.target, found.source)
	if s.answer == itself && (!known || was.Version == "") {
		next.Version = f.senses.version(ctx, found.target)
	}
	f.inspected = time.Now()
	if !in.known {
		next.Warnings = slices.DeleteFunc(slices.Clone(f.warned), func(w Warning) bool { return w.Code == Banned })
		f.inspected = f.inspected.Add(inspectAgain - inspectEvery)
	}
	if found.pin != nil {
		next.UUID = found.pin.UUID
	}
	if err := f.commit(next.found(), found); err != nil {
		return found.target, err
	}
	if found.pin != nil {
		f.identify(ctx, *found.pin)
	}
	return found.target, nil
}

// inspection looks closer, and follows Home Assistant to the port that it says it will keep.
func (f *Finder) inspection(ctx context.Context, found *find, s sight) inspection {
	if s.answer == banned {
		return inspection{known: true, warnings: []Warning{bannedWarning(s.from)}}
	}
	in := f.senses.inspect(ctx, found.target)
	if in.moved == (Target{}) || f.senses.look(ctx, in.moved).answer != itself {
		return in
	}
	found.target = in.moved
	if found.pin != nil {
		p := found.pin.moved(spot{target: in.moved})
		found.pin, found.write = &p, true
	}
	in = f.senses.inspect(ctx, found.target)
	in.moved = Target{}
	return in
}

// identify asks the LAN which installation the pinned machine announces. Most announce none, to us or at all, and then
// nothing follows from it; nor does anything from what a crowd lets through. The first UUID is remembered; a different one is a doubt until the pinned one is announced
// again, or the owner confirms.
func (f *Finder) identify(ctx context.Context, p pin) {
	said, err := f.senses.browse(ctx)
	if err != nil || ctx.Err() != nil || said.Crowded {
		return
	}
	claims := p.claims(said.Announcements, f.senses.machine)
	if len(claims) == 0 {
		return
	}
	next := f.State()
	claim := claims[0]
	if i := slices.IndexFunc(claims, func(a Announcement) bool { return a.UUID == p.UUID }); i >= 0 {
		claim = claims[i]
	}
	found := find{target: p.target(), source: p.Source, pin: &p}
	switch {
	case p.UUID == claim.UUID:
		f.doubt = nil
	case p.UUID == "" && !slices.ContainsFunc(claims, func(a Announcement) bool { return a.UUID != claim.UUID }):
		p.UUID, found.write = claim.UUID, true
	case p.UUID != "":
		f.doubt = &claim
		f.publish(f.doubtful(p), "")
		return
	}
	if next.Phase != Found {
		return // the caller goes on
	}
	next.UUID = p.UUID
	if claim.Version != "" {
		next.Version = claim.Version
	}
	_ = f.commit(next.found(), found) // tried again at the next closer look
}

// doubtful is the pinned machine with another installation on it.
func (f *Finder) doubtful(p pin) State {
	s := spot{
		target: p.target(), machine: f.senses.machine(p.Address.Addr()), source: p.Source,
		name: f.doubt.Name, uuid: f.doubt.UUID, version: f.doubt.Version,
	}
	return State{
		Phase: Changed, UUID: p.UUID, Candidates: candidates([]spot{s}),
		Reason: "another installation of Home Assistant answers at " + p.target().URL() + " than the one that was known; " + ask([]spot{s}),
	}.of(p.target(), p.Source)
}

func has(warnings []Warning, code string) bool {
	return slices.ContainsFunc(warnings, func(w Warning) bool { return w.Code == code })
}
