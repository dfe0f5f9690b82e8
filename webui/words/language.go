package words

import (
	"strconv"
	"strings"
)

// Language is one of the page's languages, named by its two letters of ISO 639-1.
type Language string

// The languages that there are.
const (
	English Language = "en"
	German  Language = "de"
	French  Language = "fr"
	Dutch   Language = "nl"
	Spanish Language = "es"
)

// habits is how a language writes numbers and which of them take the singular.
type habits struct {
	name    string
	decimal string
	group   string // between thousands; no-break where it is a space
	zeroOne bool   // "0 minute" as in French
}

// From the Unicode CLDR's charts of each language.
var habitsOf = map[Language]habits{
	English: {name: "English", decimal: ".", group: ","},
	German:  {name: "Deutsch", decimal: ",", group: "."},
	French:  {name: "Français", decimal: ",", group: "\u202f", zeroOne: true},
	Dutch:   {name: "Nederlands", decimal: ",", group: "."},
	Spanish: {name: "Español", decimal: ",", group: "."},
}

// Languages lists all languages in the order in which a menu shows them: by their own names.
func Languages() []Language {
	return []Language{German, English, Spanish, French, Dutch}
}

// Name is what the language calls itself. It is empty for a language that the page does not have.
func (l Language) Name() string { return habitsOf[l].name }

// Match chooses a language: the one that the household chose, if it is one of ours, or else what the browser likes best
// (Accept-Language, RFC 9110 section 12.5.4), or else English. Both may hold anything at all. Only the language counts,
// not the country: de-AT is German.
//
// This is not golang.org/x/text/language on purpose: that carries the tables of every language there is, to find relatives
// and scripts, and none of our five stands in for another.
func Match(chosen, acceptLanguage string) Language {
	if l, ok := known(chosen); ok {
		return l
	}
	best, most := English, 0.0
	for part := range strings.SplitSeq(acceptLanguage, ",") {
		tag, params, _ := strings.Cut(part, ";")
		if l, ok := known(tag); ok {
			if q := weight(params); q > most { // of equals the first one: browsers list them in order of liking
				best, most = l, q
			}
		}
	}
	return best
}

func known(tag string) (Language, bool) {
	base, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
	l := Language(strings.ToLower(base))
	_, ok := habitsOf[l]
	return l, ok
}

// weight reads ";q=0.8" without the semicolon (RFC 9110, section 12.4.2). Nothing is 1; nonsense is 0, not acceptable.
func weight(params string) float64 {
	params = strings.TrimSpace(params)
	if params == "" {
		return 1
	}
	name, value, _ := strings.Cut(params, "=")
	q, err := strconv.ParseFloat(value, 64)
	if err != nil || !strings.EqualFold(name, "q") || !(q >= 0 && q <= 1) { // so written, it refuses NaN too
		return 0
	}
	return q
}
