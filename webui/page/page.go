// Package page turns what a page shows into HTML.
//
// It keeps true that a page is a function of its model: the same model gives the same bytes; that whatever came from people
// (names, addresses, what a browser calls itself) is text and never markup; that every sentence comes out of the
// catalogues; and that every page works without script, without inline style, and with a keyboard alone.
//
// Its nouns: a Model is what one page shows, one struct a page; the Frame is what stands around it; a Notice is a sentence
// at the top; a Problem is a catalogue key that says what was wrong with an input; an Asset is a file that pages refer to.
//
// It knows neither HTTP nor the store, asks nobody anything, and decides nothing but how things look.
package page

import (
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/webui/words"
)

// Model is what one page shows. Its name is that of its template.
type Model interface{ name() string }

// Frame is what stands around a page.
type Frame struct {
	Language words.Language
	Theme    string // "auto", "light" or "dark"
	Path     string // of this page, to mark where one is and to come back to
	SignedIn bool   // the navigation and "Sign out" are there
	Version  string
	Events   string   // URL of the event stream that the script listens to; empty: nothing on this page is live
	Types    []string // the event types on which the page is fetched again
	Reset    string   // the command that makes a new passphrase, as it is typed on this appliance
	Now      time.Time
	Notices  []Notice
}

// Notice is a sentence at the top of a page.
type Notice struct {
	Kind string // "success", "info", "warning" or "error"
	Key  string // in the catalogues
	Args []any  // name, value pairs
}

// Field is one field of a form that is carried along.
type Field struct{ Name, Value string }

// Setup is the first page of all: claiming.
type Setup struct {
	NeedsCode  bool
	Code       string // filled in, if it came with the address
	Passphrase string // the one that is offered, or what was typed
	Problem    string // catalogue key; empty: none
	Wait       time.Duration
	Until      time.Time // when the claim window closes; zero: there is none
}

// SetupShut is the first page once the claim window is over.
type SetupShut struct{}

// AlreadySetUp is for whoever comes second.
type AlreadySetUp struct {
	At   time.Time
	From string // the address of the browser that was first
}

// Address says how phones find home; part of the setup and of the settings.
type Address struct {
	Setup      bool   // it is the setup's second page
	Value      string // what was typed or is set: HOST or HOST:PORT; empty: none
	Problem    string
	Current    string // host:port that new codes carry now; empty: none
	AtHomeOnly bool   // Current works at home only
	ByFlag     bool   // --endpoint says it, so it cannot be set here
	ListenPort uint16 // UDP
	LANAddress string // of this machine, for the router's form; may be empty
}

// SignIn is the page that asks for the passphrase.
type SignIn struct {
	Next    string // where to go afterwards
	Keep    bool
	Problem string
	Wait    time.Duration // how long nothing is taken from here; 0: not held up
}

// SignInCode is the second step.
type SignInCode struct {
	Pending, Next string
	Keep          bool // carried along
	RecoveryOnly  bool // the clock is not right, so that only a recovery code can be checked
	Problem       string
	Wait          time.Duration
}

// Confirm asks for the passphrase again before a change; the form that was sent is carried along.
type Confirm struct {
	Action  string // where the form goes
	Fields  []Field
	Cancel  string // where "Cancel" leads
	Problem string
	Wait    time.Duration
}

// Failure is a page for what went wrong.
type Failure struct {
	Status int    // HTTP
	Key    string // catalogue key prefix: Key+".title" and Key+".text"
	Args   []any
	Links  []string // addresses to go to instead
	Back   string
}

// Exposure is the card with the lock.
type Exposure struct {
	Report  health.Report
	Port    uint16 // Home Assistant's; 0: unknown
	Check   bool   // somebody can look: there is a button that asks for it
	Running bool   // somebody looks now
	Offer   bool   // nobody outside is set up to look: both ways to change that are on the card
	Whole   bool   // the card stands on the page that shows everything: every reason, and no way there
}

// Remote is the card that says whether phones can reach home.
type Remote struct {
	State    string // "ready", "at_home_only", "no_endpoint"
	Endpoint string // host:port
}

// HomeAssistant is the card about Home Assistant itself.
type HomeAssistant struct {
	Phase      string // searching, found, lost, choose, changed
	Target     string // URL on the LAN
	Version    string
	Warnings   []string // codes: trusted_networks, banned, not_onboarded
	Candidates []Candidate
}

