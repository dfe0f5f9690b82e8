package page

import (
	"cmp"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// Lock is the mark of the exposure card. What is not known for sure is grey, never green; a router's rule for a port that
// is closed today is amber.
func (v *view) Lock(e Exposure) mark {
	switch e.Report.Verdict {
	case health.Closed:
		if ruled(e.Report.Findings) {
			return mark{"warn", "lock", v.port("exposure.mapped", e.Port)}
		}
		return mark{"good", "lock", v.port("exposure.closed", e.Port)}
	case health.Exposed:
		if v.Fading(e.Report) {
			return mark{"bad", "unlock", v.port("exposure.still_open", OpenPort(e.Report))}
		}
		return mark{"bad", "unlock", v.port("exposure.open", OpenPort(e.Report))}
	case health.Unverified:
	}
	if e.Report.CheckedAt.IsZero() {
		return mark{"quiet", "unsure", v.T("exposure.unverified")}
	}
	return mark{"quiet", "unsure", v.T("exposure.unverified_now")}
}

// port is a sentence about a port, or the one without it.
func (v *view) port(key string, port uint16) string {
	if port == 0 {
		return v.T(key)
	}
	return v.T(key+"_port", "port", port)
}

// ruled tells whether the router has a rule for Home Assistant that leads nowhere, today.
func ruled(findings []health.Reason) bool {
	return slices.ContainsFunc(findings, func(r health.Reason) bool {
		return r.Code == health.MappingIdle || r.Code == health.MappingInner
	})
}

// OpenPort is the port that stands exposed; 0 when there are several.
func OpenPort(r health.Report) (port uint16) {
	for _, f := range r.Families {
		for _, d := range f.Doors {
			switch {
			case d.Verdict != health.Exposed || d.Port == port:
			case port != 0:
				return 0
			default:
				port = d.Port
			}
		}
	}
	return port
}

// OpenPort is for templates.
func (v *view) OpenPort(r health.Report) uint16 { return OpenPort(r) }

// Fading tells whether what was open was not seen open any more, and has yet to be seen closed twice.
func (v *view) Fading(r health.Report) bool {
	return r.Verdict == health.Exposed && len(r.Reasons) > 0 &&
		!slices.ContainsFunc(r.Reasons, func(r health.Reason) bool { return r.Code != health.NotYetClosed })
}

// onCard is how many reasons stand on a card. All stand beside the ports that they are about.
const onCard = 3

// Shown are the reasons that a card shows. Who looked and found nothing stands there already, and how an exposure ends
// matters once it does.
func (v *view) Shown(e Exposure) []health.Reason {
	fading := v.Fading(e.Report)
	var out []health.Reason
	for _, r := range e.Report.Reasons {
		if r.Code != health.ClosedBy && (fading || r.Code != health.NotYetClosed) && len(out) < onCard {
			out = append(out, r)
		}
	}
	return out
}

// Besides are the reasons of a family that are none of its doors'.
func (v *view) Besides(f health.FamilyReport) (out []health.Reason) {
	for _, r := range f.Reasons {
		same := func(of health.Reason) bool { return of.Code == r.Code && maps.Equal(of.Args, r.Args) }
		if !slices.ContainsFunc(f.Doors, func(d health.DoorReport) bool { return slices.ContainsFunc(d.Reasons, same) }) {
			out = append(out, r)
		}
	}
	return out
}

// Worth are the findings that the front page shows: what belongs to an amber lock, or may become a red one.
func (v *view) Worth(e Exposure) []health.Reason {
	room := max(1, onCard-len(v.Shown(e)))
	var out []health.Reason
	for _, r := range e.Report.Findings {
		if len(out) == room {
			break
		}
		switch r.Code {
		case health.MappingIdle, health.MappingInner, health.FirewallOff, health.PageOpen, health.OtherOpen:
			out = append(out, r)
		case health.LoneWitness:
			if e.Report.Verdict == health.Closed { // elsewhere nobody's word is needed
				out = append(out, r)
			}
		default:
		}
	}
	return out
}

// Because is the sentence for a reason, in the page's language. One that the catalogues do not know, or that wants a value
// which it does not bring, is said in English.
func (v *view) Because(r health.Reason) template.HTML {
	key := "exposure.reason." + string(r.Code)
	var args []any
	for name, value := range r.Args {
		args = append(args, name, v.value(name, value))
	}
	if sentence := v.T(key); sentence == key || wanting(sentence, args) {
		return template.HTML(template.HTMLEscapeString(firstNonEmpty(r.Text(), string(r.Code))))
	}
	return v.H(key, args...)
}

// insiders are those who look from inside, as they call themselves in English.
var insiders = map[string]health.Kind{
	"the router": health.Router, "this machine": health.Hairpin,
}

// value is what a reason speaks of, as people read it: times and words of ours in the page's language.
func (v *view) value(name, value string) template.HTML {
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return v.Moment(at)
	}
	if name == "what" {
		key := "exposure.what." + strings.ReplaceAll(value, " ", "_")
		if word := v.T(key); word != key {
			return template.HTML(template.HTMLEscapeString(word))
		}
	}
	switch name {
	case "from", "seat":
		value = v.Vantage(cmp.Or(insiders[value], health.Kind(value)), value)
	case "external":
		value = v.External(value)
	}
	return v.Name(value)
}

// Next is the sentence for what to do next; empty when there is nothing.
func (v *view) Next(step health.Step) string {
	if step == "" {
		return ""
	}
	key := "exposure.next." + string(step)
	if sentence := v.T(key); sentence != key {
		return sentence
	}
	return step.Text()
}

// FindingNext says what to do about something that is worth knowing.
func (v *view) FindingNext(r health.Reason) string {
	switch r.Code {
	case health.FirewallOff:
		return v.T("check.do_firewall")
	case health.OtherOpen, health.MappingOther:
		return v.T("check.do_other")
	default:
		return v.Next(r.Next())
	}
}

// ByButton tells whether the next step is what the button of the card does.
func (v *view) ByButton(e Exposure) bool { return e.Check && e.Report.Next == health.LookNow }

// Leads is the page on which the next step can be done; empty when it is not on a page of ours.
func (v *view) Leads(step health.Step) string {
	switch step {
	case health.AddVantage, health.CheckVantage, health.NameAddresses, health.CanaryOff:
		return "/settings/watch"
	case health.DeleteMapping:
		return "/check#mappings"
	case health.SayKnown:
		return "/check#doors"
	case health.SetUpHome:
		return "/#home-assistant"
	case health.OpenTunnel:
		return "/settings/address"
	case health.LookNow, health.WaitForLook, health.CloseForward, health.StartHome, health.AskProvider, health.UseTunnel, health.ClosePage:
	}
	return ""
}
