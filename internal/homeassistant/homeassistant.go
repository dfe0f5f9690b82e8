// Package homeassistant finds the household's Home Assistant, keeps knowing where it is, and says what is wrong with it.
//
// What it keeps true: phones' sign-ins and tokens only ever go to the Home Assistant that the household means. So an
// address is trust, and trust is pinned. The first find is taken on faith, if there is exactly one thing to take; from
// then on only the machine that was pinned is believed, at whatever address or port it shows up, and anything else is a
// question to the owner. A find needs no owner at home; a change of machine always does.
//
// Its nouns. A [Target] is a place to try: a scheme, a host and a port. A look is one round of trying, and what a target
// answered to /manifest.json is one of four words: silent, stranger, banned, itself. A machine is told by its MAC, which
// the kernel's neighbour table has after we connected; this machine is told by the address being our own. An
// announcement is what somebody on the LAN said by mDNS. A [Candidate] is a target that looks like Home Assistant, but
// looks can be copied, so that is all it is. The pin is the one that we trust: address, port, MAC, UUID. The [Phase] is
// what came of the last look: searching, found, lost, choose, changed.
//
// Where it looks: where --home-assistant says, and then nowhere else and without a pin, because the owner's word is
// above ours; else where the pin says; else on this machine, ports 8123 and then 80; else where mDNS says. "This
// machine first" holds for the first find only. A Home Assistant that appears here while the pin is on the LAN changes
// nothing as long as the pinned one answers, and needs the owner's word when it does not: otherwise whoever may open
// a port on this machine, a container say, could take the household's sign-ins over by stopping one cable.
//
// mDNS only proposes. Anybody on the LAN can say anything in it, so an announcement counts only when it comes from a
// directly connected network, names a private address on one, and something at that address passes for Home Assistant.
// And "the only one" is what we saw only if we saw all: where more is said than we listen to, there is a crowd, somebody
// may be drowning the household's own Home Assistant out, and then nothing that mDNS proposes is taken unasked.
//
// A blip is not an event: lost means two looks in vain. Nothing is looked for outside the household's networks.
//
// It never signs in, never sends a token or a password, never asks for a path that Home Assistant would count as a
// failed sign-in (nothing under /api/ but the opening of the WebSocket), and never follows a redirect to another host.
package homeassistant

import (
	"net/netip"
	"time"
)

// Phase is what came of the last look.
type Phase string

// The phases. Only in Found is it certain where Home Assistant is.
const (
	Searching Phase = "searching" // none was ever seen since the start; we keep looking
	Found     Phase = "found"
	Lost      Phase = "lost"    // it was known and does not answer; we keep looking
	Choose    Phase = "choose"  // several candidates, or a crowd, and nobody said yet which one it is
	Changed   Phase = "changed" // what answers is not the machine that we pinned; the owner must confirm
)

// Source says how we came to a target.
type Source string

// The sources.
const (
	FromFlag     Source = "flag" // --home-assistant
	FromLoopback Source = "loopback"
	FromMDNS     Source = "mdns"
	FromOwner    Source = "owner" // confirmed with Use
)

// State is what is known at the moment. It is the answer of status, and so part of the contract.
type State struct {
	Phase      Phase       `json:"phase"`
	Target     string      `json:"target,omitempty"`  // the URL where it is, or was; empty when it was never known
	Addr       string      `json:"address,omitempty"` // the same as host:port
	Version    string      `json:"version,omitempty"` // as Home Assistant says it; empty when it does not
	UUID       string      `json:"uuid,omitempty"`    // 32 hex digits from mDNS; empty when it does not announce itself
	Source     Source      `json:"source,omitempty"`
	Since      time.Time   `json:"since"` // when this phase began, or the target last changed
	Warnings   []Warning   `json:"warnings"`
	Candidates []Candidate `json:"candidates"` // what the owner may choose from, in Choose and Changed
	Reason     string      `json:"reason"`     // the state as a sentence
}

// A Candidate looks like Home Assistant. That is no proof: everything that it says of itself can be copied.
type Candidate struct {
	Target      string `json:"target"`  // URL
	Addr        string `json:"address"` // host:port
	Name        string `json:"name,omitempty"`
	UUID        string `json:"uuid,omitempty"`
	Version     string `json:"version,omitempty"`
	MAC         string `json:"mac,omitempty"` // from the kernel, not from the candidate
	ThisMachine bool   `json:"this_machine"`
	Source      Source `json:"source"`
}

// Hearsay is what came of asking the LAN once.
type Hearsay struct {
	Announcements []Announcement
	Crowded       bool // more was said than is listened to, or by one in another's name, so that one may be missing
}

// An Announcement is what one host on the LAN said by mDNS about one Home Assistant. Nothing in it is checked but that
// names are printable and that the UUID and the version have the form of such.
type Announcement struct {
	Source     netip.Addr   // who said it; link-local IPv6 with its zone
	Name       string       // the name that the household gave it, "Home" by default
	Host       string       // the host name that it says it is at
	Port       uint16       // the port that it says it serves
	Addrs      []netip.Addr // the addresses that it says the host has
	UUID       string
	Version    string
	Installing bool // the page that Home Assistant OS shows while it is still fetching Home Assistant itself
}
