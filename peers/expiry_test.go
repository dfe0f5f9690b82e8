package peers

import (
	"errors"
	"testing"
	"time"
)

func TestParseExpiry(t *testing.T) {
	now := time.Date(2026, 3, 28, 23, 30, 15, 999, time.FixedZone("CET", 3600))
	for s, want := range map[string]time.Time{
		"never":                     {},
		"90m":                       time.Date(2026, 3, 29, 0, 0, 15, 0, time.UTC),
		"12h":                       time.Date(2026, 3, 29, 10, 30, 15, 0, time.UTC),
		"7d":                        time.Date(2026, 4, 4, 22, 30, 15, 0, time.UTC),
		"2w":                        time.Date(2026, 4, 11, 22, 30, 15, 0, time.UTC),
		"3650d":                     now.UTC().Truncate(time.Second).Add(3650 * 24 * time.Hour),
		"2026-05-01T12:00:00+02:00": time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC),
		"2036-03-28T22:30:15Z":      time.Date(2036, 3, 28, 22, 30, 15, 0, time.UTC),
	} {
		got, err := ParseExpiry(s, now)
		if err != nil || !got.Equal(want) {
			t.Errorf("ParseExpiry(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "d", "7", "7 d", "-7d", "+7d", "0d", "00m", "7D", "7y", "1.5h", "1d12h", "٣d", "Never", "tomorrow", "7d\n",
		"11y", "4000d", "600w", "99999999999999999999w", "9223372036854775807m",
		"2026-03-28", "2026-03-28T22:00:00Z", "1970-01-01T00:00:00Z", "2036-04-01T00:00:00Z", "9999-12-31T23:59:59Z",
	} {
		got, err := ParseExpiry(s, now)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("ParseExpiry(%q) = %v, %v; want a refusal", s, got, err)
			continue
		}
		assertSentence(t, err)
	}
}

func FuzzParseExpiry(f *testing.F) {
	for _, seed := range []string{"7d", "never", "2026-05-01T12:00:00Z", "9999999999999999w", "0m"} {
		f.Add(seed)
	}
	now := time.Date(2026, 3, 28, 23, 30, 15, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseExpiry(s, now)
		if err != nil {
			assertSentence(t, err)
			return
		}
		if !at.IsZero() && (!at.After(now) || at.After(now.AddDate(10, 0, 0))) {
			t.Fatalf("ParseExpiry(%q) = %v", s, at)
		}
		if again, err := ParseExpiry(expiryText(at), now); err != nil || !again.Equal(at) {
			t.Fatalf("%q is %s, which is read as %v, %v", s, expiryText(at), again, err)
		}
	})
}
