package health

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Code says why, in one word that stays the same in every language. The page has a sentence for each.
type Code string

// Args are what a reason speaks of: names, addresses, ports.
type Args map[string]string

// Reason is why a verdict is what it is.
type Reason struct {
	Code Code `json:"code"`
	Args Args `json:"args,omitempty"`
}

// The codes of what makes a door exposed.
const (
	SeenOpen     Code = "seen_open"      // {from} reached our Home Assistant
	Mapped       Code = "mapped"         // the router passes {external} on to Home Assistant
	HairpinOpen  Code = "hairpin_open"   // our public address, asked from inside, leads to Home Assistant
	SignInSeen   Code = "sign_in_seen"   // Home Assistant itself noticed a sign-in from {address}
	NotYetClosed Code = "not_yet_closed" // it was exposed; one closed round is not enough to say otherwise
)

// The codes of why a door is unverified: nobody looked, or what they saw does not count.
const (
	NoVantage   Code = "no_vantage"   // nothing outside is set up to look
	NotLooked   Code = "not_looked"   // the first look is yet to come
	Stale       Code = "stale"        // the last look is older than it may be
	Changed     Code = "changed"      // {what} changed since
	HomeUnknown Code = "home_unknown" // it is not known where Home Assistant is
	HomeDown    Code = "home_down"    // Home Assistant did not answer at home before or after
	HomeMoved   Code = "home_moved"   // Home Assistant changed its port or address during the round

	PublicUnknown   Code = "public_unknown"   // the public address is not known
	PublicAmbiguous Code = "public_ambiguous" // sources disagree about it
	AddressChanged  Code = "address_changed"  // it changed during the round
	WrongTarget     Code = "wrong_target"     // the vantage looked at {address}, which is not ours
	Shared          Code = "shared"           // the address belongs to several households
	NoHomeAddress   Code = "no_home_address"  // Home Assistant's IPv6 addresses are not known
	OtherPrefix     Code = "other_prefix"     // {addresses} lie in a network at which nobody may look

	PathLostBefore Code = "path_lost_before" // the test packet did not arrive, before
	PathLostAfter  Code = "path_lost_after"  // it arrived before and not after: the vantage was shut out on the way
	CanaryLost     Code = "canary_lost"      // a port that we had opened was not seen open
	CanaryNone     Code = "canary_none"      // no port could be opened for a canary, and the household wants one
	ReachBlocked   Code = "reach_blocked"    // the vantage's own network does not let packets to {port} out
	VantageInside  Code = "vantage_inside"   // the vantage stands in our own network
	PathInferred   Code = "path_inferred"    // nothing answered, and nothing shows that the probes could reach us

	SomethingAnswers Code = "something_answers" // not Home Assistant as far as one can tell
	OtherHome        Code = "other_home"        // a Home Assistant whose fingerprint is not ours
	AnswersAll       Code = "answers_all"       // a port that nobody has opened answers, too: something in between
	Neighbours       Code = "neighbours"        // our Home Assistant's like, at an address that is not ours alone
	SecondMissing    Code = "second_missing"    // {seat} has not looked, and both must
)

// The codes of why a vantage saw nothing at all; what was seen before stays.
const (
	VantageSilent   Code = "vantage_silent"   // it did not answer
	VantageBusy     Code = "vantage_busy"     // it refuses to look so often; again at {at}
	VantageRefused  Code = "vantage_refused"  // it refuses, and says {why}
	VantageUnsigned Code = "vantage_unsigned" // its answer is not signed by the key of the invite
	VantageReplayed Code = "vantage_replayed" // its answer belongs to another question
	VantageStale    Code = "vantage_stale"    // its answer is from another time
	VantageBroken   Code = "vantage_broken"   // its answer makes no sense
	PortNotAllowed  Code = "port_not_allowed" // it may not look at {port}
	NoRoute         Code = "no_route"         // it cannot be asked over this family
	FewProbes       Code = "few_probes"       // too few probes answered, or all in one network
	NotAway         Code = "not_away"         // the phone is at home, or its whole traffic goes through the tunnel
	PhoneNetwork    Code = "phone_network"    // the network that the phone is in does not let it try that port
	ReportDoubted   Code = "report_doubted"   // the phone's report does not hold together
	NothingThere    Code = "nothing_there"    // an inside source that knows nothing, which proves nothing
	NotSupported    Code = "not_supported"    // the router does not speak it
)

// The codes of how a state came about.
const (
	Connected Code = "connected"
	Refused   Code = "refused"   // a reset
	Rejected  Code = "rejected"  // an ICMP error
	NoAnswer  Code = "no_answer" // silence
)

