package witness

import (
	"net/netip"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// Limits of what may be asked, which both ends know.
const (
	MaxPorts     = 16 // different ports in one question
	MaxAddresses = 8  // targets in one question
	MaxNames     = 4  // host names in one question

	nonceLength   = 32
	lowestPrivate = 49152 // the first port that IANA gives to nobody (RFC 6335, section 6)
)

// Nonce is what makes one exchange or one datagram unlike any other.
type Nonce [nonceLength]byte

// hello is the caller's first message. It is padded, so that the challenge is no longer than what came in.
type hello struct {
	Key   publicKey `json:"key"` // of the guest
	Nonce Nonce     `json:"nonce"`
}

// challenge is the witness's first message. It already answers where the caller is.
type challenge struct {
	Nonce     Nonce      `json:"nonce"` // of the hello
	Challenge Nonce      `json:"challenge"`
	Address   netip.Addr `json:"address"` // of the caller
	Time      time.Time  `json:"time"`
}

// Target is one address to look at and the ports of it.
type Target struct {
	Address netip.Addr `json:"address,omitzero"` // the zero value: that of the caller
	Ports   []uint16   `json:"ports"`
}

// Question is what a caller wants to know.
type Question struct {
	Targets []Target `json:"targets"`
	Names   []string `json:"names,omitempty"` // by which a reverse proxy may know Home Assistant
	Path    uint16   `json:"path,omitempty"`  // the UDP port that gets Before and After; 0: none
	Before  Nonce    `json:"before"`
	After   Nonce    `json:"after"`
	Canary  uint16   `json:"canary,omitempty"` // a port that the caller has opened; 0: none
}

type signedQuestion struct {
	Nonce     Nonce `json:"nonce"` // of the hello
	Challenge Nonce `json:"challenge"`
	Question
}

// Answer is what the witness saw.
type Answer struct {
	Nonce     Nonce         `json:"nonce"`
	Challenge Nonce         `json:"challenge"`
	Address   netip.Addr    `json:"address"` // the caller's, which was looked at
	Family    health.Family `json:"family"`
	Vantage   netip.Addr    `json:"vantage"` // the witness's own, as it knows it: perhaps a private one behind its router
	Started   time.Time     `json:"started"`
	Ended     time.Time     `json:"ended"`
	Results   []Result      `json:"results"`
	Decoy     Result        `json:"decoy"`           // of a port that the witness chose
	Canary    Result        `json:"canary,omitzero"` // of Question.Canary
}

// Result is what was seen of one port at one address.
type Result struct {
	Address  netip.Addr     `json:"address"`
	Port     uint16         `json:"port"`
	State    health.State   `json:"state"`
	Why      health.Code    `json:"why,omitempty"`
	Attempts int            `json:"attempts"`
	RTT      int            `json:"rtt_ms,omitempty"`
	Reach    health.Control `json:"reach,omitzero"`
	Shows    []Shown        `json:"shows,omitempty"` // what the listener shows of itself, by each name
}

// Shown is a fingerprint and the name by which it was asked for; empty: by the address.
type Shown struct {
	Name string `json:"name,omitempty"`
	homeassistant.Fingerprint
}

// refusal is why the witness does not look.
type refusal struct {
	Nonce Nonce     `json:"nonce"`
	Code  Code      `json:"code"`
	Text  string    `json:"text"`
	Port  uint16    `json:"port,omitempty"`
	Again time.Time `json:"again,omitzero"`
}

// Code is why a witness refuses.
type Code string

// The codes of refusals.
const (
	NotPublic  Code = "not_public"  // the caller's address is not one of the internet
	OwnLine    Code = "own_line"    // the caller is on the witness's own line
	BadPort    Code = "bad_port"    // a port that is not on the list
	BadTarget  Code = "bad_target"  // an address outside the caller's /64
	TooMany    Code = "too_many"    // more ports, addresses or names than one question may have
	TooOften   Code = "too_often"   // a budget is used up
	TooLittle  Code = "too_little"  // the question is not padded enough for what it asks
	TooBusy    Code = "too_busy"    // two looks of this caller run already
	TooCurious Code = "too_curious" // the caller's own address was asked for too often
)

// MarshalText writes base64.
func (n Nonce) MarshalText() ([]byte, error) { return marshalBytes(n[:]), nil }

// UnmarshalText reads base64, of exactly the right length.
func (n *Nonce) UnmarshalText(text []byte) error { return unmarshalBytes(n[:], text) }
