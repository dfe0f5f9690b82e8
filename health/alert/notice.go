package alert

import (
	"maps"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// A notice is news in words. It is what a webhook gets, as JSON.
type notice struct {
	Event    News           `json:"event"`
	Verdict  health.Verdict `json:"verdict"`
	Text     string         `json:"text"` // one sentence
	Since    time.Time      `json:"since,omitzero"`
	Reasons  []reason       `json:"reasons"`
	Next     string         `json:"next,omitempty"` // what to do now
	Home     string         `json:"home,omitempty"`
	Instance string         `json:"instance"`
	At       time.Time      `json:"at"`
	Version  string         `json:"version,omitempty"`
}

type reason struct {
	Code health.Code `json:"code"`
	Text string      `json:"text"`
}

func (a *Alerts) notice(n News, r health.Report) notice {
	out := notice{
		Event: n, Verdict: r.Verdict, Text: headline(n, r.Verdict), Reasons: outward(r.Reasons), Next: r.Next.Text(),
		Home: a.cfg.Name, Instance: a.cfg.Instance, At: a.cfg.Now().UTC().Truncate(time.Second), Version: a.cfg.Version,
	}
	if !r.Since.IsZero() {
		out.Since = r.Since.UTC().Truncate(time.Second)
	}
	return out
}

func headline(n News, v health.Verdict) string {
	switch {
	case n == Exposed:
		return "Home Assistant can be reached from the internet."
	case n == StillExposed:
		return "Home Assistant can still be reached from the internet."
	case v == health.Closed:
		return "Home Assistant is closed to the internet again."
	default:
		return "Home Assistant is not seen open to the internet any more, but nobody outside has shown that it is closed."
	}
}

// outward are reasons as they may leave the house: without who looked and from which address, because that may be a phone.
func outward(reasons []health.Reason) []reason {
	out := make([]reason, 0, len(reasons))
	for _, r := range reasons {
		r.Args = maps.Clone(r.Args)
		for name, words := range map[string]string{"from": "Somebody outside", "seat": "One of those who look"} {
			if _, ok := r.Args[name]; ok {
				r.Args[name] = words
			}
		}
		if _, ok := r.Args["address"]; ok && (r.Code == health.SignInSeen || r.Code == health.WrongTarget) {
			r.Args["address"] = "an address"
		}
		out = append(out, reason{r.Code, r.Text()})
	}
	return out
}
