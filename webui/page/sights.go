package page

import (
	"cmp"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// sight is what one vantage saw last.
type sight struct {
	Who, From string
	At        time.Time
	Outside   bool
	Ports     []seenPorts // the worst first
	Held      []string    // what showed that the look means anything
	Failed    []string    // and what showed that it does not
}

// seenPorts are the ports of which it saw the same.
type seenPorts struct {
	mark
	Where     string // family and ports
	Addresses []string
	Why       template.HTML
}

// Sights puts what was seen together by who saw it and when, in the order in which it comes: the newest first.
func (v *view) Sights(seen []health.Observation) []sight {
	type who struct {
		kind        health.Kind
		seat, round string
	}
	var order []who
	groups := make(map[who][]health.Observation)
	for _, o := range seen {
		w := who{o.Kind, o.Seat, o.Round}
		if _, ok := groups[w]; !ok {
			order = append(order, w)
		}
		groups[w] = append(groups[w], o)
	}
	out := make([]sight, 0, len(order))
	for _, w := range order {
		out = append(out, v.sight(groups[w]))
	}
	return out
}

func (v *view) sight(seen []health.Observation) sight {
	first := seen[0]
	s := sight{Who: v.Vantage(first.Kind, string(first.Kind)), Outside: first.Kind.Outside()}
	if first.From != s.Who && named(first.Kind) {
		s.From = first.From
	}
	for _, o := range seen {
		if o.At.After(s.At) {
			s.At = o.At
		}
	}
	s.Ports = v.sameSeen(seen)
	s.Held, s.Failed = v.controls(seen)
	return s
}

// alike is what observations have in common that are told in one line. Of what is open each address has its own.
type alike struct {
	mark
	family  health.Family
	why     template.HTML
	address string
}

// sameSeen puts the ports together of which the same was seen, the worst first.
func (v *view) sameSeen(seen []health.Observation) []seenPorts {
	var order []alike
	ports, addresses := make(map[alike][]uint16), make(map[alike][]string)
	for _, o := range seen {
		a := alike{mark: v.SeenMark(o), family: o.Family, why: v.SeenWhy(o)}
		address := ""
		if o.Address.IsValid() {
			address = o.Address.String()
		}
		if o.State == health.PortOpen {
			a.address = address
		}
		if _, ok := ports[a]; !ok {
			order = append(order, a)
			ports[a] = nil
		}
		if o.Port != 0 && !slices.Contains(ports[a], o.Port) {
			ports[a] = append(ports[a], o.Port)
		}
		if address != "" && !slices.Contains(addresses[a], address) {
			addresses[a] = append(addresses[a], address)
		}
	}
	slices.SortStableFunc(order, func(a, b alike) int {
		return cmp.Or(rank(b.mark)-rank(a.mark), cmp.Compare(a.family, b.family)) // IPv4 first, as everywhere
	})
	out := make([]seenPorts, 0, len(order))
	for _, a := range order {
		out = append(out, seenPorts{mark: a.mark, Where: v.where(a.family, ports[a]), Addresses: addresses[a], Why: a.why})
	}
	return out
}

// named tells whether what a vantage says of where it looks from tells people more than what kind it is.
func named(k health.Kind) bool {
	switch k {
	case health.Router, health.Hairpin, health.Notices, health.InternetDB, health.PortCheck:
		return false
	case health.Witness, health.Globalping, health.Phone:
	}
	return true
}

// where is a family and ports of it, as far as they are known.
func (v *view) where(family health.Family, ports []uint16) string {
	var parts []string
	if family != "" {
		parts = append(parts, v.FamilyName(family))
	}
	if len(ports) > 0 {
		parts = append(parts, v.Ports(ports))
	}
	return strings.Join(parts, " · ")
}

// SeenMark is what somebody saw of a port. Only the household's own Home Assistant is red; what nobody saw is grey.
func (v *view) SeenMark(o health.Observation) mark {
	switch o.State {
	case health.PortOpen:
		switch o.Identity {
		case health.OurHome:
			return mark{"bad", "unlock", v.T("check.seen_ours")}
		case health.SomeHome:
			return mark{"warn", "warning", v.T("check.seen_some")}
		case health.Something, health.Nobody:
		}
		return mark{"warn", "warning", v.T("check.seen_something")}
	case health.PortClosed, health.PortFiltered:
		switch {
		case !shows(o):
			return mark{"quiet", "unsure", v.T("check.seen_doubtful")}
		case o.State == health.PortClosed:
			return mark{"good", "lock", v.T("check.seen_closed")}
		}
		return mark{"good", "lock", v.T("check.seen_filtered")}
	case health.Untested:
	}
	if o.Why != "" {
		return mark{"quiet", "info", ""} // which says more
	}
	return mark{"quiet", "unsure", v.T("check.seen_untested")}
}

// shows tells whether it means anything that nobody answered. The verdict asks for more; what does not do for this is no lock.
func shows(o health.Observation) bool {
	switch o.Kind {
	case health.Witness, health.Globalping, health.Phone:
	case health.PortCheck, health.Router, health.Hairpin, health.InternetDB, health.Notices:
		return false
	default:
		return false
	}
	c := o.Controls
	all := []health.Control{c.HomeBefore, c.HomeAfter, c.PathBefore, c.PathAfter, c.Canary, c.Reach, c.Decoy, c.Address, c.Outside}
	return c.HomeBefore == health.Held && c.HomeAfter == health.Held && !slices.Contains(all, health.Failed)
}

// SeenWhy is why an observation is what it is.
func (v *view) SeenWhy(o health.Observation) template.HTML {
	switch o.Why {
	case "", health.Connected, health.Refused, health.NoAnswer:
		return "" // its mark says it
	default:
	}
	args := health.Args{"from": o.From, "port": strconv.Itoa(int(o.Port)), "seat": o.Seat}
	if o.Address.IsValid() {
		args["address"] = o.Address.String()
	}
	maps.Copy(args, o.Args)
	if args["from"] == "" || !named(o.Kind) {
		args["from"] = string(o.Kind)
	}
	return v.Because(health.Reason{Code: o.Why, Args: args})
}

// controls are what showed whether somebody's look means anything. One that failed anywhere failed; one that was tried
// nowhere is not told of.
func (v *view) controls(seen []health.Observation) (held, failed []string) {
	for _, c := range []struct {
		key string
		of  func(health.Controls) []health.Control
	}{
		{"check.control.home", func(c health.Controls) []health.Control { return []health.Control{c.HomeBefore, c.HomeAfter} }},
		{"check.control.path", func(c health.Controls) []health.Control { return []health.Control{c.PathBefore, c.PathAfter} }},
		{"check.control.canary", func(c health.Controls) []health.Control { return []health.Control{c.Canary} }},
		{"check.control.reach", func(c health.Controls) []health.Control { return []health.Control{c.Reach} }},
		{"check.control.decoy", func(c health.Controls) []health.Control { return []health.Control{c.Decoy} }},
		{"check.control.address", func(c health.Controls) []health.Control { return []health.Control{c.Address} }},
		{"check.control.outside", func(c health.Controls) []health.Control { return []health.Control{c.Outside} }},
	} {
		tried, broke := false, false
		for _, o := range seen {
			each := c.of(o.Controls)
			broke = broke || slices.Contains(each, health.Failed)
			tried = tried || !slices.Contains(each, health.NotTried) && o.State != health.Untested
		}
		switch {
		case broke:
			failed = append(failed, v.T(c.key+"_failed"))
		case tried:
			held = append(held, v.T(c.key+"_held"))
		}
	}
	return held, failed
}
