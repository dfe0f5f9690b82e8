package words

import (
	"slices"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name, chosen, accept string
		want                 Language
	}{
		{"nothing", "", "", English},
		{"chosen", "fr", "de", French},
		{"chosen with a country", "es-MX", "de", Spanish},
		{"chosen nonsense", "../../etc/passwd", "de", German},
		{"chosen language that there is not", "sv", "nl", Dutch},
		{"country counts for nothing", "", "de-AT", German},
		{"script neither", "", "de-Latn-CH-1996", German},
		{"capitals", "", "DE-at", German},
		{"a browser's usual", "", "nl-BE,nl;q=0.9,fr;q=0.8,en;q=0.7", Dutch},
		{"weights before order", "", "en;q=0.5, de;q=0.9", German},
		{"order among equals", "", "es;q=0.8,fr;q=0.8", Spanish},
		{"the first we have", "", "sv,da;q=0.9,de;q=0.8,en;q=0.7", German},
		{"none we have", "", "sv,da;q=0.9", English},
		{"zero is not acceptable", "", "de;q=0,fr;q=0.1", French},
		{"only zero", "", "de;q=0", English},
		{"spaces", "", " fr ; q=0.9 , de ; q=0.3 ", French},
		{"capital Q", "", "fr;Q=0.4,de;Q=0.5", German},
		{"star", "", "*", English},
		{"star after ours", "", "fr;q=0.2,*;q=0.9", French},
		{"weight above one is nonsense", "", "fr;q=9,de;q=0.1", German},
		{"weight that is no number", "", "fr;q=NaN,es;q=Inf,nl;q=-1,de;q=0.1", German},
		{"prefix of ours", "", "deutsch,e,frr", English},
		{"only separators", "", ",;,;q=,=;-,-", English},
		{"not UTF-8", "\xff", "\xff\xfe;q=\x00,es", Spanish},
		{"very long", strings.Repeat("a", 1<<16), strings.Repeat("x-", 1<<16) + ",nl", Dutch},
	} {
		if got := Match(c.chosen, c.accept); got != c.want {
			t.Errorf("%s: Match(%.40q, %.40q) = %q, want %q", c.name, c.chosen, c.accept, got, c.want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("", "de-AT,de;q=0.8,en;q=0.5")
	f.Add("fr", ";q=")
	f.Fuzz(func(t *testing.T, chosen, accept string) {
		if l := Match(chosen, accept); !slices.Contains(Languages(), l) {
			t.Errorf("Match(%q, %q) = %q", chosen, accept, l)
		}
	})
}

func TestLanguagesHaveNamesAndAreEach(t *testing.T) {
	if len(Languages()) != len(habitsOf) {
		t.Errorf("the menu has %d languages, there are %d", len(Languages()), len(habitsOf))
	}
	var shown []string
	for _, l := range Languages() {
		shown = append(shown, l.Name())
		if Match(string(l), "") != l || For(l).Language() != l {
			t.Errorf("%s cannot be chosen", l)
		}
	}
	if !slices.IsSorted(shown) || slices.Contains(shown, "") {
		t.Errorf("the menu reads %q; a menu is sorted by names and has no empty line", shown)
	}
	if For("sv").Language() != English {
		t.Error("a language that there is not is not shown in English")
	}
}
