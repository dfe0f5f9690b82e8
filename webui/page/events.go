package page

import (
	"html/template"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// chapter is one day of the journal.
type chapter struct {
	Day    string
	Events []eventLine
}

type eventLine struct {
	mark
	Clock, Text template.HTML
	From        string // the address of the browser, for what the account records
}

// Chapters cuts the journal into days. The rows come in order; so do the days.
func (v *view) Chapters(rows []JournalRow) []chapter {
	var out []chapter
	for _, r := range rows {
		day := v.Date(r.At)
		if len(out) == 0 || out[len(out)-1].Day != day {
			out = append(out, chapter{Day: day})
		}
		last := &out[len(out)-1]
		kind, symbol := eventLook(r.Type)
		switch verdict := r.Data["verdict"]; {
		case r.Type == "exposure.changed" && verdict == "closed":
			kind, symbol = "good", "lock"
		case r.Type == "exposure.changed" && verdict == "exposed":
			kind, symbol = "bad", "unlock"
		}
		line := eventLine{mark: mark{Kind: kind, Icon: symbol}, Clock: v.Clock(r.At), Text: v.Event(r)}
		if strings.HasPrefix(r.Type, "account.") {
			line.From = r.Data["from"]
		}
		last.Events = append(last.Events, line)
	}
	return out
}

// Event is the sentence for what happened, in the page's language; one that the catalogues do not know, or that wants a
// value which was not recorded, is shown as the log has it.
func (v *view) Event(r JournalRow) template.HTML {
	key := "journal.event." + strings.ReplaceAll(r.Type, ".", "_")
	if change := r.Data["change"]; r.Type == "peer.changed" && change != "" {
		key += "_" + v.turn(change, r.Data["to"])
	}
	if code := r.Data["code"]; r.Type == "home_assistant.warning" && code != "" {
		return template.HTML(template.HTMLEscapeString(v.Warning(code)))
	}
	switch gone := r.Data["gone"]; {
	case r.Type == "exposure.changed" && r.Data["verdict"] != "":
		return v.newVerdict(r)
	case r.Type == "mapping.deleted" && gone == "true":
		key += "_gone"
	case r.Type == "mapping.deleted" && gone != "":
		key += "_stays"
	}
	args := v.eventArgs(r)
	if sentence := v.T(key); sentence == key || wanting(sentence, args) {
		return template.HTML(template.HTMLEscapeString(firstNonEmpty(r.Message, r.Type)))
	}
	return v.H(key, args...)
}

// newVerdict is the sentence for a verdict, and for its first reason if what that speaks of was recorded.
func (v *view) newVerdict(r JournalRow) template.HTML {
	key := "journal.event.exposure_changed_" + r.Data["verdict"]
	if v.T(key) == key {
		return template.HTML(template.HTMLEscapeString(firstNonEmpty(r.Message, r.Type)))
	}
	said := v.H(key)
	reason := health.Reason{Code: health.Code(r.Data["reason"]), Args: r.Data}
	if why := "exposure.reason." + r.Data["reason"]; v.T(why) != why && !strings.Contains(reason.Text(), "{") {
		said += " " + v.Because(reason)
	}
	return said
}

// wanting tells whether a sentence has a place that nothing fills.
func wanting(sentence string, args []any) bool {
	for i := 0; i < len(args); i += 2 {
		sentence = strings.ReplaceAll(sentence, "{"+args[i].(string)+"}", "")
	}
	return strings.Contains(sentence, "{")
}

// turn names a change of a phone more closely where one word holds two: paused and resumed, an end and none.
func (v *view) turn(change, to string) string {
	switch change {
	case "disabled":
		if to == "false" {
			return "enabled"
		}
	case "expires_at", "expiry":
		if to == "never" {
			return "endless"
		}
		return "expires"
	case "services":
		if to == "" {
			return "nothing"
		}
	}
	return change
}

// eventArgs are all values that a sentence about an event may want.
func (v *view) eventArgs(r JournalRow) []any {
	var args []any
	if r.PeerName != "" {
		args = append(args, "phone", v.Name(r.PeerName))
	}
	for name, value := range r.Data {
		switch name {
		case "from", "to":
			value = v.readable(r, value)
			args = append(args, name, v.Name(value))
		case "service":
			args = append(args, name, v.Name(v.ServiceName(value)))
		default:
			args = append(args, name, v.Name(value))
		}
	}
	return args
}

// readable is an old or a new value of a phone's change as people write it.
func (v *view) readable(r JournalRow, value string) string {
	switch r.Data["change"] {
	case "services":
		names := strings.Fields(value)
		for i := range names {
			if names[i] == "admin" {
				names[i] = v.T("service.admin_within")
			} else {
				names[i] = v.ServiceName(names[i])
			}
		}
		return v.List(names)
	case "expires_at", "expiry":
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return v.DateTime(at)
		}
	}
	return value
}

func firstNonEmpty(values ...string) string {
	for _, s := range values {
		if s != "" {
			return s
		}
	}
	return ""
}

// eventLook is the kind and the icon of an event, by its type.
func eventLook(eventType string) (kind, symbol string) {
	switch eventType {
	case "peer.first_handshake", "peer.connected":
		return "good", "good"
	case "peer.disconnected":
		return "quiet", "moon"
	case "peer.expired":
		return "quiet", "calendar"
	case "exposure.changed":
		return "quiet", "unsure"
	case "exposure.reminder":
		return "bad", "unlock"
	case "mapping.deleted":
		return "quiet", "globe"
	case "account.signin_refused", "home_assistant.warning", "home_assistant.lost", "home_assistant.choose", "server.rekeyed", "account.passphrase_reset":
		return "warn", "warning"
	}
	kinds := map[string]string{"peer": "phone", "account": "key", "home_assistant": "home", "service": "services", "token": "program", "endpoint": "globe", "exposure": "lock"}
	room, _, _ := strings.Cut(eventType, ".")
	return "quiet", firstNonEmpty(kinds[room], "info")
}

// KindName is what people call a kind of events.
func (v *view) KindName(kind string) string {
	if name := v.T("journal.kind." + kind); !strings.HasPrefix(name, "journal.kind.") {
		return name
	}
	return kind
}
