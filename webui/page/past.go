package page

import (
	"html/template"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// past is one line of history.
type past struct {
	mark
	Who, From string
	First     time.Time
	Last      time.Time
	Times     int
	Reasons   []template.HTML
	Ports     []seenPorts
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
	p.From, p.Ports, p.mark = s.From, s.Ports, s.Ports[0].mark // the worst is the first
	for _, r := range e.Reasons {
		p.Reasons = append(p.Reasons, v.Because(r))
	}
	return p
}
