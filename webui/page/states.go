package page

import (
	"html/template"
	"net/url"
	"strings"
	"time"
)

// mark is a state as pages show it: an icon, a word, and a kind that the style sheet gives a colour. The colour never
// says anything that the word does not.
type mark struct {
	Kind string // good, bad, warn, quiet or busy
	Icon string
	Word string
}

// PhoneState is the mark of a phone. An idle phone is never "offline": nothing tells it from one that is switched off.
func (v *view) PhoneState(state string) mark {
	switch state {
	case "active":
		return mark{"good", "good", v.T("state.active")}
	case "idle":
		return mark{"quiet", "moon", v.T("state.idle")}
	case "disabled":
		return mark{"quiet", "pause", v.T("state.disabled")}
	case "expired":
		return mark{"quiet", "calendar", v.T("state.expired")}
	case "needs_enrolment":
		return mark{"warn", "key", v.T("state.needs_enrolment")}
	}
	return mark{"busy", "waiting", v.T("state.waiting")}
}

// Standing is a phone's state as one says it, with the time when that says more.
func (v *view) Standing(state string, seen time.Time) template.HTML {
	if state == "idle" && !seen.IsZero() {
		return v.H("state.last_seen", "when", v.briefly(seen))
	}
	return template.HTML(template.HTMLEscapeString(v.PhoneState(state).Word))
}

// Rows are the rows of the list of phones. They are written here and not in the template, because a hundred of them take
// html/template longer than all the rest of the page.
func (v *view) Rows(phones []PhoneRow) template.HTML {
	var b strings.Builder
	b.Grow(700 * len(phones))
	next, showCode := icon("next"), v.T("home.show_code")
	for _, p := range phones {
		state, name := v.PhoneState(p.State), template.HTMLEscapeString(p.Name)
		path := template.HTMLEscapeString("/phones/" + url.PathEscape(p.ID))
		b.WriteString(`<li><a class="row" href="` + path + `"><span class="disc ` + state.Kind + `">` + string(icon(state.Icon)) +
			`</span><span class="what"><bdi class="name">` + name + `</bdi><span class="state">` + string(v.Standing(p.State, p.SeenAt)) +
			`</span></span>` + string(next) + `</a>`)
		if p.HasCode {
			b.WriteString(`<a class="aside" href="` + path + `/scan">` + showCode + `<span class="hidden"> <bdi>` + name + `</bdi></span></a>`)
		}
		b.WriteString("</li>\n")
	}
	return template.HTML(b.String())
}

// ServiceState is the mark of a service.
func (v *view) ServiceState(state string) mark {
	switch state {
	case "up":
		return mark{"good", "good", v.T("service.up")}
	case "down":
		return mark{"warn", "warning", v.T("service.down")}
	}
	return mark{"quiet", "unknown", v.T("service.unknown")}
}

// NoticeIcon is the icon of a sentence's kind.
func (v *view) NoticeIcon(kind string) string {
	switch kind {
	case "success":
		return "good"
	case "warning", "error":
		return "warning"
	}
	return "info"
}

// Warning is the sentence for what is wrong with Home Assistant, by its code.
func (v *view) Warning(code string) string {
	switch code {
	case "trusted_networks", "banned", "not_onboarded":
		return v.T("warning." + code)
	}
	return v.T("warning.other", "code", code)
}

// Here tells whether a page's path lies under another, to mark where one is.
func (v *view) Here(path string) bool {
	return v.Path == path || path != "/" && strings.HasPrefix(v.Path, path+"/") ||
		path == "/" && (strings.HasPrefix(v.Path, "/phones") || v.Path == "/check" || strings.HasPrefix(v.Path, "/check/"))
}
