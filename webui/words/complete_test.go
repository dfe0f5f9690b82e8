package words

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// identical lists the keys whose sentence is longer than one word, not counting names, and rightly the same as in English.
var identical = map[Language][]string{
	Dutch: {"scan.iphone.add", "scan.iphone.scan", "scan.iphone.import"}, // on an iPhone the app has no Dutch
}

// names stay as they are in every language, and so do the commands.
var names = regexp.MustCompile(`Home Assistant|WireGuard|Hearthgate|iPhone|Android|IPv4|IPv6|hearthgate [a-z][a-z-]*`)

var (
	placeholder = regexp.MustCompile(`\{[a-z][a-z_0-9]*\}`)
	keyForm     = regexp.MustCompile(`^[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+$`)
	number      = regexp.MustCompile(`[0-9]+`)
	entity      = regexp.MustCompile(`&#?[A-Za-z0-9]+;`)
)

func everySentence(t *testing.T, look func(t *testing.T, l Language, key, sentence string)) {
	for _, l := range Languages() {
		t.Run(string(l), func(t *testing.T) {
			sentences := shelf()[l]
			for _, key := range slices.Sorted(maps.Keys(sentences)) {
				look(t, l, key, sentences[key])
			}
		})
	}
}

func TestTheFilesCanBeRead(t *testing.T) {
	for _, l := range Languages() {
		if _, err := readFile(files, string(l)+".json"); err != nil {
			t.Error(err)
		}
	}
	if len(Keys()) < 50 {
		t.Errorf("English has only %d sentences", len(Keys()))
	}
}

func TestEveryLanguageHasEveryKey(t *testing.T) {
	english := shelf()[English]
	for _, l := range Languages() {
		sentences := shelf()[l]
		for key := range sentences {
			if _, ok := english[key]; !ok {
				t.Errorf("%s: key %q does not exist in English", l, key)
			}
		}
		for key := range english {
			if _, ok := sentences[key]; !ok {
				t.Errorf("%s: key %q is missing", l, key)
			}
		}
	}
}

// A key may end in .other without being a plural ("another phone"); it is one if it says its number.
func TestKeysAndPluralsAreWhole(t *testing.T) {
	everySentence(t, func(t *testing.T, l Language, key, sentence string) {
		if !keyForm.MatchString(key) {
			t.Errorf("key %q is not made of lower-case words with dots", key)
		}
		base, one := strings.CutSuffix(key, ".one")
		if one && shelf()[l][base+".other"] == "" {
			t.Errorf("key %q lacks its .other", key)
		}
		base, other := strings.CutSuffix(key, ".other")
		if other && strings.Contains(sentence, "{n}") && shelf()[l][base+".one"] == "" {
			t.Errorf("key %q lacks its .one", key)
		}
	})
}

func TestSentencesKeepWhatTheEnglishOneHas(t *testing.T) {
	everySentence(t, func(t *testing.T, _ Language, key, sentence string) {
		english, ok := shelf()[English][key]
		if !ok {
			return // another test says so
		}
		for what, pattern := range map[string]*regexp.Regexp{"placeholders": placeholder, "names": names} {
			got, want := found(pattern, key, sentence), found(pattern, key, english)
			if !slices.Equal(got, want) {
				t.Errorf("%s: the %s are %q, in English %q", key, what, got, want)
			}
		}
		got, want := found(number, key, withoutPlaceholders(sentence)), found(number, key, withoutPlaceholders(english))
		if !slices.Equal(got, want) && !strings.HasPrefix(key, "time.day.") { // the French first is "1er" by its {n}
			t.Errorf("%s: the numbers are %q, in English %q", key, got, want)
		}
	})
}

// found lists each match once. The singular may do without its {n}: "one phone".
func found(pattern *regexp.Regexp, key, sentence string) []string {
	all := pattern.FindAllString(sentence, -1)
	slices.Sort(all)
	all = slices.Compact(all)
	if strings.HasSuffix(key, ".one") {
		all = slices.DeleteFunc(all, func(s string) bool { return s == "{n}" || s == "1" })
	}
	return all
}

func withoutPlaceholders(sentence string) string { return placeholder.ReplaceAllString(sentence, "") }

func TestPluralsSayTheirNumber(t *testing.T) {
	everySentence(t, func(t *testing.T, l Language, key, sentence string) {
		base, other := strings.CutSuffix(key, ".other")
		_, plural := shelf()[l][base+".one"]
		timeOfDay := strings.Contains(sentence, "{time}") // there the number is an hour, told by {time}
		if other && plural && !timeOfDay && !strings.Contains(sentence, "{n}") {
			t.Errorf("%s has no {n}: %q", key, sentence)
		}
	})
}

