package api

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/health"
)

// ExposureState is the verdict on Home Assistant's port, as seen from the internet.
type ExposureState string

// The verdicts. What nobody has seen from outside is unverified, which is never shown as safe.
const (
	ExposureClosed     ExposureState = "closed"
	ExposureExposed    ExposureState = "exposed"
	ExposureUnverified ExposureState = "unverified"
)

// Exposure is whether Home Assistant can be reached from the internet.
type Exposure struct {
	State       ExposureState    `json:"state"`
	Reasons     []string         `json:"reasons"` // sentences
	ReasonCodes []ExposureReason `json:"reason_codes"`
	Next        string           `json:"next,omitempty"` // the one thing to do, as a word
	NextText    string           `json:"next_text,omitempty"`
	CheckedAt   time.Time        `json:"checked_at,omitzero"` // zero: never
	Until       time.Time        `json:"until,omitzero"`      // of closed: when it runs out
	Since       time.Time        `json:"since,omitzero"`      // of exposed: since when
	From        string           `json:"from,omitempty"`      // where it was looked from
	Ports       []PortExposure   `json:"ports"`
	Families    []FamilyExposure `json:"families"`
	Findings    []ExposureReason `json:"findings"` // worth knowing, and no part of the verdict
}

// PortExposure is one port in one address family.
type PortExposure struct {
	Port   uint16 `json:"port"`   // TCP
	Family string `json:"family"` // ipv4 or ipv6
	State  string `json:"state"`  // closed, open or unknown
}

// ExposureReason is why, as a word and as a sentence.
type ExposureReason struct {
	Code health.Code `json:"code"`
	Args health.Args `json:"args,omitempty"`
	Text string      `json:"text"`
	Next health.Step `json:"next,omitempty"`
}

// FamilyExposure is the verdict on one address family.
type FamilyExposure struct {
	Family  health.Family    `json:"family"`
	Applies bool             `json:"applies"` // false: the household has no such address
	State   ExposureState    `json:"state"`
	Reasons []ExposureReason `json:"reasons"`
	Doors   []DoorExposure   `json:"doors"`
}

// DoorExposure is the verdict on one port of a family.
type DoorExposure struct {
	Port      uint16           `json:"port"`
	Role      health.Role      `json:"role"`
	State     ExposureState    `json:"state"`
	Open      bool             `json:"open"`  // somebody answers there, whoever it is
	Known     bool             `json:"known"` // the owner said that it is not Home Assistant
	Reasons   []ExposureReason `json:"reasons"`
	Addresses []netip.Addr     `json:"addresses"` // that were or should be looked at
	CheckedAt time.Time        `json:"checked_at,omitzero"`
	Until     time.Time        `json:"until,omitzero"`
}

func (s *Server) getExposure(c echo.Context) error {
	return c.JSON(http.StatusOK, s.exposure())
}

// exposure is the verdict. While nobody looks it is unverified, with the ports that somebody should look at.
func (s *Server) exposure() Exposure {
	var r health.Report
	if s.cfg.Health != nil {
		r = s.cfg.Health.Loop.Report()
	}
	out := ExposureOf(r)
	if len(out.Reasons) == 0 && out.State == ExposureUnverified {
		none := []health.Reason{{Code: health.NotLooked}}
		if s.cfg.Health == nil {
			none[0].Code = health.NoVantage
		}
		out.ReasonCodes = reasonsOf(none)
		out.Reasons = sentences(out.ReasonCodes)
	}
	if len(out.Ports) == 0 {
		for _, family := range health.Families {
			out.Ports = append(out.Ports, PortExposure{Port: s.homePort(), Family: string(family), State: "unknown"})
		}
	}
	return out
}

// ExposureOf turns a report into what the API says.
func ExposureOf(r health.Report) Exposure {
	out := Exposure{
		State: stateOf(r.Verdict), ReasonCodes: reasonsOf(r.Reasons), Next: string(r.Next), NextText: r.Next.Text(),
		CheckedAt: r.CheckedAt.UTC(), From: strings.Join(r.From, ", "),
		Ports: []PortExposure{}, Families: []FamilyExposure{}, Findings: reasonsOf(r.Findings),
	}
	switch r.Verdict {
	case health.Closed:
		out.Until = r.Until.UTC()
	case health.Exposed:
		out.Since = r.Since.UTC()
	case health.Unverified:
	}
	out.Reasons = sentences(out.ReasonCodes)
	for _, f := range r.Families {
		family := FamilyExposure{
			Family: f.Family, Applies: f.Applies, State: stateOf(f.Verdict), Reasons: reasonsOf(f.Reasons), Doors: []DoorExposure{},
		}
		for _, d := range f.Doors {
			family.Doors = append(family.Doors, DoorExposure{
				Port: d.Port, Role: d.Role, State: stateOf(d.Verdict), Open: d.Open, Known: d.Known, Reasons: reasonsOf(d.Reasons),
				Addresses: append([]netip.Addr{}, d.Addresses...), CheckedAt: d.CheckedAt.UTC(), Until: d.Until.UTC(),
			})
			if f.Applies {
				out.Ports = append(out.Ports, PortExposure{Port: d.Port, Family: string(f.Family), State: portState(d)})
			}
		}
		out.Families = append(out.Families, family)
	}
	return out
}

// portState is what the internet finds at a port. What stands exposed by inside evidence is open, too.
func portState(d health.DoorReport) string {
	switch {
	case d.Open || d.Verdict == health.Exposed:
		return "open"
	case d.Verdict == health.Closed:
		return "closed"
	default:
		return "unknown"
	}
}

func stateOf(v health.Verdict) ExposureState { return ExposureState(v.String()) }

func reasonsOf(list []health.Reason) []ExposureReason {
	out := make([]ExposureReason, 0, len(list))
	for _, r := range list {
		out = append(out, ExposureReason{Code: r.Code, Args: r.Args, Text: r.Text(), Next: r.Next()})
	}
	return out
}

func sentences(list []ExposureReason) []string {
	out := make([]string, 0, len(list))
	for _, r := range list {
		out = append(out, r.Text)
	}
	return out
}

// homePort is the port on which Home Assistant listens in the house.
func (s *Server) homePort() uint16 {
	if a, err := netip.ParseAddrPort(s.cfg.HomeAssistant.State().Addr); err == nil {
		return a.Port()
	}
	return HomeAssistantPort
}