// Candidate is a Home Assistant that the owner may choose.
type Candidate struct {
	Target, Name string
	ThisMachine  bool
}

// PhoneRow is a phone in the list.
type PhoneRow struct {
	ID, Name string
	State    string // waiting, active, idle, disabled, expired, needs_enrolment
	SeenAt   time.Time
	HasCode  bool // its code can still be shown
}

// Home is the front page.
type Home struct {
	Exposure      Exposure
	Remote        Remote
	HomeAssistant HomeAssistant
	Phones        []PhoneRow
	Total, Active int
	PageNumber    int // from 1
	Pages         int
}

// ServiceChoice is a service that a phone may have.
type ServiceChoice struct {
	Name    string // home-assistant, admin, or what the owner called it
	Target  string
	Builtin bool
	Chosen  bool
}

// PhoneNew is the form that adds a phone.
type PhoneNew struct {
	Name, Expires string // Expires: "", "1d", "7d", "30d" or what was typed
	Services      []ServiceChoice
	Problem       string
	ProblemArgs   []any
}

// Scan is the page with the code.
type Scan struct {
	ID, Name                           string
	Code                               [][]bool  // dark modules, with the quiet zone (peers.QRMatrix); nil: the code is gone
	Until                              time.Time // when the code is forgotten
	FileName                           string    // of the config, without ".conf"; the tunnel's name on the phone too
	App                                string    // "iphone" or "android": which tab is open
	OnPhone                            bool      // the browser that asks runs on a phone
	State                              string    // "waiting", "late" (a minute without a packet), "connected"
	Via                                string    // once connected: "away" or "home"; empty: not known
	At                                 time.Time // of the first handshake
	URL                                string    // Home Assistant, inside the tunnel
	InviteCode                         [][]bool  // InviteLink(URL) as a code, shown once connected; nil: only the link is
	AtHomeOnly                         bool      // the endpoint in the code works at home only
	Endpoint                           string
	Admin                              bool // the phone may open this page inside the tunnel
	AdminURL                           string
	Disabled, Expired, NoHomeAssistant bool     // what the person would otherwise find out when it does not work
	Warnings                           []string // Home Assistant's, by code
}

// LinkMade shows a one-time link.
type LinkMade struct {
	ID, Name, URL string
	Until         time.Time
	State, Via    string // as in Scan
	At            time.Time
}

// LinkOpen is what a one-time link leads to, before it is spent.
type LinkOpen struct{ Name, Action string }

// LinkSpent shows the code to whoever spent the link.
type LinkSpent struct {
	Name, FileName, ConfPath string
	Code                     [][]bool
	App                      string
	OnPhone                  bool
	Until                    time.Time
	URL                      string
	AtHomeOnly               bool
}

// LinkGone is a link that is spent, too old, or never was.
type LinkGone struct{}

// Day is one day of a phone's data, in bytes.
type Day struct {
	Date           time.Time
	Received, Sent int64 // from the phone, to the phone
}

// Phone is one phone.
type Phone struct {
	ID, Name, State                 string
	CreatedAt, SeenAt, ExpiresAt    time.Time
	Via                             string // "away", "home" or ""
	Services                        []ServiceChoice
	Days                            []Day // oldest first; the last is today
	PublicKey, IPv4, IPv6, Endpoint string
	RetiresAt                       time.Time // the old code works until then; zero: none
	HasCode                         bool
	NeedsCodeForAdmin               bool
	Problem                         string // of the form that was sent last
	ProblemArgs                     []any
	ProblemForm                     string // "rename", "expiry" or "services"
	Typed                           string // what was typed there
}

// PhoneRemove asks once more.
type PhoneRemove struct{ ID, Name string }

// Settings is the list of settings.
type Settings struct {
	TwoStep           bool
	RecoveryLeft      int
	Sessions, Tokens  int
	Services          int
	Watch             bool // somebody may be set up to look from outside
	Watching          int  // how many are
	Endpoint          string
	Theme             string
	ClockSynchronised bool
	StateDir          string
}

// Passphrase changes it.
type Passphrase struct {
	Suggested, Problem string
}

// TwoStep switches two-step sign-in on or off.
type TwoStep struct {
	On           bool
	Since        time.Time
	RecoveryLeft int
	Key          string   // being set up: the key in groups of four
	Code         [][]bool // the same as a code for the authenticator app
	Problem      string
	Recovery     []string // shown once
	ClockWrong   bool
}

