package health

import (
	"net/netip"
	"time"
)

// Observation is what one vantage saw of one port at one address. An untested one says why nothing was seen.
type Observation struct {
	Round string `json:"round"` // of the round that it belongs to
	Kind  Kind   `json:"vantage"`
	Seat  string `json:"seat"` // which vantage of its kind: the witness's name, the phone's peer id; else the kind
	From  string `json:"from"` // where it looked from, for people: "witness.example.org", "3 probes in DE, US"

	Family  Family     `json:"family"`
	Address netip.Addr `json:"address,omitzero"` // that was tried
	Port    uint16     `json:"port"`             // TCP; 0 where no single port is meant

	State    State    `json:"state"`
	Why      Code     `json:"why,omitempty"` // how that state came about, or why nothing was seen
	Args     Args     `json:"args,omitempty"`
	Identity Identity `json:"identity"`

	Controls Controls  `json:"controls"`
	Began    time.Time `json:"began"` // before the first packet
	At       time.Time `json:"at"`    // after the last control
}

// Controls are what shows that an observation means anything.
type Controls struct {
	HomeBefore Control `json:"home_before,omitzero"` // Home Assistant answered at home, as itself, before
	HomeAfter  Control `json:"home_after,omitzero"`
	PathBefore Control `json:"path_before,omitzero"` // an unasked-for packet from the vantage reached us before
	PathAfter  Control `json:"path_after,omitzero"`
	Canary     Control `json:"canary,omitzero"`  // a port that we had opened for it was seen open
	Reach      Control `json:"reach,omitzero"`   // packets to this very port leave the vantage's own network
	Decoy      Control `json:"decoy,omitzero"`   // a port that nobody has opened was not seen open
	Address    Control `json:"address,omitzero"` // the address was ours before and after
	Outside    Control `json:"outside,omitzero"` // the vantage is not inside our own network
}

// lifetimes say how old an observation may be and still count. Closed lives 26 hours: a day and a late round. A router is
// asked every 15 minutes; a scanner's database is a week old at best.
var lifetimes = map[Kind]time.Duration{
	Witness: 26 * time.Hour, Globalping: 26 * time.Hour, Phone: 26 * time.Hour, PortCheck: 26 * time.Hour,
	Router: time.Hour, Hairpin: 26 * time.Hour, InternetDB: 8 * 24 * time.Hour, Notices: 24 * time.Hour,
}

// maxSkew is how far in the future an observation may lie: a clock that was put right between looking and judging.
const maxSkew = 2 * time.Minute

func (o Observation) door() Door { return Door{o.Family, o.Port} }

// speaksOf tells whether it is about a family. Home Assistant's notices name callers of both, and that there is none is said once.
func (o Observation) speaksOf(f Family) bool {
	return o.Family == f || o.Kind == Notices && o.Port == 0 && !o.Address.IsValid()
}

// nothingThere tells whether the port was tried and nobody was there.
func (o Observation) nothingThere() bool { return o.State == PortClosed || o.State == PortFiltered }

// Door is one port in one family.
type Door struct {
	Family Family `json:"family"`
	Port   uint16 `json:"port"`
}