func TestNoEnglishIsLeftOver(t *testing.T) {
	everySentence(t, func(t *testing.T, l Language, key, sentence string) {
		words := len(strings.Fields(withoutPlaceholders(names.ReplaceAllString(sentence, ""))))
		if l != English && words > 1 && sentence == shelf()[English][key] && !slices.Contains(identical[l], key) {
			t.Errorf("%s is still English: %q", key, sentence)
		}
	})
}

func TestSentencesAreCleanText(t *testing.T) {
	everySentence(t, func(t *testing.T, l Language, key, sentence string) {
		for _, fault := range faults(l, sentence) {
			if key == "list.between" && fault == edges {
				continue // it stands between others
			}
			t.Errorf("%s %s: %q", key, fault, sentence)
		}
	})
}

const edges = "begins or ends with a space, or is empty"

// quotes are a language's opening and closing marks. None of the others may appear.
var quotes = map[Language][2]string{
	English: {"“", "”"}, Dutch: {"“", "”"}, German: {"„", "“"}, French: {"«\u00a0", "\u00a0»"}, Spanish: {"«", "»"},
}

var (
	frenchSpace  = regexp.MustCompile(`[^\s\x{a0}\x{202f}][!?;:»](\s|$)|[ ][!?;:»]|«[^\x{a0}\x{202f}]`)
	abbreviation = regexp.MustCompile(`\bHA\b|\bHASS\b|\be\.g\.|\bi\.e\.`)
)

func faults(l Language, sentence string) (out []string) {
	add := func(is bool, fault string) {
		if is {
			out = append(out, fault)
		}
	}
	add(strings.TrimSpace(sentence) != sentence || sentence == "", edges)
	add(strings.Contains(sentence, "  "), "has two spaces in a row")
	add(strings.ContainsAny(sentence, "<>") || entity.MatchString(sentence), "has HTML")
	add(strings.ContainsAny(withoutPlaceholders(sentence), "{}"), "has a brace that is no placeholder")
	add(strings.Contains(sentence, "..."), "has three dots; write …")
	add(strings.ContainsAny(sentence, "'\"`´"), "has a straight or wrong quotation mark or apostrophe")
	add(strings.ContainsAny(sentence, "\n\t"), "has a line break or a tab")
	add(abbreviation.MatchString(sentence), "has an abbreviation; write it out")
	add(!quotesFit(l, sentence), fmt.Sprintf("has other quotation marks than %q", quotes[l]))
	add(l == French && frenchSpace.MatchString(sentence), "lacks a no-break space (U+00A0) before : ; ! ? or inside « »")
	add(l == Spanish && (strings.Count(sentence, "?") != strings.Count(sentence, "¿") ||
		strings.Count(sentence, "!") != strings.Count(sentence, "¡")), "lacks ¿ or ¡")
	return out
}

// quotesFit wants each opening mark followed by its closing one, and nothing left over that only others use.
func quotesFit(l Language, sentence string) bool {
	pair := quotes[l]
	for {
		before, rest, opened := strings.Cut(sentence, pair[0])
		if strings.ContainsAny(before, "“”„«»‘‚‹›") {
			return false
		}
		if !opened {
			return true
		}
		inside, after, closed := strings.Cut(rest, pair[1])
		if !closed || strings.ContainsAny(inside, "“”„«»‘‚‹›") {
			return false
		}
		sentence = after
	}
}

// The rules themselves: a test that finds nothing must be able to find something.
func TestFaultsAreFound(t *testing.T) {
	for _, c := range []struct {
		l        Language
		sentence string
		clean    bool
	}{
		{English, "It’s “closed”.", true},
		{English, "It's closed.", false},
		{English, "Wait...", false},
		{English, "Wait…", true},
		{English, "<b>Wait</b>", false},
		{English, "Tom &amp; Anna", false},
		{English, "{name", false},
		{English, "{na me}", false},
		{English, "“closed", false},
		{English, "closed”", false},
		{English, "for HA", false},
		{German, "„geschlossen“", true},
		{German, "“geschlossen”", false},
		{German, "„zu“ und „auf“", true},
		{French, "«\u00a0fermé\u00a0»", true},
		{French, "«fermé»", false},
		{French, "Fermé\u00a0?", true},
		{French, "Fermé ?", false},
		{French, "Fermé?", false},
		{French, "À {time}, sur http://x:8123/ ou 14:06", true},
		{Spanish, "¿Cerrado?", true},
		{Spanish, "Cerrado?", false},
		{Spanish, "«cerrado»", true},
		{Dutch, " dicht", false},
		{Dutch, "", false},
	} {
		if got := faults(c.l, c.sentence); (len(got) == 0) != c.clean {
			t.Errorf("faults(%s, %q) = %q, clean should be %t", c.l, c.sentence, got, c.clean)
		}
	}
}
