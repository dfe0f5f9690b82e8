package health

import (
	"net/netip"
	"time"
)

// Report is what is known of the household's exposure at one moment. Its zero value is unverified.
type Report struct {
	Verdict   Verdict        `json:"verdict"`
	Reasons   []Reason       `json:"reasons"`
	Next      Step           `json:"next,omitempty"`
	JudgedAt  time.Time      `json:"judged_at,omitzero"`
	CheckedAt time.Time      `json:"checked_at,omitzero"` // when somebody outside last looked; zero: never
	Until     time.Time      `json:"until,omitzero"`      // of Closed: when it runs out
	Since     time.Time      `json:"since,omitzero"`      // of Exposed: since when
	From      []string       `json:"from,omitempty"`      // who looked from outside
	Families  []FamilyReport `json:"families"`
	Findings  []Reason       `json:"findings"` // worth knowing, and no part of the verdict

	Past Past `json:"-"` // what the next Judge has to be told
}

// FamilyReport is the verdict on one family.
type FamilyReport struct {
	Family  Family       `json:"family"`
	Applies bool         `json:"applies"` // false: the household has no such address, so that there is nothing to reach
	Verdict Verdict      `json:"verdict"` // meaningless where it does not apply
	Reasons []Reason     `json:"reasons"`
	Doors   []DoorReport `json:"doors"`
}

// DoorReport is the verdict on one port in one family.
type DoorReport struct {
	Door
	Role      Role         `json:"role"`
	Verdict   Verdict      `json:"verdict"`
	Reasons   []Reason     `json:"reasons"`
	Addresses []netip.Addr `json:"addresses,omitempty"` // that were or should be looked at
	Open      bool         `json:"open"`                // somebody answers there, whoever it is
	Known     bool         `json:"known"`               // the owner said that what answers there is not Home Assistant
	CheckedAt time.Time    `json:"checked_at,omitzero"`
	Until     time.Time    `json:"until,omitzero"`
}

// Past is what stood exposed until now. It makes an exposure last until it has been seen closed twice.
type Past map[Door]Exposure

// Exposure is a door that stands exposed.
type Exposure struct {
	Since  time.Time `json:"since"`
	Last   time.Time `json:"last"`            // when it was last seen
	Reason Reason    `json:"reason"`          // how
	Kinds  []Kind    `json:"vantages"`        // who saw it
	Inside bool      `json:"inside"`          // nobody outside has seen it
	Absent time.Time `json:"absent,omitzero"` // since when there is no address of its family at which it could be reached
}
