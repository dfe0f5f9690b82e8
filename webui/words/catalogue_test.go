package words

import (
	"strings"
	"testing"
	"testing/fstest"
)

func testCatalogue(l Language) *Catalogue {
	english := map[string]string{
		"greeting": "Hello {name}", "both": "{a}{b}{a}", "only_english": "Only here, {name}",
		"phones.one": "{n} phone of {name}", "phones.other": "{n} phones of {name}",
	}
	german := map[string]string{
		"greeting": "Hallo {name}", "phones.one": "{n} Telefon von {name}", "phones.other": "{n} Telefone von {name}",
	}
	return &Catalogue{language: l, habits: habitsOf[l], sentences: german, english: english}
}

func TestT(t *testing.T) {
	c := testCatalogue(German)
	for _, s := range []struct {
		key  string
		args []any
		want string
	}{
		{"greeting", []any{"name", "Anna"}, "Hallo Anna"},
		{"greeting", []any{"name", 8123}, "Hallo 8123"},
		{"greeting", []any{"name", "{name} {x}"}, "Hallo {name} {x}"},
		{"greeting", []any{"name", "<b>"}, "Hallo <b>"},
		{"greeting", nil, "Hallo {name}"},
		{"greeting", []any{"name"}, "Hallo {name}"},
		{"greeting", []any{1, 2, "name", "Anna", "more"}, "Hallo Anna"},
		{"greeting", []any{"", "x", "name", ""}, "Hallo "},
		{"both", []any{"a", "{b}", "b", "{a}"}, "{b}{a}{b}"},
		{"only_english", []any{"name", "Anna"}, "Only here, Anna"},
		{"nowhere.{name}", []any{"name", "Anna"}, "nowhere.{name}"},
		{"", nil, ""},
	} {
		if got := c.T(s.key, s.args...); got != s.want {
			t.Errorf("T(%q, %q) = %q, want %q", s.key, s.args, got, s.want)
		}
	}
}

func TestN(t *testing.T) {
	for _, s := range []struct {
		l    Language
		n    int
		want string
	}{
		{German, 0, "0 Telefone von Anna"},
		{German, 1, "1 Telefon von Anna"},
		{German, 2, "2 Telefone von Anna"},
		{German, 12345, "12.345 Telefone von Anna"},
		{German, -1, "-1 Telefone von Anna"},
		{French, 0, "0 Telefon von Anna"}, // zero takes the singular in French
		{French, 1, "1 Telefon von Anna"},
		{French, 2, "2 Telefone von Anna"},
	} {
		if got := testCatalogue(s.l).N("phones", s.n, "name", "Anna"); got != s.want {
			t.Errorf("%s: N(%d) = %q, want %q", s.l, s.n, got, s.want)
		}
	}
}

func TestNDoesNotWriteIntoTheCallersArguments(t *testing.T) {
	args := make([]any, 2, 4)
	args[0], args[1] = "name", "Anna"
	testCatalogue(German).N("phones", 3, args...)
	if rest := args[:4]; rest[2] != nil || rest[3] != nil {
		t.Errorf("N wrote %v behind the caller's arguments", rest[2:])
	}
}

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string // part of the error; empty means that it reads
	}{
		"whole":                 {`{"a.a":"1","b.b":"2"}`, ""},
		"twice":                 {`{"a.a":"1","a.a":"2"}`, "stands there twice"},
		"nested":                {`{"a":{"b":"1"}}`, "after 0 sentences"},
		"a list":                {`["a"]`, "no JSON object"},
		"cut off":               {`{"a.a":"1"`, "ends too early"},
		"cut off in a sentence": {`{"a.a":"1`, "after 0 sentences"},
	} {
		_, err := readFile(fstest.MapFS{"nl.json": {Data: []byte(c.text)}}, "nl.json")
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v does not say %q", name, err, c.want)
		}
	}
}
