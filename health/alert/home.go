package alert

import (
	"context"
	"strings"

	"github.com/hearthgate/hearthgate/health"
)

// notificationID is fixed, so that there is one notification of ours in Home Assistant at most.
const notificationID = "hearthgate_exposure"

func (a *Alerts) notification(s health.Setup) route {
	r := route{target: hashOf(HomeAssistant, "")} // there is one, and a new token is for the same people
	switch {
	case s.HomeToken.IsZero():
		return route{}
	case !s.NotifyHome:
		r.withdraw = func(ctx context.Context) error { return a.cfg.Home.Dismiss(ctx, notificationID) }
		return r
	}
	r.tell = func(ctx context.Context, n notice) error {
		return a.cfg.Home.Notify(ctx, notificationID, n.title(), n.markdown())
	}
	return r
}

func (n notice) title() string {
	if n.Event == Over {
		return "Hearthgate: no longer seen open"
	}
	return "Hearthgate: open to the internet"
}

// markdown is the notice as Home Assistant renders it.
func (n notice) markdown() string {
	var b strings.Builder
	b.WriteString("**" + escape(n.Text) + "**\n")
	if n.Event != Over {
		for _, r := range n.Reasons {
			b.WriteString("\n- " + escape(r.Text))
		}
		if n.Next != "" {
			b.WriteString("\n\n" + escape(n.Next) + ".")
		}
		if !n.Since.IsZero() {
			b.WriteString("\n\n" + escape("Since "+n.Since.Format("2006-01-02 15:04")+" UTC."))
		}
	}
	return b.String()
}

// escape makes a text mean itself in Markdown: a backslash before ASCII punctuation (CommonMark, section 2.4), which also keeps
// HTML, addresses that would become links, and Home Assistant's templates ({{...}}) from meaning anything; and no line ends.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
			continue
		case strings.ContainsRune("\\`*_{}[]()#+-.!|<>&~\"'$%,/:;=?@^", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
