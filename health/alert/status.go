package alert

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Status is how the channels do that are set up.
func (a *Alerts) Status() []ChannelStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := slices.Collect(maps.Values(a.status))
	slices.SortFunc(all, func(x, y ChannelStatus) int { return strings.Compare(string(x.Channel), string(y.Channel)) })
	return all
}

// setUp notes that a channel is set up, or is not any more.
func (a *Alerts) setUp(c Channel, is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case c == reminders:
	case !is:
		delete(a.status, c)
	case a.status[c].Channel == "":
		a.status[c] = ChannelStatus{Channel: c}
	}
}

// works notes that something got through.
func (a *Alerts) works(c Channel) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status[c].Problem != "" {
		a.cfg.Log.Info("alerts get through again", "channel", c)
	}
	a.status[c] = ChannelStatus{Channel: c, Told: a.cfg.Now()}
}

// fails notes why nothing gets through, and logs it once for each cause.
func (a *Alerts) fails(c Channel, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.status[c]
	if problem := harmless(err.Error()); s.Problem != problem {
		a.cfg.Log.Warn("alert does not get through", "channel", c, "error", problem)
		s.Problem = problem
		if s.Since.IsZero() {
			s.Since = a.cfg.Now()
		}
	}
	s.Channel = c
	a.status[c] = s
}

// mostProblem is how much of an error is kept: what a receiver answers may be in it.
const mostProblem = 300

// harmless is a text without anything that a terminal obeys, and bounded.
func harmless(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > mostProblem {
		text = string(runes[:mostProblem]) + "…"
	}
	return text
}
