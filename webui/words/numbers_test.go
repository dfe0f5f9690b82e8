package words

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

const nb = "\u00a0"

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		l    Language
		n    int64
		want string
	}{
		{English, 0, "0"},
		{English, 9999, "9999"},
		{English, 10000, "10,000"},
		{English, 123456, "123,456"},
		{English, 1234567, "1,234,567"},
		{English, -1234567, "-1,234,567"},
		{English, -9999, "-9999"},
		{English, math.MinInt64, "-9,223,372,036,854,775,808"},
		{German, 1234567, "1.234.567"},
		{Dutch, 1234567, "1.234.567"},
		{Spanish, 1234, "1234"},
		{French, 1234567, "1\u202f234\u202f567"},
	} {
		if got := For(c.l).Number(c.n); got != c.want {
			t.Errorf("%s: Number(%d) = %q, want %q", c.l, c.n, got, c.want)
		}
	}
}

func TestBytes(t *testing.T) {
	for _, c := range []struct {
		l    Language
		n    int64
		want string
	}{
		{English, -5, "0" + nb + "B"},
		{English, 0, "0" + nb + "B"},
		{English, 999, "999" + nb + "B"},
		{English, 1000, "1" + nb + "kB"},
		{English, 1049, "1" + nb + "kB"},
		{English, 1050, "1.1" + nb + "kB"},
		{English, 99_949, "99.9" + nb + "kB"},
		{English, 99_950, "100" + nb + "kB"},
		{English, 345_678_901, "346" + nb + "MB"},
		{English, 999_499, "999" + nb + "kB"},
		{English, 999_500, "1" + nb + "MB"},
		{English, 1_234_567_890, "1.2" + nb + "GB"},
		{English, 2_000_000_000_000, "2" + nb + "TB"},
		{English, math.MaxInt64, "9.2" + nb + "EB"},
		{German, 1_234_567_890, "1,2" + nb + "GB"},
		{Spanish, 1_234_567_890, "1,2" + nb + "GB"},
		{Dutch, 1_234_567_890, "1,2" + nb + "GB"},
		{French, 1_234_567_890, "1,2" + nb + "Go"},
		{French, 1, "1" + nb + "o"},
	} {
		if got := For(c.l).Bytes(c.n); got != c.want {
			t.Errorf("%s: Bytes(%d) = %q, want %q", c.l, c.n, got, c.want)
		}
	}
}

func TestBytesIsAlwaysShort(t *testing.T) {
	c := For(English)
	for n := int64(1); n > 0 && n < math.MaxInt64/3; n *= 3 {
		for _, m := range []int64{n - 1, n, n + 1} {
			amount, _, _ := strings.Cut(c.Bytes(m), nb)
			if digits := strings.Replace(amount, ".", "", 1); utf8.RuneCountInString(digits) > 3 {
				t.Errorf("Bytes(%d) = %q", m, c.Bytes(m))
			}
		}
	}
}

func TestList(t *testing.T) {
	for _, c := range []struct {
		l     Language
		items string
		want  string
	}{
		{English, "", ""},
		{English, "a", "a"},
		{English, "a b", "a and b"},
		{English, "a b c", "a, b, and c"},
		{English, "{b} {a} {a}", "{b}, {a}, and {a}"},
		{German, "a b c d", "a, b, c und d"},
		{French, "a b c", "a, b et c"},
		{Dutch, "a b c", "a, b en c"},
		{Spanish, "a b c", "a, b y c"},
	} {
		if got := For(c.l).List(strings.Fields(c.items)); got != c.want {
			t.Errorf("%s: List(%q) = %q, want %q", c.l, c.items, got, c.want)
		}
	}
}
