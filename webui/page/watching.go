package page

import (
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// Check is the page about the check from outside: the verdict, what everybody saw, what the router passes on, the past.
type Check struct {
	Exposure Exposure
	Progress health.Progress
	Seen     []health.Observation // the newest first
	Mappings []MappingRow
	Past     []health.Entry // the newest first
	Older    uint64         // to go on from; 0: none
}

// MappingRow is a way in that the router has opened.
type MappingRow struct {
	ID, Protocol, External, Internal, Description string

	HomeAssistant, Ours, Off bool
	ExpiresAt                time.Time
}

// MappingDelete asks once more.
type MappingDelete struct {
	Mapping MappingRow
	Problem string
}

// Watch is who looks from outside and who is told.
type Watch struct {
	Witnesses []string // by name
	Full      bool     // there are as many as can be
	Lone      bool     // one witness and no canary: its word is taken

	Globalping, PortCheck, InternetDB, Canary bool
	Token, NotifyHome                         bool
	Webhook, MQTT                             Told
	Home                                      Told // Home Assistant's own notifications
	Names                                     string

	Typed       string // in the form with the problem; what is secret never comes back
	Problem     string
	ProblemForm string // "invite", "token", "webhook", "mqtt", "names" or "notify"
}

// Told is somewhere that alerts go.
type Told struct {
	Set   bool
	Host  string    // of the address; what else is in it is secret
	At    time.Time // when somebody was told last; zero: never
	Wrong bool      // it did not work
}
