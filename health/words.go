package health

import (
	"encoding"
	"fmt"
)

// Family is an address family.
type Family string

// The families.
const (
	IPv4 Family = "ipv4"
	IPv6 Family = "ipv6"
)

// Families are both, in the order in which they are shown.
var Families = []Family{IPv4, IPv6}

// Verdict is what is said of a door, a family, or all. Its zero value is Unverified.
type Verdict int

// The verdicts.
const (
	Unverified Verdict = iota
	Closed
	Exposed
)

var verdictWords = []string{"unverified", "closed", "exposed"}

func (v Verdict) String() string {
	if v < 0 || int(v) >= len(verdictWords) {
		return verdictWords[Unverified]
	}
	return verdictWords[v]
}

// MarshalText writes the word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the word; what is none of the three is an error.
func (v *Verdict) UnmarshalText(b []byte) error { return word(v, verdictWords, b) }

var (
	_ encoding.TextMarshaler   = Verdict(0)
	_ encoding.TextUnmarshaler = (*Verdict)(nil)
)

// worse is the order in which one verdict stands for several: exposed before unverified before closed.
func (v Verdict) worse(w Verdict) bool { return v.rank() > w.rank() }

func (v Verdict) rank() int {
	switch v {
	case Closed:
		return 0
	case Exposed:
		return 2
	default:
		return 1
	}
}

// State is what became of a try at a port, in nmap's words. Its zero value is Untested.
type State int

// The states.
const (
	Untested     State = iota // nothing came of the try that says anything about the port
	PortOpen                  // a connection was made
	PortClosed                // the connection was refused
	PortFiltered              // a router on the way said no, or nobody said anything
)

var stateWords = []string{"untested", "open", "closed", "filtered"}

func (s State) String() string {
	if s < 0 || int(s) >= len(stateWords) {
		return stateWords[Untested]
	}
	return stateWords[s]
}

// MarshalText writes the word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *State) UnmarshalText(b []byte) error { return word(s, stateWords, b) }

// Identity is who answered at an open port. Its zero value is Nobody, which says nothing.
type Identity int

// The identities, the later the surer.
const (
	Nobody    Identity = iota
	Something          // somebody who is not Home Assistant as far as one can tell
	SomeHome           // a Home Assistant, and not shown to be this household's
	OurHome            // what it shows of itself equals what Home Assistant showed at home in the same round
)

var identityWords = []string{"none", "something", "some_home_assistant", "our_home_assistant"}

func (i Identity) String() string {
	if i < 0 || int(i) >= len(identityWords) {
		return identityWords[Nobody]
	}
	return identityWords[i]
}

// MarshalText writes the word.
func (i Identity) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the word.
func (i *Identity) UnmarshalText(b []byte) error { return word(i, identityWords, b) }

// Control is whether something held that shows that an observation means anything. Its zero value is NotTried.
type Control int

// The outcomes of a control.
const (
	NotTried Control = iota
	Held
	Failed
)

var controlWords = []string{"not_tried", "held", "failed"}

func (c Control) String() string {
	if c < 0 || int(c) >= len(controlWords) {
		return controlWords[NotTried]
	}
	return controlWords[c]
}

// MarshalText writes the word.
func (c Control) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the word.
func (c *Control) UnmarshalText(b []byte) error { return word(c, controlWords, b) }

// HeldIf is Held when ok and Failed when not.
func HeldIf(ok bool) Control {
	if ok {
		return Held
	}
	return Failed
}

func word[T ~int](into *T, words []string, b []byte) error {
	for i, w := range words {
		if w == string(b) {
			*into = T(i)
			return nil
		}
	}
	return fmt.Errorf("%q is none of %q", b, words)
}

// Kind is a sort of vantage.
type Kind string

// The kinds. Witness, Globalping, Phone and PortCheck look from outside; the others know something from inside.
const (
	Witness    Kind = "witness"    // our own, on a server or at a friend's
	Globalping Kind = "globalping" // public probes
	Phone      Kind = "phone"      // a peer's browser, away from home
	PortCheck  Kind = "port_check" // a public service like ifconfig.co
	Router     Kind = "router"     // the gateway's table of mappings
	Hairpin    Kind = "hairpin"    // from inside to our own public address
	InternetDB Kind = "internetdb" // what Shodan's scanner has found
	Notices    Kind = "notices"    // Home Assistant's own notices of failed sign-ins
)

// Outside tells whether the vantage looks from the internet.
func (k Kind) Outside() bool {
	switch k {
	case Witness, Globalping, Phone, PortCheck:
		return true
	default:
		return false
	}
}

// Role is why a port is looked at.
type Role string

// The roles.
const (
	RoleHome  Role = "home_assistant" // the port that Home Assistant uses, and 8123 besides
	RoleDoor  Role = "door"           // 80, 443 and 8443, behind which it often stands
	RolePage  Role = "page"           // Hearthgate's own page: open is told, as a finding of its own
	RoleOther Role = "other"          // one of the ports that betray a home, looked at weekly
)
