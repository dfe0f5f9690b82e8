package page

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/webui/words"
)

// choice is one entry of a menu.
type choice struct {
	Value, Word string
	Chosen      bool
}

// Expiries are the choices of when access ends. What else was typed (or sent by another program) stays a choice of its own.
func (v *view) Expiries(chosen string) []choice {
	out := []choice{
		{"", v.T("expiry.none"), false},
		{"1d", v.T("expiry.day"), false},
		{"7d", v.T("expiry.week"), false},
		{"30d", v.T("expiry.month"), false},
	}
	for i := range out {
		if out[i].Value == chosen {
			out[i].Chosen = true
			return out
		}
	}
	return append(out, choice{chosen, chosen, true})
}

// PhoneExpiries are the same choices for a phone that may have an end already, which is then chosen.
func (v *view) PhoneExpiries(p Phone) []choice {
	if p.ProblemForm == "expiry" {
		return v.Expiries(p.Typed)
	}
	if p.ExpiresAt.IsZero() {
		return v.Expiries("")
	}
	set := choice{p.ExpiresAt.UTC().Format(time.RFC3339), v.DateTime(p.ExpiresAt), true}
	out := v.Expiries("")
	out[0].Chosen = false
	return append([]choice{set}, out...)
}

// Themes are the choices of how bright pages are.
func (v *view) Themes() []choice {
	var out []choice
	for _, theme := range []string{"auto", "light", "dark"} {
		out = append(out, choice{theme, v.ThemeName(theme), v.M.(Appearance).Theme == theme || theme == "auto" && v.M.(Appearance).Theme == ""})
	}
	return out
}

// ThemeName is what people call a theme.
func (v *view) ThemeName(theme string) string {
	switch theme {
	case "light":
		return v.T("appearance.light")
	case "dark":
		return v.T("appearance.dark")
	}
	return v.T("appearance.auto")
}

// LanguageChoices are the languages by their own names, after the browser's own.
func (v *view) LanguageChoices() []choice {
	chosen := v.M.(Appearance).Language
	out := []choice{{"", v.T("appearance.browser"), chosen == ""}}
	for _, l := range words.Languages() {
		out = append(out, choice{string(l), l.Name(), chosen == string(l)})
	}
	return out
}

// Scopes says what an API token may do.
func (v *view) Scopes(scopes []string) string {
	out := make([]string, 0, len(scopes))
	for _, s := range scopes {
		switch s {
		case "read", "manage", "metrics":
			s = v.T("scope." + s)
		}
		out = append(out, s)
	}
	return v.List(out)
}

// Protocol is how people write it.
func (v *view) Protocol(protocol string) string { return strings.ToUpper(protocol) }

// Address is a host and a port.
func (v *view) Address(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// Browser makes a few words out of what a browser calls itself, which no person can read. What it cannot tell it shows.
func (v *view) Browser(agent string) string {
	program, system := firstIn(agent, programs), firstIn(agent, systems)
	switch {
	case program != "" && system != "":
		return v.T("sessions.browser", "browser", program, "system", system)
	case program != "":
		return program
	case agent == "":
		return v.T("sessions.unknown")
	}
	return shortened(agent, 80)
}

// Order matters: every browser also claims to be those that came before it.
var (
	programs = [][2]string{
		{"Home Assistant", "Home Assistant"},
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser", "Samsung Internet"},
		{"Firefox", "Firefox"},
		{"FxiOS", "Firefox"},
		{"CriOS", "Chrome"},
		{"Chromium", "Chromium"},
		{"Chrome", "Chrome"},
		{"Safari", "Safari"},
	}
	systems = [][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"Windows", "Windows"},
		{"CrOS", "ChromeOS"},
		{"Mac OS X", "Mac"},
		{"Linux", "Linux"},
	}
)

func firstIn(agent string, names [][2]string) string {
	for _, n := range names {
		if strings.Contains(agent, n[0]) {
			return n[1]
		}
	}
	return ""
}

func shortened(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
