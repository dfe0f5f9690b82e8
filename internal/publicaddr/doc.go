// Package publicaddr finds out under which address the internet sees this machine, one address family at a time.
//
// It keeps true that an address is called known only where two operators and two mechanisms, asked from here over that very
// family, named the same one and nobody named another: one server may lie or be wrong, and one mechanism may be led astray on
// the way (a captive portal answers HTTP, a resolver that the provider put in the way answers DNS, a VPN takes one route and not
// the other).
//
// Its nouns. A way is a server and a mechanism by which it tells: STUN (RFC 8489), or an HTTPS page that repeats the caller's
// address. An operator is who runs the server. Public is an address that can be a household's on the internet; the table of those
// that cannot is here, once for the whole house. What a way said is kept with its name, so that a disagreement can be shown.
//
// It asks nobody until it is asked itself, keeps nothing between two questions, and never lets an address stand for public that the
// internet does not route.
package publicaddr

import (
	"net/netip"
	"time"
)

// Family is an address family, in the words of package health.
type Family string

// The families.
const (
	IPv4 Family = "ipv4"
	IPv6 Family = "ipv6"
)

// Standing says how well the address is known, in the words of package health.
type Standing string

// The standings. The zero value is as good as Unknown.
const (
	Unknown   Standing = "unknown"
	Ambiguous Standing = "ambiguous" // the ways disagree
	Known     Standing = "known"
)

// Mechanism is how a server tells.
type Mechanism string

// The mechanisms.
const (
	STUN  Mechanism = "stun"
	HTTPS Mechanism = "https"
)

// Result is what is known of the address after asking all ways.
type Result struct {
	Addr     netip.Addr // of Known
	Standing Standing
	Said     []Said // in the order of Config.Ways
	Country  string // two letters, upper case, where a server tells in which country it sees us; a guess. Empty: nobody told
	NoRoute  bool   // this machine has no way into the internet over this family
}

// Said is what one way said.
type Said struct {
	By        string // the operator
	Mechanism Mechanism
	Addr      netip.Addr // zero: it did not say
	Odd       bool       // Addr is none that the internet routes, so that it does not count
	Err       error      // why it did not say
}

// A Way is a server and how it tells.
type Way struct {
	By        string // the operator: two ways of the same one count once
	Mechanism Mechanism
	Family    Family // empty: it tells of both
	At        string // host:port for STUN, a URL for HTTPS
}

// Config is what a Finder is made of.
type Config struct {
	Ways    []Way         // nil: Defaults
	Timeout time.Duration // for one way; 0: five seconds
	Agent   string        // User-Agent for HTTPS; empty: hearthgate
}
