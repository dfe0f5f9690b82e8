package peers

import (
	"strconv"
	"strings"
	"time"
)

// maxExpiryYears bounds a date. A wish for longer is "never", and a date beyond
// it is more likely a slip of the keyboard.
const maxExpiryYears = 10

// ParseExpiry reads when access ends: a number and a unit (90m, 12h, 7d, 2w)
// counted from now, a time in RFC 3339, or "never", which is the zero time. A
// day is 24 hours. Now should be the registry's (Registry.Now), which a clock
// that lost its battery does not turn back.
func ParseExpiry(s string, now time.Time) (time.Time, error) {
	if s == "never" {
		return time.Time{}, nil
	}
	at, ok := parseFromNow(s, now)
	if !ok {
		var err error
		if at, err = time.Parse(time.RFC3339, s); err != nil {
			return time.Time{}, invalidf(
				"expiry %s is not a time: expected a number and a unit such as 90m, 12h, 7d or 2w, a time such as %s, or never",
				quote(s), now.UTC().AddDate(0, 0, 7).Format(time.RFC3339))
		}
	}
	at = at.UTC().Truncate(time.Second)
	if err := checkExpiry(at, now); err != nil {
		return time.Time{}, err
	}
	return at, nil
}

// parseFromNow reads a number and a unit. A number too large for the calendar is
// held at what is surely beyond maxExpiryYears, so that it is refused as too far.
func parseFromNow(s string, now time.Time) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	unit, ok := units[s[len(s)-1]]
	digits := s[:len(s)-1]
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return time.Time{}, false
	}
	const beyond = 100 * 366 * 24 * time.Hour
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > int64(beyond/unit) {
		return now.Add(beyond), true
	}
	return now.Add(time.Duration(n) * unit), true
}

var units = map[byte]time.Duration{
	'm': time.Minute,
	'h': time.Hour,
	'd': 24 * time.Hour,
	'w': 7 * 24 * time.Hour,
}

// checkExpiry refuses a date that has passed or is too far; never (zero) is fine.
func checkExpiry(at, now time.Time) error {
	switch latest := now.AddDate(maxExpiryYears, 0, 0); {
	case at.IsZero():
		return nil
	case !at.After(now):
		return invalidf("expiry %s has passed: expected a time after %s",
			at.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case at.After(latest):
		return invalidf("expiry %s is too far: expected at most %d years from now, or never",
			at.UTC().Format(time.RFC3339), maxExpiryYears)
	}
	return nil
}
