package vantage

import "encoding/json"

// PhoneReport is what a browser tells of a task.
type PhoneReport struct {
	Nonce   string        `json:"nonce"`
	Results []PhoneResult `json:"results"`
}

// PhoneResult is what became of one try in one run.
type PhoneResult struct {
	Run  int       `json:"run"` // from 0
	Try  int       `json:"try"` // its place in the task
	Seen PhoneSeen `json:"seen"`
	// Message is what was read, of Message.
	Message string `json:"message,omitempty"`
}

// PhoneSeen is what a browser can tell of a try.
type PhoneSeen string

// What a browser can tell.
const (
	PhoneSilence PhoneSeen = "silence" // nothing within 13 s
	PhoneError   PhoneSeen = "error"   // refused, or no HTTP
	PhoneAnswer  PhoneSeen = "answer"  // an answer that cannot be read
	PhoneMessage PhoneSeen = "message" // one that can
)

func (s PhoneSeen) nobody() bool { return s == PhoneSilence || s == PhoneError }

// complete tells whether the report has one result for each try in each run, none twice, and none that cannot be.
func (r PhoneReport) complete(t phoneTask) bool {
	if len(r.Results) != phoneRuns*len(t.tries) {
		return false
	}
	type place struct{ run, try int }
	there := make(map[place]bool, len(r.Results))
	for _, one := range r.Results {
		at := place{one.Run, one.Try}
		inside := one.Run >= 0 && one.Run < phoneRuns && one.Try >= 0 && one.Try < len(t.tries)
		if !inside || there[at] || len(one.Message) > maxPhoneMessage || (one.Message != "") != (one.Seen == PhoneMessage) {
			return false
		}
		switch one.Seen {
		case PhoneSilence, PhoneError, PhoneAnswer, PhoneMessage:
		default:
			return false
		}
		there[at] = true
	}
	return true
}

// greeted is the version that the greeting of a Home Assistant names; empty: it is no such greeting.
func greeted(message string) string {
	var greeting struct {
		Type    string `json:"type"`
		Version string `json:"ha_version"`
	}
	if json.Unmarshal([]byte(message), &greeting) != nil || greeting.Type != "auth_required" {
		return ""
	}
	return greeting.Version
}
