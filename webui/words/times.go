package words

import (
	"strconv"
	"time"
)

// Times of day are of 24 hours in every language. For English that is a choice: "14:06" is read everywhere, and the
// page does not know whether its reader lives in London or in Ohio. "3 March" for the same reason, and never 3/3.
const clock = "15:04"

const (
	day       = 24 * time.Hour
	sameYear  = 300 * day     // longer ago, "on 3 March" could be mistaken for the one to come
	lateNight = 3 * time.Hour // after midnight, "2 hours ago" is still easier than "yesterday at 23:10"
)

// Ago says in household words when something was: "just now", "4 minutes ago", "2 hours ago", "yesterday at 14:06", "on
// Tuesday at 14:06", "on 3 March". It begins in lower case, to stand inside of a sentence. The zero time is "never".
// What seems to lie ahead, because a clock was set back, is a date, or "just now" if it is less than a minute.
func (c *Catalogue) Ago(t, now time.Time) string {
	t, now = t.In(c.zone), now.In(c.zone)
	past, days := now.Sub(t), daysBetween(t, now)
	switch {
	case t.IsZero():
		return c.T("time.never")
	case past.Abs() < time.Minute:
		return c.T("time.just_now")
	case past < 0:
		return c.on(t, now)
	case past < time.Hour:
		return c.N("time.minutes_ago", int(past/time.Minute))
	case days == 0, past < lateNight:
		return c.N("time.hours_ago", int(past/time.Hour))
	case days == 1: // N, because in Spanish the hour decides: "a la 1:15" but "a las 2:15"
		return c.N("time.yesterday_at", t.Hour(), "time", c.Time(t))
	case days < 7:
		return c.N("time.weekday_at", t.Hour(), "weekday", c.T("time.weekday."+strconv.Itoa(int(t.Weekday()))), "time", c.Time(t))
	}
	return c.on(t, now)
}

// daysBetween counts midnights, not hours: both times are in one zone, whose days may have 23 or 25 hours.
func daysBetween(t, now time.Time) int {
	return int(midnight(now).Sub(midnight(t)) / day)
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func (c *Catalogue) on(t, now time.Time) string {
	if now.Sub(t).Abs() < sameYear {
		return c.T("time.on", "date", c.date("time.day_month", t))
	}
	return c.T("time.on", "date", c.Date(t))
}

// Date is a day with its year: "3 March 2026".
func (c *Catalogue) Date(t time.Time) string { return c.date("time.date", t.In(c.zone)) }

// date fills in a day. The number of the day is a plural, because the French first of a month is "1er".
func (c *Catalogue) date(key string, t time.Time) string {
	return c.T(key,
		"day", c.N("time.day", t.Day()),
		"month", c.T("time.month."+strconv.Itoa(int(t.Month()))),
		"year", t.Year())
}

// Time is a time of day: "14:06".
func (c *Catalogue) Time(t time.Time) string { return t.In(c.zone).Format(clock) }

// DateTime is a day and a time of day: "3 March 2026, 14:06".
func (c *Catalogue) DateTime(t time.Time) string {
	return c.T("time.date_time", "date", c.Date(t), "time", c.Time(t))
}

// Wait says how long something takes: "40 seconds", "12 minutes", "1 hour". It rounds up, so that nobody comes back too
// early, and stays with the smaller unit up to twice the larger one: "90 seconds", not "2 minutes". In German it is the
// nominative ("2 Tage"); a sentence needs a place for that ("noch {wait}").
func (c *Catalogue) Wait(d time.Duration) string {
	for _, u := range []struct {
		key          string
		unit, larger time.Duration
	}{
		{"time.wait_seconds", time.Second, time.Minute},
		{"time.wait_minutes", time.Minute, time.Hour},
		{"time.wait_hours", time.Hour, day},
	} {
		n := up(d, u.unit)
		if whole := n * u.unit; whole < 2*u.larger && whole != u.larger {
			return c.N(u.key, int(n))
		}
	}
	return c.N("time.wait_days", int(up(d, day)))
}

// up divides and rounds up; less than nothing is nothing.
func up(d, unit time.Duration) time.Duration {
	n := max(d, 0) / unit
	if d > n*unit {
		n++
	}
	return n
}
