package peers

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// FileName makes the name, without ".conf", of the file in which a peer's config
// travels. It is the tunnel's name on the phone, too: Android's app imports only
// what matches [a-zA-Z0-9_=+.-]{1,15}, and wg-quick(8) wants the same. The
// result says little about scripts that it cannot spell; it is then "phone".
func FileName(name string) string {
	const longest = 15 // Linux's IFNAMSIZ less the closing zero
	var b strings.Builder
	for _, r := range norm.NFKD.String(name) {
		if spelt, ok := latin[r]; ok {
			b.WriteString(spelt)
			continue
		}
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_=+.", r)):
			b.WriteRune(r)
		case unicode.Is(unicode.M, r) || r == '\'' || r == '’' || r == zwj || r == zwnj:
			// Goes without a gap: "Zoé's" is "Zoes".
		default:
			b.WriteByte(' ')
		}
	}
	file := strings.Join(strings.Fields(b.String()), "-")
	file = strings.TrimLeft(file, ".-=+") // neither hidden nor taken for a flag
	file = strings.TrimRight(file[:min(len(file), longest)], ".-")
	if file == "" {
		return "phone"
	}
	return file
}

// latin spells the letters that have no decomposition.
var latin = map[rune]string{
	'ß': "ss", 'ẞ': "SS", 'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE", 'ø': "o", 'Ø': "O",
	'ł': "l", 'Ł': "L", 'đ': "d", 'Đ': "D", 'ð': "d", 'Ð': "D", 'þ': "th", 'Þ': "Th", 'ı': "i",
}
