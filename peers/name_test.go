package peers

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

func TestNamesThatPeopleType(t *testing.T) {
	for typed, want := range map[string]string{
		"Anna's phone":                "Anna's phone",
		"  Anna \u00a0":               "Anna",
		"Zoe\u0301":                   "Zoé",
		"電話":                          "電話",
		"می\u200cخواهم":               "می\u200cخواهم",
		"👩\u200d👩\u200d👧":             "👩\u200d👩\u200d👧",
		"❤\ufe0f\u200d🔥":              "❤\ufe0f\u200d🔥",
		"\U0001faea":                  "\U0001faea", // of Unicode 17
		`"; PostUp = rm -rf /`:        `"; PostUp = rm -rf /`,
		"../../etc/passwd":            "../../etc/passwd",
		"<script>":                    "<script>",
		strings.Repeat("ä", 64):       strings.Repeat("ä", 64),
		strings.Repeat("a\u0308", 64): strings.Repeat("ä", 64),
	} {
		if got, err := cleanName(typed); err != nil || got != want {
			t.Errorf("cleanName(%q) = %q, %v; want %q", typed, got, err, want)
		}
	}
}

func TestNamesRefused(t *testing.T) {
	for typed, reason := range map[string]string{
		"":                        "is empty",
		"   ":                     "is empty",
		"\u00a0\u3000":            "is empty",
		strings.Repeat("a", 65):   "65 characters long",
		strings.Repeat("a", 1e6):  "too long",
		"a\xffb":                  "not valid UTF-8",
		"a\ufffdb":                "U+FFFD",
		"Anna\n":                  "control character U+000A",
		"Anna\r\nPostUp = reboot": "control character U+000D",
		"a\x00":                   "control character U+0000",
		"a\tb":                    "control character U+0009",
		"a\x7f":                   "control character U+007F",
		"a\u0085b":                "control character U+0085",
		"a\u2028b":                "invisible character U+2028",
		"a\u00a0b":                "invisible character U+00A0",
		"\u202eannA":              "direction character U+202E",
		"a\u2066b":                "direction character U+2066",
		"a\u200fb":                "direction character U+200F",
		"a\u200bb":                "invisible character U+200B",
		"a\ufeffb":                "invisible character U+FEFF",
		"\u3164":                  "invisible character U+3164", // a Hangul filler
		"\u2800":                  "invisible character U+2800", // an empty Braille cell
		"\u200d":                  "joiner",
		"a\u200d":                 "joiner",
		"\u200cb":                 "joiner",
		"a\u200d b":               "joiner",
		"a\u200d\u200db":          "joiner",
		"\u0301a":                 "combining mark",
		"a\ue000":                 "invisible character U+E000", // private use
		"a\U000e0041":             "invisible character U+E0041",
	} {
		got, err := cleanName(typed)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), reason) {
			t.Errorf("cleanName(%.20q) = %.20q, %v; want a refusal that says %q", typed, got, err, reason)
			continue
		}
		assertSentence(t, err)
	}
}

func TestNamesThatAreOne(t *testing.T) {
	for a, b := range map[string]string{
		"Anna":          "ANNA",
		"straße":        "STRASSE",
		"Zoé":           "zoe\u0301",
		"ＡＮＮＡ":          "anna",
		"ﬁona":          "FIONA",
		"ΣΊΣΥΦΟΣ":       "σίσυφος",
		"ᾳ":             "ΑΙ",
		"K9":            "\u212a9", // the Kelvin sign
		"می\u200cخواهم": "میخواهم",
		"❤\ufe0f":       "❤",
		"👩\u200d👧":      "👩👧",
		"Anna  phone":   "Anna phone",
	} {
		if foldName(a) != foldName(b) {
			t.Errorf("%q and %q read the same but fold to %q and %q", a, b, foldName(a), foldName(b))
		}
	}
	for a, b := range map[string]string{"Anna": "Anne", "phone1": "phone 1", "é": "e", "ı": "i"} {
		if foldName(a) == foldName(b) {
			t.Errorf("%q and %q are two names but both fold to %q", a, b, foldName(a))
		}
	}
}

// TestFoldIsFullCaseFolding holds foldName against the library's case folding:
// two characters are one to us exactly if they are one to it.
func TestFoldIsFullCaseFolding(t *testing.T) {
	library := cases.Fold()
	ours, theirs := map[string]string{}, map[string]string{}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.IsPrint(r) || unicode.Is(unicode.Variation_Selector, r) || r == ' ' {
			continue
		}
		if unicode.Is(unicode.Cherokee, r) { // the library leaves half of it as it is
			continue
		}
		c := "x" + string(r)
		our := foldName(c)
		their := library.String(norm.NFKD.String(c))
		their = norm.NFKD.String(library.String(norm.NFKD.String(their)))
		their = strings.Join(strings.FieldsFunc(their, isSpace), " ")
		if again := foldName(our); again != our {
			t.Fatalf("folding %q gives %q and folding that %q", c, our, again)
		}
		if was, ok := ours[our]; ok && was != their {
			t.Fatalf("U+%04X folds to %q like another character that the library folds apart (%q, %q)", r, our, was, their)
		}
		if was, ok := theirs[their]; ok && was != our {
			t.Fatalf("U+%04X folds to %q, apart from what the library folds together with it (%q)", r, our, was)
		}
		ours[our], theirs[their] = their, our
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{"Anna's phone", "a\nb", "\u202e", "👩\u200d👩\u200d👧", "a\xff", "", strings.Repeat("a\u0308", 70), "\u0958", "ﷺ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		name, err := cleanName(typed)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("refused %q with %v, which is not ErrInvalid", typed, err)
			}
			assertSentence(t, err)
			return
		}
		if n := utf8.RuneCountInString(name); !utf8.ValidString(name) || n < 1 || n > MaxName {
			t.Fatalf("accepted %q as %q", typed, name)
		}
		for _, r := range name {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.IsSpace(r) && r != ' ' {
				t.Fatalf("accepted %q with U+%04X", name, r)
			}
		}
		if again, err := cleanName(name); err != nil || again != name {
			t.Fatalf("%q was accepted once, then gives %q, %v", name, again, err)
		}
		if folded := foldName(name); folded == "" || foldName(folded) != folded {
			t.Fatalf("%q folds to %q, and that to %q", name, folded, foldName(folded))
		}
	})
}

// assertSentence holds an error to one line that a terminal can show.
func assertSentence(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if len(text) > 500 || !utf8.ValidString(text) {
		t.Errorf("error is %d bytes long or not UTF-8: %.100q", len(text), text)
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			t.Errorf("error has the character U+%04X in it: %q", r, text)
		}
	}
}
