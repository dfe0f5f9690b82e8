package page

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/hearthgate/hearthgate/webui/words"
)

// H is T for sentences whose values are markup of ours (a time, a name that is set apart). Other values are escaped.
func (v *view) H(key string, args ...any) template.HTML {
	return template.HTML(v.T(key, escaped(args)...))
}

func escaped(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case template.HTML:
			out[i] = string(a)
		case string:
			out[i] = template.HTMLEscapeString(a)
		default:
			out[i] = template.HTMLEscapeString(fmt.Sprint(a))
		}
	}
	return out
}

// Name sets a name apart, so that one written from right to left does not turn the sentence around it.
func (v *view) Name(name string) template.HTML {
	return template.HTML("<bdi>" + template.HTMLEscapeString(name) + "</bdi>")
}

// Said is a name for attributes and titles, where there is no markup: with the characters that isolate it (UAX #9), if it
// has anything in it that is written from right to left.
func (v *view) Said(name string) string {
	if strings.ContainsFunc(name, fromTheRight) {
		return "\u2068" + name + "\u2069"
	}
	return name
}

// fromTheRight tells whether a character is of a block that Unicode keeps for such scripts (DerivedBidiClass.txt).
func fromTheRight(r rune) bool {
	return r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfeff ||
		r >= 0x10800 && r <= 0x10fff || r >= 0x1e800 && r <= 0x1efff
}

// Tap is what an app calls something that one taps.
func (v *view) Tap(label string) template.HTML {
	return template.HTML("<strong>" + template.HTMLEscapeString(label) + "</strong>")
}

// TapIn is Tap for what the catalogue says that an app calls something. An app that does not speak the page's language is
// quoted in English, and marked so, for screen readers to say it as it is meant.
func (v *view) TapIn(key string) template.HTML {
	label, english := v.T(key), words.For(words.English).T(key)
	if label != english || v.Language() == words.English {
		return v.Tap(label)
	}
	return template.HTML(`<strong lang="en">` + template.HTMLEscapeString(label) + "</strong>")
}

// Code is text that is to be copied exactly.
func (v *view) Code(text string) template.HTML {
	return template.HTML(`<code class="break">` + template.HTMLEscapeString(text) + "</code>")
}

// Note is a notice's sentence. A name in it is set apart.
func (v *view) Note(n Notice) template.HTML {
	args := make([]any, len(n.Args))
	copy(args, n.Args)
	for i := 1; i < len(args); i += 2 {
		if name, ok := args[i].(string); ok && args[i-1] == "name" {
			args[i] = v.Name(name)
		}
	}
	return v.H(n.Key, args...)
}

// Sentence is T with the arguments as a model has them.
func (v *view) Sentence(key string, args []any) string { return v.T(key, args...) }

// ServiceName is what people call a service.
func (v *view) ServiceName(name string) string {
	switch name {
	case "home-assistant":
		return "Home Assistant"
	case "admin":
		return v.T("service.admin")
	}
	return name
}