// The codes of what is worth knowing besides.
const (
	MappingIdle    Code = "mapping_idle"  // the router has a rule for Home Assistant that leads nowhere now
	MappingInner   Code = "mapping_inner" // a rule leads to Home Assistant on a router that is not on the internet itself
	MappingOther   Code = "mapping_other" // a rule passes {external} on to {internal}
	FirewallOff    Code = "firewall_off"  // the router says that its IPv6 firewall is off
	Suspected      Code = "suspected"     // a scanner found {port} open at this address in the last weeks
	OpenReported   Code = "open_reported" // a public port check says that {port} is open
	PageOpen       Code = "page_open"     // our own page can be reached from the internet
	OtherOpen      Code = "other_open"    // {port} ({what}) is open to the internet
	CloudRemote    Code = "cloud_remote"  // Home Assistant can be reached through Nabu Casa
	RenewedByPhone Code = "renewed_by_phone"
	LoneWitness    Code = "lone_witness" // one witness, without a canary, is trusted
	ClosedBy       Code = "closed_by"    // {from} looked
)

// saying is what a code means in English, for terminals, the journal and the API, and the one next step.
type saying struct {
	text string // with {name} for arguments
	next Step
}

// Step is the one thing to do next. Its zero value: nothing.
type Step string

// The steps.
const (
	AddVantage    Step = "add_vantage"
	LookNow       Step = "look_now"
	WaitForLook   Step = "wait"
	CloseForward  Step = "remove_forward"
	DeleteMapping Step = "delete_mapping"
	SetUpHome     Step = "find_home_assistant"
	StartHome     Step = "start_home_assistant"
	OpenTunnel    Step = "open_wireguard_port"
	SayKnown      Step = "say_what_answers"
	CheckVantage  Step = "check_vantage"
	NameAddresses Step = "name_addresses"
	AskProvider   Step = "ask_provider"
	UseTunnel     Step = "use_tunnel"
	CanaryOff     Step = "canary_off"
	ClosePage     Step = "close_page"
)

var steps = map[Step]string{
	AddVantage:    "Set up somebody outside who looks: a witness of your own, or Globalping",
	LookNow:       "Check again now",
	WaitForLook:   "Nothing to do: Hearthgate looks again by itself",
	CloseForward:  "Remove the port forwarding that leads to Home Assistant in the router; phones keep working through Hearthgate",
	DeleteMapping: "Delete that mapping in the router, or let Hearthgate delete it",
	SetUpHome:     "Show Hearthgate where Home Assistant is",
	StartHome:     "Start Home Assistant, then check again",
	OpenTunnel:    "Forward the tunnel's UDP port to this machine; phones need it too",
	SayKnown:      "Find out what answers there; if it is not Home Assistant, say so on the page",
	CheckVantage:  "Look after the witness: is it running, and can it be reached?",
	NameAddresses: "Give Hearthgate a token of Home Assistant, so that it can ask for its addresses",
	AskProvider:   "Ask your internet provider for a public address of your own, or use IPv6",
	UseTunnel:     "Reach Home Assistant through Hearthgate only, and switch the other way off",
	CanaryOff:     "Let the router open ports when it is asked (UPnP), or switch the canary off",
	ClosePage:     "Remove the forwarding to Hearthgate's own page in the router",
}

// Text is the step in English.
func (s Step) Text() string { return steps[s] }

// Steps are all there are, in a fixed order.
func Steps() []Step { return slices.Sorted(maps.Keys(steps)) }

