package homeassistant

import (
	"strings"
	"unicode"
)

// What others say of themselves is shown to the household and written to logs, so it passes through here first.

// mostRunes is how much of a name is shown; a label in DNS has 63 bytes at most (RFC 1035, section 2.3.4).
const mostRunes = 63

// clean makes a name printable: characters that steer a terminal, that change the direction of writing, or that are
// no characters at all become U+FFFD, and what is too long is cut.
func clean(name string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.TrimSpace(name) {
		if n++; n > mostRunes {
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isUUID tells Home Assistant's instance id: 32 hexadecimal digits, in lower case.
func isUUID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// isVersion tells what Home Assistant uses for versions, such as 2026.9.1, 2026.10.0b3 and 2026.11.0.dev0.
func isVersion(s string) bool {
	return s != "" && len(s) <= 32 && unicode.IsDigit(rune(s[0])) &&
		strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyz.") == ""
}
