package peers

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxName is the longest name, in characters (code points after NFC).
const MaxName = 64

const (
	zwnj = '\u200c' // joins nothing: Persian and Indic words need it
	zwj  = '\u200d' // joins emoji into one: families, professions
)

// cleanName turns what a person typed into the name that is kept: without
// spaces around it and in NFC, so that an "é" from a phone and one from a
// laptop are the same text. What could break a line, turn the reading direction
// or not be seen at all is refused; wg-easy's CVE-2026-72603 began with a
// newline in a name.
func cleanName(typed string) (string, error) {
	if !utf8.ValidString(typed) {
		return "", invalidf("name %s is not valid UTF-8", quote(typed))
	}
	// The longest name in its longest decomposition stays far below this; what is
	// above is refused before any work is spent on it.
	if len(typed) > 4096 {
		return "", invalidf("name %s is too long: expected at most %d characters", quote(typed), MaxName)
	}
	name := norm.NFC.String(strings.TrimFunc(typed, isSpace))
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", invalidf("name %s is empty: expected 1 to %d visible characters", quote(typed), MaxName)
	case n > MaxName:
		return "", invalidf("name %s is %d characters long: expected at most %d", quote(typed), n, MaxName)
	}
	runes := []rune(name)
	for i, r := range runes {
		if why := refuseRune(runes, i); why != "" {
			return "", invalidf("name %s contains %s U+%04X: expected visible characters and plain spaces", quote(typed), why, r)
		}
	}
	return name, nil
}

// refuseRune says what is wrong with the character at i, or nothing.
func refuseRune(name []rune, i int) string {
	r := name[i]
	switch {
	case r == ' ':
		return ""
	case r == zwj || r == zwnj:
		if i == 0 || i == len(name)-1 || !isVisible(name[i-1]) || !isVisible(name[i+1]) {
			return "a joiner with nothing to join,"
		}
		return ""
	case unicode.IsControl(r):
		return "the control character"
	case unicode.Is(unicode.Bidi_Control, r):
		return "the text direction character"
	case r == utf8.RuneError:
		// What JSON decoders put where the input was not UTF-8.
		return "the mark of unreadable text,"
	case i == 0 && unicode.Is(unicode.M, r):
		return "a combining mark with no letter before it,"
	case !isVisible(r):
		return "the invisible character"
	}
	return ""
}

// isVisible holds for what leaves ink, and for marks upon it.
func isVisible(r rune) bool {
	switch {
	case r == ' ', r == '\u2800': // an empty Braille cell counts as a symbol, yet shows nothing
		return false
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r): // Hangul fillers and their like
		return false
	case r >= 0x1f000 && r <= 0x1faff:
		return true // reserved for pictographs: next year's emoji, which this Go does not know yet
	}
	return unicode.IsPrint(r)
}

// isSpace holds for what may stand around a name by accident: spaces of any
// width. Line breaks and tabs are not trimmed but refused, as control characters.
func isSpace(r rune) bool { return unicode.Is(unicode.Zs, r) }

// foldName gives what two names must differ in: they are one name when people
// would read or say them the same. Compatibility forms, case, joiners, variation
// selectors and the number of spaces do not count.
func foldName(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(name) {
		switch {
		case r == zwj || r == zwnj || unicode.Is(unicode.Variation_Selector, r):
		case r == 'ß' || r == 'ẞ':
			b.WriteString("SS")
		default:
			b.WriteRune(caseless(r))
		}
	}
	return strings.Join(strings.FieldsFunc(norm.NFKD.String(b.String()), isSpace), " ")
}

// caseless picks one of the characters that differ in case only. On decomposed
// text, this and the sharp s above are full case folding (Unicode, section 3.13);
// a test holds it against golang.org/x/text/cases, which would add 280 KB.
func caseless(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}
