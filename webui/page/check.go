package page

import (
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// VerdictMark is the mark of a door or a family.
func (v *view) VerdictMark(is health.Verdict) mark {
	switch is {
	case health.Closed:
		return mark{"good", "lock", v.T("check.closed")}
	case health.Exposed:
		return mark{"bad", "unlock", v.T("check.exposed")}
	case health.Unverified:
	}
	return mark{"quiet", "unsure", v.T("check.unverified")}
}

// DoorMark is the mark of a door; where somebody answers who is not Home Assistant, it says so.
func (v *view) DoorMark(d health.DoorReport) mark {
	switch {
	case d.Verdict == health.Exposed:
		return v.VerdictMark(d.Verdict)
	case d.Role == health.RolePage && d.Open:
		return mark{"warn", "warning", v.T("check.open")}
	case d.Known && d.Open:
		return mark{"quiet", "info", v.T("check.known")}
	case d.Open:
		return mark{"warn", "warning", v.T("check.answers")}
	default:
		return v.VerdictMark(d.Verdict)
	}
}

// Answers tells whether the owner may say that what answers at a door is not Home Assistant.
func (v *view) Answers(d health.DoorReport) bool {
	return d.Open && !d.Known && d.Verdict != health.Exposed && d.Role != health.RolePage
}

// FamilyName is what people call an address family.
func (v *view) FamilyName(f health.Family) string {
	switch f {
	case health.IPv6:
		return "IPv6"
	case health.IPv4:
	}
	return "IPv4"
}

// RoleName says what a port is looked at for.
func (v *view) RoleName(r health.Role) string {
	switch r {
	case health.RoleHome:
		return "Home Assistant"
	case health.RolePage:
		return v.T("check.role_page")
	case health.RoleDoor:
		return v.T("check.role_door")
	case health.RoleOther:
	}
	return v.T("check.role_other")
}

// Vantage is what people call one who looks; a kind that nobody knows stays as it is called.
func (v *view) Vantage(k health.Kind, otherwise string) string {
	switch k {
	case health.Witness, health.Phone, health.PortCheck, health.Router, health.Hairpin, health.Notices:
		return v.T("check.vantage." + string(k))
	case health.Globalping:
		return "Globalping"
	case health.InternetDB:
		return "Shodan InternetDB"
	}
	return otherwise
}

// External is a mapping's port on the internet's side; routers write 0 for all that there are.
func (v *view) External(port string) string {
	if port == "0" || strings.HasPrefix(port, "0 ") {
		return "1–65535"
	}
	return port
}

// sight is what one vantage saw last.
type sight struct {
	Who, From string
	At        time.Time
	Outside   bool
	Ports     []seenPort
	More      []seenPort // besides those
	Controls  []controlLine
}

// seenPort is one port of it.
type seenPort struct {
	mark
	Where   string // family and port
	Address string
	Why     template.HTML
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
		p := seenPort{mark: v.SeenMark(o), Where: v.where(o), Why: v.SeenWhy(o)}
		if o.Address.IsValid() {
			p.Address = o.Address.String()
		}
		if !slices.Contains(s.Ports, p) {
			s.Ports = append(s.Ports, p)
		}
	}
	s.Controls = v.controls(seen)
	slices.SortStableFunc(s.Ports, func(a, b seenPort) int { return rank(b.mark) - rank(a.mark) })
	s.More = s.Ports[min(mostPorts, len(s.Ports)):]
	s.Ports = s.Ports[:len(s.Ports)-len(s.More)]
	return s
}

// mostPorts is how many ports of one look are shown at once, the worst first; a weekly look has dozens.
const mostPorts = 6

// named tells whether what a vantage says of where it looks from tells people more than what kind it is.
func named(k health.Kind) bool {
	switch k {
	case health.Router, health.Hairpin, health.Notices, health.InternetDB, health.PortCheck:
		return false
	case health.Witness, health.Globalping, health.Phone:
	}
	return true
}

func (v *view) where(o health.Observation) string {
	switch {
	case o.Port == 0 && o.Family == "":
		return ""
	case o.Port == 0:
		return v.FamilyName(o.Family)
	case o.Family == "":
		return v.T("check.port", "port", strconv.Itoa(int(o.Port)))
	}
	return v.FamilyName(o.Family) + " · " + v.T("check.port", "port", strconv.Itoa(int(o.Port)))
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
	if o.Why == "" {
		return ""
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

// controlLine is a control in words: whether it held.
type controlLine struct {
	Held bool
	Text string
}

// controls are what showed that somebody's look means anything. One that failed anywhere failed; one that was tried nowhere
// is not told of.
func (v *view) controls(seen []health.Observation) (out []controlLine) {
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
		tried, failed := false, false
		for _, o := range seen {
			each := c.of(o.Controls)
			failed = failed || slices.Contains(each, health.Failed)
			tried = tried || !slices.Contains(each, health.NotTried) && o.State != health.Untested
		}
		switch {
		case failed:
			out = append(out, controlLine{false, v.T(c.key + "_failed")})
		case tried:
			out = append(out, controlLine{true, v.T(c.key + "_held")})
		}
	}
	return out
}

// past is one line of history.
type past struct {
	mark
	Who, From string
	First     time.Time
	Last      time.Time
	Times     int
	Reasons   []template.HTML
	Ports     []seenPort
	Changed   bool // the verdict did
}

// PastLine is a line of history as people read it.
func (v *view) PastLine(e health.Entry) past {
	p := past{mark: v.VerdictMark(e.Verdict), First: e.First, Last: e.Last, Times: e.Times, Changed: e.Kind == ""}
	if e.Kind == "" {
		key := "check.past_" + e.Verdict.String()
		p.Who = v.T(key)
		for _, r := range e.Reasons {
			p.Reasons = append(p.Reasons, v.Because(r))
		}
		return p
	}
	p.Who, p.mark = v.Vantage(e.Kind, string(e.Kind)), mark{"quiet", "info", ""}
	if len(e.Seen) == 0 {
		return p
	}
	s := v.sight(e.Seen)
	p.From, p.Ports, p.mark = s.From, append(s.Ports, s.More...), s.Ports[0].mark // the worst is the first
	for _, r := range e.Reasons {
		p.Reasons = append(p.Reasons, v.Because(r))
	}
	return p
}

// rank is the order in which marks are shown: red, amber, grey, green.
func rank(m mark) int { return slices.Index([]string{"good", "quiet", "warn", "bad"}, m.Kind) }

// Working is who is looking.
func (v *view) Working(w health.Working) string { return v.Vantage(w.Kind, string(w.Kind)) }
