package page

import (
	"slices"
	"strings"

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

// Internal is where a mapping leads; of a host whose every port is meant, the host.
func (v *view) Internal(target string) string { return strings.TrimSuffix(target, ":0") }

// rank is the order in which marks are shown: red, amber, grey, green.
func rank(m mark) int { return slices.Index([]string{"good", "quiet", "warn", "bad"}, m.Kind) }

// Working is who is looking.
func (v *view) Working(w health.Working) string { return v.Vantage(w.Kind, string(w.Kind)) }
