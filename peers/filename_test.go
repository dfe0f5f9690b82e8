package peers

import (
	"regexp"
	"testing"
)

// androidName is what Android's app takes as a tunnel's name.
var androidName = regexp.MustCompile(`^[a-zA-Z0-9_=+.-]{1,15}$`)

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"Anna's phone":             "Annas-phone",
		"Anna’s phone":             "Annas-phone",
		"Zoé":                      "Zoe",
		"Jürgens Straße":           "Jurgens-Strasse",
		"Łukasz":                   "Lukasz",
		"電話":                       "phone",
		"电话 2":                     "2",
		"👩‍👧":                      "phone",
		"../../etc/passwd":         "etc-passwd",
		"-rf /":                    "rf",
		".":                        "phone",
		"The kitchen tablet (old)": "The-kitchen-tab",
		"The big kitchen  x":       "The-big-kitchen",
		"a.b":                      "a.b",
	} {
		got := FileName(name)
		if got != want {
			t.Errorf("FileName(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzFileName(f *testing.F) {
	f.Add("Anna's phone")
	f.Add("../..")
	f.Add("\xff\n")
	f.Fuzz(func(t *testing.T, name string) {
		file := FileName(name)
		if !androidName.MatchString(file) || file[0] == '.' || file[0] == '-' {
			t.Errorf("FileName(%q) = %q, which Android's app or a shell takes amiss", name, file)
		}
	})
}