var sayings = map[Code]saying{
	SeenOpen:     {"{from} reached your Home Assistant at {address}, port {port}.", CloseForward},
	Mapped:       {"The router passes port {external} on to your Home Assistant ({internal}).", DeleteMapping},
	HairpinOpen:  {"Your public address {address}, port {port}, leads to your Home Assistant.", CloseForward},
	SignInSeen:   {"Home Assistant noticed a failed sign-in from {address}, which is on the internet.", CloseForward},
	NotYetClosed: {"It was open on {since}. It counts as closed after two looks, at least 10 minutes apart, that find nothing.", WaitForLook},

	NoVantage:   {"Nobody outside is set up to look.", AddVantage},
	NotLooked:   {"Nobody has looked from outside yet.", LookNow},
	Stale:       {"The last look from outside is too long ago to count.", LookNow},
	Changed:     {"Something changed since the last look: {what}.", LookNow},
	HomeUnknown: {"It is not known where Home Assistant is.", SetUpHome},
	HomeDown:    {"Home Assistant did not answer at home while somebody looked, so that the look proves nothing.", StartHome},
	HomeMoved:   {"Home Assistant moved while somebody looked.", LookNow},

	PublicUnknown:   {"The home's public address is not known.", LookNow},
	PublicAmbiguous: {"It is not clear what the home's public address is: {said}.", LookNow},
	AddressChanged:  {"The home's public address changed while somebody looked.", LookNow},
	WrongTarget:     {"{from} looked at {address}, which is not this home's address.", CheckVantage},
	Shared:          {"The home shares its public address with others, so that a look at it says nothing about this home.", AskProvider},
	NoHomeAddress:   {"Home Assistant's IPv6 addresses are not known, so that nobody could look at them.", NameAddresses},
	OtherPrefix:     {"Home Assistant has IPv6 addresses in a network that nobody outside may look at for us: {addresses}.", NameAddresses},

	PathLostBefore: {"The test packet from {from} to the tunnel's UDP port did not arrive, so that silence proves nothing.", OpenTunnel},
	PathLostAfter:  {"The line to {from} was cut while it looked, perhaps by a firewall that shuts out whoever tries several ports.", LookNow},
	CanaryLost:     {"{from} did not see a port that had been opened for it, so that it cannot be believed.", CheckVantage},
	CanaryNone:     {"The router would not open a port for the canary, without which nothing counts as closed here.", CanaryOff},
	ReachBlocked:   {"The network of {from} lets no packet to port {port} out, so that silence proves nothing.", CheckVantage},
	VantageInside:  {"{from} stands in this very home, so that it does not look from outside.", AddVantage},
	PathInferred:   {"{from} got no answer, but nothing shows that it could reach this home.", AddVantage},

	SomethingAnswers: {"Something answers on port {port}. It does not look like Home Assistant.", SayKnown},
	OtherHome:        {"A Home Assistant answers on port {port} that does not look like yours.", SayKnown},
	AnswersAll:       {"Every port seems to answer, even one that nobody has opened: something on the way answers instead.", AskProvider},
	Neighbours:       {"A Home Assistant answers at an address that this home shares with others; it may be a neighbour's.", AskProvider},
	SecondMissing:    {"{seat} has not seen it closed, and every witness must.", CheckVantage},

	VantageSilent:   {"{from} did not answer.", CheckVantage},
	VantageBusy:     {"{from} does not look more often; it can be asked again at {at}.", WaitForLook},
	VantageRefused:  {"{from} refused to look: {why}.", CheckVantage},
	VantageUnsigned: {"The answer of {from} is not signed with the key of its invite.", CheckVantage},
	VantageReplayed: {"The answer of {from} belongs to another question.", CheckVantage},
	VantageStale:    {"The answer of {from} is not from now.", CheckVantage},
	VantageBroken:   {"The answer of {from} makes no sense.", CheckVantage},
	PortNotAllowed:  {"{from} may not look at port {port}.", CheckVantage},
	NoRoute:         {"{from} cannot be asked over this address family.", CheckVantage},
	FewProbes:       {"Too few of the public probes looked, or all of them from one network.", LookNow},
	NotAway:         {"The phone is at home, or its whole traffic goes through the tunnel.", WaitForLook},
	PhoneNetwork:    {"The network that the phone is in does not let it try that port.", WaitForLook},
	ReportDoubted:   {"The phone's report does not hold together, so that it does not count.", WaitForLook},
	NothingThere:    {"{from} knows of nothing, which proves nothing.", ""},
	NotSupported:    {"The router does not answer that question.", ""},

	Connected: {"A connection was made.", ""},
	Refused:   {"The connection was refused.", ""},
	Rejected:  {"A router on the way said no.", ""},
	NoAnswer:  {"Nothing answered.", ""},

	MappingIdle:    {"The router has a rule for Home Assistant, port {external} to {internal}, that leads nowhere now.", DeleteMapping},
	MappingInner:   {"The router passes port {external} on to Home Assistant, but is itself behind another router.", DeleteMapping},
	MappingOther:   {"The router passes port {external} on to {internal}.", ""},
	FirewallOff:    {"The router says that its IPv6 firewall is off.", ""},
	Suspected:      {"Shodan's scanner found port {port} open at this address in the last weeks; it may have been somebody else's then.", LookNow},
	OpenReported:   {"A public port check says that port {port} is open.", LookNow},
	PageOpen:       {"Hearthgate's own page can be reached from the internet, on port {port}.", ClosePage},
	OtherOpen:      {"Port {port} ({what}) is open to the internet.", ""},
	CloudRemote:    {"Home Assistant can also be reached through Nabu Casa.", ""},
	RenewedByPhone: {"A phone that was away found nothing either, on {at}.", ""},
	LoneWitness:    {"One witness is trusted here. A second one, or the canary, would make it sure.", ""},
	ClosedBy:       {"{from} looked on {at} and found nothing.", ""},
}

// Codes are all that have a saying, in a fixed order.
func Codes() []Code { return slices.Sorted(maps.Keys(sayings)) }

// Text is the reason as an English sentence. Times in arguments, which are RFC 3339, are told in the machine's own zone.
func (r Reason) Text() string {
	text := sayings[r.Code].text
	for name, value := range r.Args {
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			value = at.Local().Format("2006-01-02 15:04")
		}
		if name == "what" && r.Code == Changed {
			value = What(Code(value))
		}
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// Next is what to do about it.
func (r Reason) Next() Step { return sayings[r.Code].next }

// because makes a reason; pairs are names and values.
func because(code Code, pairs ...string) Reason {
	r := Reason{Code: code}
	for i := 0; i+1 < len(pairs); i += 2 {
		if r.Args == nil {
			r.Args = Args{}
		}
		r.Args[pairs[i]] = pairs[i+1]
	}
	return r
}

// distinct drops what was said already, be it of another port that the sentence does not name.
func distinct(reasons []Reason) (out []Reason) {
	for _, r := range reasons {
		if !slices.ContainsFunc(out, func(s Reason) bool { return r.Code == s.Code && r.Text() == s.Text() }) {
			out = append(out, r)
		}
	}
	return out
}