// Sessions lists the browsers that are signed in.
type Sessions struct{ List []SessionRow }

// SessionRow is one of them.
type SessionRow struct {
	ID                string
	From, Agent       string
	CreatedAt, SeenAt time.Time
	This              bool
}

// Tokens lists the API tokens.
type Tokens struct {
	List    []TokenRow
	Secret  string // of the one just made: shown once
	Made    string // its name
	Name    string // what was typed
	Problem string
}

// TokenRow is one of them.
type TokenRow struct {
	ID, Name            string
	Scopes              []string
	CreatedAt, LastUsed time.Time
}

// Services lists what can be reached inside the tunnel.
type Services struct {
	List                         []ServiceRow
	Name, Target, Port, Protocol string // what was typed
	Problem                      string
	ProblemArgs                  []any
}

// ServiceRow is one of them.
type ServiceRow struct {
	Name, Target, Protocol, State string // State: up, down, unknown
	Port                          uint16
	Builtin                       bool
	Phones                        int // how many have it
}

// ServiceRemove asks once more.
type ServiceRemove struct {
	Name   string
	Phones int
}

// Appearance is theme and language.
type Appearance struct{ Theme, Language string }

// Stolen is what to do when the appliance or its card was stolen.
type Stolen struct {
	Done    bool
	Phones  []PhoneRow // that need a new code; shown once it is done
	Tokens  int
	Problem string
	TwoStep bool     // its key was on the card, too
	Names   []string // of the API tokens

	HomeToken bool // that Home Assistant gave us was on the card
	Watch     bool // and what witnesses, a broker or a webhook know us by
}

// Journal shows what happened.
type Journal struct {
	Events []JournalRow
	Kind   string // the chosen filter: "", "peer", "account", ...
	Kinds  []string
	Phone  string
	Phones []PhoneRow // to choose from; only ID and Name count; nil: no choice is shown, and Phone is carried along
	Older  uint64     // sequence number to go on from; 0: none
}

// JournalRow is one event.
type JournalRow struct {
	At             time.Time
	Type, PeerName string
	Message        string // as the log has it, in English
	Data           map[string]string
}

// Portal is the page inside the tunnel.
type Portal struct {
	Name, State string
	URL         string // Home Assistant
	HomeUp      bool
	Days        []Day
	Services    []ServiceRow // what this phone may reach besides
	ServerAddr  string
	ExpiresAt   time.Time
	News        []News
	AdminURL    string
	Check       bool   // this phone can look at the home from outside
	Worker      string // URL of a script that looks by itself; empty: not now
}

// News is another phone that was added lately.
type News struct {
	Name string
	At   time.Time
}

func (Check) name() string         { return "check" }
func (MappingDelete) name() string { return "mapping_delete" }
func (Watch) name() string         { return "watch" }
func (Setup) name() string         { return "setup" }
func (SetupShut) name() string     { return "setup_shut" }
func (AlreadySetUp) name() string  { return "already_set_up" }
func (Address) name() string       { return "address" }
func (SignIn) name() string        { return "sign_in" }
func (SignInCode) name() string    { return "sign_in_code" }
func (Confirm) name() string       { return "confirm" }
func (Failure) name() string       { return "failure" }
func (Home) name() string          { return "home" }
func (PhoneNew) name() string      { return "phone_new" }
func (Scan) name() string          { return "scan" }
func (LinkMade) name() string      { return "link_made" }
func (LinkOpen) name() string      { return "link_open" }
func (LinkSpent) name() string     { return "link_spent" }
func (LinkGone) name() string      { return "link_gone" }
func (Phone) name() string         { return "phone" }
func (PhoneRemove) name() string   { return "phone_remove" }
func (Settings) name() string      { return "settings" }
func (Passphrase) name() string    { return "passphrase" }
func (TwoStep) name() string       { return "two_step" }
func (Sessions) name() string      { return "sessions" }
func (Tokens) name() string        { return "tokens" }
func (Services) name() string      { return "services" }
func (ServiceRemove) name() string { return "service_remove" }
func (Appearance) name() string    { return "appearance" }
func (Stolen) name() string        { return "stolen" }
func (Journal) name() string       { return "journal" }
func (Portal) name() string        { return "portal" }
