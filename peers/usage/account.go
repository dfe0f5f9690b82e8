package usage

import (
	"slices"
	"time"
)

const (
	// keepDays is how many days before today are kept besides today.
	keepDays = 30
	// keepAtMost bounds the dates of a peer where a clock that nobody vouches for makes up dates.
	keepAtMost = 40
	// recentFor is how long what was counted is taken along when the clock is set.
	recentFor = 48 * time.Hour
)

// account is what is known of one peer.
type account struct {
	settled []amount // by date
	recent  []recent // in the order of counting; their dates may yet change
	dirty   bool     // there is something to write
}

// amount is what was carried on a date, in bytes.
type amount struct {
	date           date
	received, sent int64
}

// recent is an amount and when it was last added to, by the monotonic clock.
type recent struct {
	amount
	at time.Duration
}

// each gives the account's amounts; a date may come more than once.
func (a *account) each(fn func(d date, received, sent int64)) {
	for _, m := range a.settled {
		fn(m.date, m.received, m.sent)
	}
	for _, m := range a.recent {
		fn(m.date, m.received, m.sent)
	}
}

// add counts what a sample has found.
func (a *account) add(today date, at time.Duration, c Counters) {
	a.dirty = true
	for i := range a.recent {
		if m := &a.recent[i]; m.date == today {
			m.received, m.sent, m.at = m.received+c.Received, m.sent+c.Sent, at
			return
		}
	}
	a.recent = append(a.recent, recent{amount{today, c.Received, c.Sent}, at})
}

// redate moves what is recent to the dates that dateAt gives.
func (a *account) redate(dateAt func(time.Duration) date) {
	old := a.recent
	a.recent = nil
	for _, m := range old {
		a.add(dateAt(m.at), m.at, Counters{m.received, m.sent})
	}
}

// settle gives up the difference between what is recent and what is not any more.
func (a *account) settle(now time.Duration) {
	a.recent = slices.DeleteFunc(a.recent, func(m recent) bool {
		if now-m.at < recentFor {
			return false
		}
		a.settled = merged(append(a.settled, m.amount))
		return true
	})
}

// all gives what there is to write: one amount for each date, in their order.
func (a *account) all() []amount {
	list := slices.Clone(a.settled)
	for _, m := range a.recent {
		list = append(list, m.amount)
	}
	return merged(list)
}

// prune drops days: while somebody vouches for today those beyond its window, which ends tomorrow (whoever travels may be a
// date ahead), and in any case what is furthest from it where there are too many.
func (a *account) prune(today date, vouched bool) {
	before := len(a.settled)
	if vouched {
		a.settled = slices.DeleteFunc(a.settled, func(m amount) bool { return m.date < today-keepDays || m.date > today+1 })
	}
	for len(a.settled) > keepAtMost {
		i := 0
		if last := len(a.settled) - 1; a.settled[last].date-today > today-a.settled[0].date {
			i = last
		}
		a.settled = slices.Delete(a.settled, i, i+1)
	}
	a.dirty = a.dirty || len(a.settled) < before
}

// merged gives one amount for each date, in their order.
func merged(list []amount) []amount {
	slices.SortFunc(list, func(x, y amount) int { return int(x.date) - int(y.date) })
	out := list[:0]
	for _, m := range list {
		if n := len(out); n > 0 && out[n-1].date == m.date {
			out[n-1].received += m.received
			out[n-1].sent += m.sent
			continue
		}
		out = append(out, m)
	}
	return out
}
