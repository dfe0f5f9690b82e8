package words

import (
	"testing"
	"time"
)

// berlin is two hours ahead of the times in these tests in summer; the day begins at 22:00 UTC there.
func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	out, err := time.Parse(time.DateTime, s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAgo(t *testing.T) {
	const noon = "2026-03-11 12:00:00" // a Wednesday
	for _, c := range []struct {
		l       Language
		then    string
		now     string
		want    string
		comment string
	}{
		{English, "2026-03-11 12:00:00", noon, "just now", ""},
		{English, "2026-03-11 11:59:01", noon, "just now", ""},
		{English, "2026-03-11 12:00:59", noon, "just now", "a clock a little ahead"},
		{English, "2026-03-11 11:59:00", noon, "1 minute ago", ""},
		{English, "2026-03-11 11:00:01", noon, "59 minutes ago", ""},
		{English, "2026-03-11 11:00:00", noon, "1 hour ago", ""},
		{English, "2026-03-11 00:00:00", noon, "12 hours ago", ""},
		{English, "2026-03-10 23:59:59", noon, "yesterday at 23:59", ""},
		{English, "2026-03-10 23:30:00", "2026-03-11 02:00:00", "2 hours ago", "after midnight"},
		{English, "2026-03-10 22:30:00", "2026-03-11 02:00:00", "yesterday at 22:30", ""},
		{English, "2026-03-10 00:00:00", noon, "yesterday at 00:00", ""},
		{English, "2026-03-09 23:59:00", noon, "on Monday at 23:59", ""},
		{English, "2026-03-05 00:00:00", noon, "on Thursday at 00:00", "six days"},
		{English, "2026-03-04 23:59:00", noon, "on 4 March", "the same weekday would be read as today"},
		{English, "2025-12-31 10:00:00", noon, "on 31 December", "the year needs no saying"},
		{English, "2025-03-12 10:00:00", noon, "on 12 March 2025", "it does"},
		{English, "2026-03-11 12:01:00", noon, "on 11 March", "ahead"},
		{English, "2028-03-11 12:01:00", noon, "on 11 March 2028", "far ahead"},

		{German, "2026-03-11 11:59:30", noon, "gerade eben", ""},
		{German, "2026-03-11 11:59:00", noon, "vor 1 Minute", ""},
		{German, "2026-03-11 09:00:00", noon, "vor 3 Stunden", ""},
		{German, "2026-03-10 14:06:00", noon, "gestern um 14:06 Uhr", ""},
		{German, "2026-03-08 14:06:00", noon, "am Sonntag um 14:06 Uhr", ""},
		{German, "2026-03-03 14:06:00", noon, "am 3. März", ""},
		{French, "2026-03-11 11:56:00", noon, "il y a 4 minutes", ""},
		{French, "2026-03-10 14:06:00", noon, "hier à 14:06", ""},
		{French, "2026-03-08 14:06:00", noon, "dimanche à 14:06", ""},
		{French, "2026-03-01 14:06:00", noon, "le 1er mars", ""},
		{French, "2026-02-11 14:06:00", noon, "le 11 février", ""},
		{Dutch, "2026-03-11 11:56:00", noon, "4 minuten geleden", ""},
		{Dutch, "2026-03-11 10:00:00", noon, "2 uur geleden", ""},
		{Dutch, "2026-03-10 14:06:00", noon, "gisteren om 14:06", ""},
		{Dutch, "2026-03-03 14:06:00", noon, "op 3 maart", ""},
		{Spanish, "2026-03-11 11:56:00", noon, "hace 4 minutos", ""},
		{Spanish, "2026-03-10 14:06:00", noon, "ayer a las 14:06", ""},
		{Spanish, "2026-03-10 01:06:00", noon, "ayer a la 01:06", ""},
		{Spanish, "2026-03-07 01:06:00", noon, "el sábado a la 01:06", ""},
		{Spanish, "2025-03-03 14:06:00", noon, "el 3 de marzo de 2025", ""},
	} {
		if got := For(c.l).In(time.UTC).Ago(at(t, c.then), at(t, c.now)); got != c.want {
			t.Errorf("%s: Ago(%s, %s) = %q, want %q (%s)", c.l, c.then, c.now, got, c.want, c.comment)
		}
	}
}

func TestAgoOfNothingIsNever(t *testing.T) {
	c := For(English).In(berlin(t))
	for _, now := range []time.Time{at(t, "2026-03-11 12:00:00"), {}} {
		if got := c.Ago(time.Time{}, now); got != "never" {
			t.Errorf("Ago(zero, %v) = %q", now, got)
		}
	}
}

// What counts is the calendar of the household, whatever zones the times come in.
func TestDaysAreThoseOfTheHousehold(t *testing.T) {
	c := For(English).In(berlin(t))
	now := at(t, "2026-07-10 23:00:00") // 01:00 on the 11th in Berlin
	for then, want := range map[string]string{
		"2026-07-10 12:06:00": "yesterday at 14:06",
		"2026-07-09 22:06:00": "yesterday at 00:06",
		"2026-07-09 21:06:00": "on Thursday at 23:06",
	} {
		if got := c.Ago(at(t, then), now.In(time.FixedZone("", -9*3600))); got != want {
			t.Errorf("Ago(%s) = %q, want %q", then, got, want)
		}
	}
	if got := c.DateTime(now); got != "11 July 2026, 01:00" {
		t.Errorf("DateTime = %q", got)
	}
}

// On 29 March 2026 Berlin's day had 23 hours: 27 h before 02:00 UTC of the 30th are still yesterday.
func TestAgoWhenTheClocksChange(t *testing.T) {
	c := For(English).In(berlin(t))
	if got := c.Ago(at(t, "2026-03-28 23:30:00"), at(t, "2026-03-30 02:00:00")); got != "yesterday at 00:30" {
		t.Errorf("Ago = %q", got)
	}
	if got := c.Ago(at(t, "2026-03-28 22:30:00"), at(t, "2026-03-30 02:00:00")); got != "on Saturday at 23:30" {
		t.Errorf("Ago = %q", got)
	}
}

func TestDates(t *testing.T) {
	first, third := at(t, "2026-05-01 09:05:00"), at(t, "2026-03-03 14:06:00")
	for l, want := range map[Language][2]string{
		English: {"1 May 2026, 09:05", "3 March 2026, 14:06"},
		German:  {"1. Mai 2026, 09:05", "3. März 2026, 14:06"},
		French:  {"1er mai 2026, 09:05", "3 mars 2026, 14:06"},
		Dutch:   {"1 mei 2026, 09:05", "3 maart 2026, 14:06"},
		Spanish: {"1 de mayo de 2026, 09:05", "3 de marzo de 2026, 14:06"},
	} {
		c := For(l).In(time.UTC)
		if got := [2]string{c.DateTime(first), c.DateTime(third)}; got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
		if got := c.Date(first) + ", " + c.Time(first); got != want[0] {
			t.Errorf("%s: date and time are %q, want %q", l, got, want[0])
		}
	}
}

func TestWait(t *testing.T) {
	for _, c := range []struct {
		l    Language
		wait time.Duration
		want string
	}{
		{English, -time.Hour, "0 seconds"},
		{English, 0, "0 seconds"},
		{English, 1, "1 second"},
		{English, 39*time.Second + 1, "40 seconds"},
		{English, 59*time.Second + 1, "1 minute"},
		{English, time.Minute, "1 minute"},
		{English, 61 * time.Second, "61 seconds"},
		{English, 119 * time.Second, "119 seconds"},
		{English, 120 * time.Second, "2 minutes"},
		{English, 121 * time.Second, "3 minutes"},
		{English, 15 * time.Minute, "15 minutes"},
		{English, time.Hour, "1 hour"},
		{English, 90 * time.Minute, "90 minutes"},
		{English, 2*time.Hour + time.Second, "3 hours"},
		{English, 24 * time.Hour, "1 day"},
		{English, 47 * time.Hour, "47 hours"},
		{English, 90 * 24 * time.Hour, "90 days"},
		{German, time.Second, "1 Sekunde"},
		{German, 12 * time.Minute, "12 Minuten"},
		{French, 0, "0 seconde"},
		{French, 48 * time.Hour, "2 jours"},
		{Dutch, 3 * time.Hour, "3 uur"},
		{Spanish, 24 * time.Hour, "1 día"},
	} {
		if got := For(c.l).Wait(c.wait); got != c.want {
			t.Errorf("%s: Wait(%s) = %q, want %q", c.l, c.wait, got, c.want)
		}
	}
}
