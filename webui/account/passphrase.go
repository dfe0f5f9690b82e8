package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of a passphrase, in characters (code points after NFC).
const (
	// MinPassphrase: with 12 characters that are not among the obvious, the 1,460 guesses a day that backoff.go leaves
	// to everybody together come to nothing in a lifetime.
	MinPassphrase = 12
	// MaxPassphrase is longer than anybody types.
	MaxPassphrase = 128

	maxPassphraseBytes = 512
)

// CheckPassphrase is a *Weak when the passphrase cannot be taken.
func CheckPassphrase(typed string) error {
	if reason := weakness(typed); reason != "" {
		return &Weak{Reason: reason}
	}
	return nil
}

func weakness(typed string) Reason {
	if len(typed) > 4*maxPassphraseBytes { // before any work is spent on it
		return TooLong
	}
	s := cleanPassphrase(typed)
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(typed) || strings.ContainsFunc(s, unreadable):
		return NotText
	case n < MinPassphrase:
		return TooShort
	case n > MaxPassphrase || len(s) > maxPassphraseBytes:
		return TooLong
	}
	return obvious(strings.ToLower(strings.ReplaceAll(s, " ", "")))
}

func unreadable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || r == utf8.RuneError
}

// cleanPassphrase makes the same text of what different keyboards send for the same passphrase: NFC, because macOS and
// Windows compose accents differently, and single spaces between words, because phones put one after a word that they
// completed. Case stays.
func cleanPassphrase(typed string) string {
	return strings.Join(strings.FieldsFunc(norm.NFC.String(typed), isSpace), " ")
}

func isSpace(r rune) bool { return unicode.Is(unicode.Zs, r) }
