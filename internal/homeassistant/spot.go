package homeassistant

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A spot is a target that passed for Home Assistant at this look, with what we know and what is said of it. For the
// owner it becomes a Candidate.
type spot struct {
	target  Target // the host is an IP address
	machine machine
	source  Source
	name    string // as announced
	uuid    string // as announced
	version string // as announced
	vouched bool   // the announcement came from that very machine
}

func (s spot) candidate() Candidate {
	return Candidate{
		Target: s.target.URL(), Addr: s.target.Addr(), Name: s.name, UUID: s.uuid, Version: s.version,
		MAC: s.machine.mac, ThisMachine: s.machine.here, Source: s.source,
	}
}

// describe names a spot for a sentence.
func (s spot) describe() string {
	if s.name == "" {
		return s.target.URL()
	}
	return fmt.Sprintf("%q at %s", s.name, s.target.URL())
}

func describeAll(spots []spot) string {
	var names []string
	for _, s := range spots {
		names = append(names, s.describe())
	}
	return strings.Join(names, ", ")
}

func candidates(spots []spot) []Candidate {
	all := []Candidate{}
	for _, s := range spots {
		all = append(all, s.candidate())
	}
	return all
}

// same tells whether two spots are one Home Assistant: the same target, or the same port of the same machine under two
// of its addresses, unless they claim to be different installations.
func (s spot) same(t spot) bool {
	if s.target == t.target {
		return true
	}
	return s.machine.known() && s.machine == t.machine && s.target.Port == t.target.Port && agree(s.uuid, t.uuid)
}

// agree tells whether two UUIDs can belong to one installation: they are equal, or one is not known.
func agree(a, b string) bool { return a == "" || b == "" || a == b }

// merge makes one spot of those that are the same; the first keeps its target. Of two UUIDs that are claimed for one
// target, the machine's own claim counts, so that nobody can rename somebody else's Home Assistant.
func merge(spots []spot) []spot {
	var merged []spot
	for _, s := range spots {
		i := slices.IndexFunc(merged, s.same)
		if i < 0 {
			merged = append(merged, s)
			continue
		}
		m := &merged[i]
		if m.uuid == "" || s.vouched && !m.vouched && s.uuid != "" {
			m.uuid, m.vouched = s.uuid, s.vouched
		}
		if m.name == "" {
			m.name, m.version = s.name, s.version
		}
	}
	return merged
}

// successor picks, of the spots elsewhere, the one that is the pinned Home Assistant at a new address or port: on the
// same machine, and not with another UUID. Two of those are a question, unless only one has the pinned UUID.
func (p pin) successor(spots []spot) (spot, bool) {
	if !p.ThisMachine && len(p.MACs) == 0 {
		return spot{}, false // nothing to recognise it by
	}
	var heirs, named []spot
	for _, s := range spots {
		if p.recognise(s.machine) != same || !agree(p.UUID, s.uuid) {
			continue
		}
		heirs = append(heirs, s)
		if s.uuid != "" && s.uuid == p.UUID {
			named = append(named, s)
		}
	}
	if len(named) == 1 {
		return named[0], true
	}
	if len(heirs) == 1 {
		return heirs[0], true
	}
	return spot{}, false
}

// claims picks what the machine at the pinned address announced for the pinned port. What others announce for it does
// not count.
func (p pin) claims(announcements []Announcement, machineAt func(netip.Addr) machine) []Announcement {
	var claims []Announcement
	for _, a := range announcements {
		own := a.Source == p.Address.Addr()
		if p.ThisMachine {
			own = machineAt(a.Source).here
		}
		if own && a.UUID != "" && a.Port == p.Address.Port() {
			claims = append(claims, a)
		}
	}
	return claims
}
