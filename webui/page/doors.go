package page

import (
	"html/template"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// doorLine is one line about doors of a family: one of them, or all of which the same is known.
type doorLine struct {
	mark
	Ports     string
	Port      uint16 // 0: there are several
	Role      string // empty: there are several, or it goes without saying
	Why       []template.HTML
	CheckedAt time.Time // zero: a reason says it, or nobody looked
	Answers   bool
	Known     bool
}

// DoorLines tells of a family's doors. Those at which somebody answers have a line each, and the others share theirs as far
// as nothing differs.
func (v *view) DoorLines(f health.FamilyReport) []doorLine {
	var groups [][]health.DoorReport
	for _, d := range f.Doors {
		at := slices.IndexFunc(groups, func(g []health.DoorReport) bool { return sameDoors(g[0], d) })
		if at < 0 {
			groups = append(groups, []health.DoorReport{d})
			continue
		}
		groups[at] = append(groups[at], d)
	}
	out := make([]doorLine, 0, len(groups))
	for _, g := range groups {
		out = append(out, v.doorLine(g))
	}
	slices.SortStableFunc(out, func(a, b doorLine) int { return rank(b.mark) - rank(a.mark) })
	return out
}

// sameDoors tells whether two doors have one line. When exactly somebody looked makes no difference.
func sameDoors(a, b health.DoorReport) bool {
	if a.Open || b.Open || a.Known != b.Known || a.Verdict != b.Verdict || a.Verdict == health.Exposed {
		return false
	}
	return a.CheckedAt.IsZero() == b.CheckedAt.IsZero() && slices.EqualFunc(a.Reasons, b.Reasons, sameReason)
}

func sameReason(a, b health.Reason) bool {
	if a.Code != b.Code || a.Code != health.ClosedBy {
		return a.Code == b.Code && maps.Equal(a.Args, b.Args)
	}
	return a.Args["from"] == b.Args["from"]
}

func (v *view) doorLine(doors []health.DoorReport) doorLine {
	first := doors[0]
	line := doorLine{mark: v.DoorMark(first), Answers: v.Answers(first), Known: first.Known, CheckedAt: first.CheckedAt}
	var ports []uint16
	oldest := slices.Clone(first.Reasons)
	for _, d := range doors {
		ports = append(ports, d.Port)
		if d.CheckedAt.Before(line.CheckedAt) {
			line.CheckedAt = d.CheckedAt
		}
		for i, r := range d.Reasons {
			if r.Args["at"] < oldest[i].Args["at"] { // RFC 3339, in UTC
				oldest[i] = r
			}
		}
	}
	for _, r := range oldest {
		if r.Code == health.ClosedBy {
			line.CheckedAt = time.Time{}
		}
		line.Why = append(line.Why, v.Because(r))
	}
	line.Ports = v.Ports(ports)
	if len(doors) == 1 {
		line.Port, line.Role = first.Port, v.RoleName(first.Role)
	}
	return line
}

// Ports names ports, in their order.
func (v *view) Ports(ports []uint16) string {
	sorted := slices.Sorted(slices.Values(ports))
	names := make([]string, len(sorted))
	for i, p := range sorted {
		names[i] = strconv.Itoa(int(p))
	}
	if len(names) == 1 {
		return v.T("check.port", "port", names[0])
	}
	return v.T("check.ports", "ports", v.List(names))
}
