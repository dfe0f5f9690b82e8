package homeassistant

import (
	"context"
	"net/netip"
	"slices"
	"sync"
)

// This file tries places: those on this machine, those that the LAN proposes, those that a name stands for. It only
// gathers spots; round.go decides.

// mostAnnounced and mostAddrs bound how many places we try because of what others say.
const (
	mostAnnounced = 32
	mostAddrs     = 3
)

// A survey is what was seen elsewhere, and what there is to say about it when nothing was.
type survey struct {
	spots []spot
	note  string // a sentence; empty when there is nothing to add

	crowded bool // mDNS proposed more than was looked at
}

// first tries targets in their order, until one passes.
func (f *Finder) first(ctx context.Context, targets []Target, source Source) survey {
	var note string
	for _, t := range targets {
		switch s := f.senses.look(ctx, t); s.answer {
		case itself:
			return survey{spots: []spot{{target: t, machine: f.senses.machine(t.IP()), source: source}}}
		case banned:
			note = "what answers at " + t.URL() + " refuses this machine (403): if it is Home Assistant, it has banned it, and " +
				"ip_bans.yaml in its configuration folder says so"
		case stranger, silent:
		}
	}
	return survey{note: note}
}

// each tries every target at once and takes all that pass.
func (f *Finder) each(ctx context.Context, targets []Target, source Source) []spot {
	found := make([]survey, len(targets))
	var wait sync.WaitGroup
	for i, t := range targets {
		from := source
		if t.IP().IsLoopback() {
			from = FromLoopback
		}
		wait.Go(func() { found[i] = f.first(ctx, []Target{t}, from) })
	}
	wait.Wait()
	return gather(found).spots
}

// gather makes one survey of several, in their order.
func gather(surveys []survey) (all survey) {
	for _, s := range surveys {
		all.spots = append(all.spots, s.spots...)
		if s.note != "" {
			all.note = s.note
		}
		all.crowded = all.crowded || s.crowded
	}
	return all
}

// propose asks the LAN: for the name that was given, else for announcements.
func (f *Finder) propose(ctx context.Context) survey {
	if f.name != "" {
		return f.named(ctx)
	}
	said, err := f.senses.browse(ctx)
	if err != nil {
		f.log.Debug("mDNS not asked", "error", err)
		return survey{}
	}
	return f.announced(ctx, said)
}

// named tries the targets of the given name at every address that it has.
func (f *Finder) named(ctx context.Context) survey {
	addrs, err := f.senses.resolve(ctx, f.name)
	if err != nil {
		return survey{note: "nobody on this network answers to the name " + f.name}
	}
	var found survey
	for _, addr := range addrs[:min(len(addrs), mostAddrs)] {
		var targets []Target
		for _, t := range f.told {
			targets = append(targets, t.at(addr))
		}
		at := f.first(ctx, targets, FromFlag)
		found.spots = append(found.spots, at.spots...)
		found.note = at.note
	}
	found.spots = merge(found.spots)
	return found
}

// crowd is the sentence about too many.
const crowd = "too many devices on this network claim to be Home Assistant"

// announced tries what was announced, all at once, because a machine that is off takes its time to not answer.
func (f *Finder) announced(ctx context.Context, said Hearsay) survey {
	announcements := inTurn(said.Announcements)
	crowded := said.Crowded || len(announcements) > mostAnnounced
	announcements = announcements[:min(len(announcements), mostAnnounced)]
	found := make([]survey, len(announcements))
	var wait sync.WaitGroup
	for i, a := range announcements {
		wait.Go(func() { found[i] = f.tryAnnounced(ctx, a) })
	}
	wait.Wait()

	all := gather(found)
	// An IPv4 address first, so that it is the one that stays when two are the same Home Assistant.
	slices.SortStableFunc(all.spots, func(a, b spot) int { return a.target.IP().BitLen() - b.target.IP().BitLen() })
	all.spots = merge(all.spots)
	if all.crowded = crowded; crowded {
		all.note = crowd
	}
	return all
}

// tryAnnounced tries the addresses of one announcement and takes the first that passes: they are said to be one host's.
func (f *Finder) tryAnnounced(ctx context.Context, a Announcement) survey {
	addrs := ownFirst(usable(a.Addrs, f.senses.onLink), a.Source)
	if a.Installing {
		return survey{note: "the Home Assistant that " + a.Source.String() + " announces is still installing itself"}
	}
	for _, addr := range addrs[:min(len(addrs), mostAddrs)] {
		found := f.first(ctx, bothSchemes(addr.String(), a.Port), FromMDNS)
		for i := range found.spots {
			s := &found.spots[i]
			s.name, s.uuid, s.version = a.Name, a.UUID, a.Version
			s.vouched = a.Source == addr || s.machine.here && f.senses.machine(a.Source).here
		}
		if len(found.spots) > 0 {
			return found
		}
	}
	return survey{}
}

// ownFirst puts the address that an announcement came from before the others that it names, so that it is among those
// that are tried, however many somebody else adds in its name.
func ownFirst(addrs []netip.Addr, source netip.Addr) []netip.Addr {
	slices.SortStableFunc(addrs, func(a, b netip.Addr) int {
		switch source {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	return addrs
}

// elsewhere looks for a pinned Home Assistant that is not where it was: at its other port, on this machine, on the LAN.
func (f *Finder) elsewhere(ctx context.Context, p pin) survey {
	var known []spot
	var proposed survey
	var wait sync.WaitGroup
	wait.Go(func() { known = f.each(ctx, f.wellKnown(p), p.Source) })
	wait.Go(func() { proposed = f.propose(ctx) })
	wait.Wait()

	found := gather([]survey{{spots: known}, proposed})
	found.spots = merge(found.spots)
	found.spots = slices.DeleteFunc(found.spots, func(s spot) bool { return s.target == p.target() })
	return found
}

// wellKnown are the places to try without being told: Home Assistant's ports on this machine and on the pinned one.
func (f *Finder) wellKnown(p pin) []Target {
	var targets []Target
	if f.name == "" {
		targets = onThisMachine()
	}
	if !p.ThisMachine {
		host := p.Address.Addr().String()
		targets = append(targets, bothSchemes(host, port)...)
		targets = append(targets, Target{"http", host, newPort})
	}
	return slices.DeleteFunc(targets, func(t Target) bool { return t == p.target() })
}
