package alert

import (
	"context"
	"strings"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/journal"
)

// reminder is the journal, which is always there. That the verdict changed is written by the loop; here is only the daily
// reminder.
func (a *Alerts) reminder(health.Setup) route {
	return route{
		target: hashOf(reminders, ""),
		tell: func(_ context.Context, n notice) error {
			if n.Event != StillExposed {
				return nil
			}
			codes := make([]string, 0, len(n.Reasons))
			words := []string{n.Text}
			for _, r := range n.Reasons {
				codes, words = append(codes, string(r.Code)), append(words, r.Text)
			}
			return a.cfg.Journal.Record(journal.Event{
				Type: journal.ExposureReminder, Message: strings.Join(words, " "),
				Data: map[string]string{"verdict": n.Verdict.String(), "reasons": strings.Join(codes, ","), "next": n.Next},
			})
		},
	}
}
