package health

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/secret"
	"github.com/hearthgate/hearthgate/internal/store"
)

// Setup is what the household has set up: who looks, and who is told. Its zero value asks nobody outside and tells the page,
// the journal and the log only.
type Setup struct {
	Witnesses  []WitnessSeat
	Globalping bool // public probes; they learn the home's address
	PortCheck  bool // ifconfig.co
	InternetDB bool // Shodan
	Canary     bool // a port may be opened on the router for a minute, so that a look proves more
	Known      []uint16
	Names      []string // by which a reverse proxy may know Home Assistant

	HomeToken  secret.Text // of Home Assistant
	NotifyHome bool        // tell Home Assistant, which needs the token
	Webhook    secret.Text // URL that gets a POST
	MQTT       secret.Text // mqtt://user:password@host:port or mqtts://
}

// WitnessSeat is a witness that was invited. Its invite holds a key.
type WitnessSeat struct {
	Name   string
	Invite secret.Text
}

// kept is Setup as it lies in the store, which only its owner can read.
type kept struct {
	Witnesses  []keptWitness `json:"witnesses,omitempty"`
	Globalping bool          `json:"globalping,omitempty"`
	PortCheck  bool          `json:"port_check,omitempty"`
	InternetDB bool          `json:"internetdb,omitempty"`
	Canary     bool          `json:"canary,omitempty"`
	Known      []uint16      `json:"known,omitempty"`
	Names      []string      `json:"names,omitempty"`
	HomeToken  string        `json:"home_token,omitempty"`
	NotifyHome bool          `json:"notify_home,omitempty"`
	Webhook    string        `json:"webhook,omitempty"`
	MQTT       string        `json:"mqtt,omitempty"`
}

type keptWitness struct {
	Name   string `json:"name"`
	Invite string `json:"invite"`
}

// Settings keeps the Setup in the store.
type Settings struct {
	store   *store.Store
	journal *journal.Journal
	// named reads an invite, without asking anybody, and says what the witness is called.
	named func(invite string) (name string, err error)

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every change
}

// MaxWitnesses bounds how many may look.
const MaxWitnesses = 4

const (
	bucket      = "health"
	setupRecord = "setup"
	maxNames    = 4
	maxKnown    = 32
)

// NewSettings gives the settings in st. named reads an invite and says what its witness is called.
func NewSettings(st *store.Store, j *journal.Journal, named func(invite string) (string, error)) *Settings {
	return &Settings{store: st, journal: j, named: named, changed: make(chan struct{})}
}

// Get is the setup as it is.
func (s *Settings) Get() (Setup, error) {
	var k kept
	err := s.store.View(func(tx *store.Tx) (err error) {
		k, _, err = store.Get[kept](tx, bucket, setupRecord)
		return err
	})
	if err != nil {
		return Setup{}, fmt.Errorf("reading who looks and who is told: %w", err)
	}
	return k.setup(), nil
}

// Changed is closed at the next change.
func (s *Settings) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// AddWitness takes an invite. The same witness again replaces its invite.
func (s *Settings) AddWitness(invite string) (name string, err error) {
	invite = strings.TrimSpace(invite)
	if name, err = s.named(invite); err != nil {
		return "", invalid("reading the invite: %v", err)
	}
	return name, s.change(fmt.Sprintf("the witness %s looks from outside now", name), func(k *kept) error {
		k.Witnesses = slices.DeleteFunc(k.Witnesses, func(w keptWitness) bool { return w.Name == name })
		if len(k.Witnesses) >= MaxWitnesses {
			return invalid("adding the witness %s: there are %d already, which is as many as can be", name, MaxWitnesses)
		}
		k.Witnesses = append(k.Witnesses, keptWitness{name, invite})
		return nil
	})
}

// ErrNoWitness is returned when no witness has that name.
var ErrNoWitness = errors.New("there is no such witness")

// RemoveWitness forgets a witness.
func (s *Settings) RemoveWitness(name string) error {
	return s.change(fmt.Sprintf("the witness %s does not look any more", name), func(k *kept) error {
		before := len(k.Witnesses)
		k.Witnesses = slices.DeleteFunc(k.Witnesses, func(w keptWitness) bool { return w.Name == name })
		if len(k.Witnesses) == before {
			return fmt.Errorf("removing the witness %q: %w", name, ErrNoWitness)
		}
		return nil
	})
}

// A SetupChange changes what is not nil, and nothing else.
type SetupChange struct {
	Globalping, PortCheck, InternetDB, Canary, NotifyHome *bool
	Known                                                 *[]uint16
	Names                                                 *[]string
	HomeToken, Webhook, MQTT                              *string // empty takes it away
}

// Set makes a change, whole or not at all.
func (s *Settings) Set(c SetupChange) error {
	if err := c.check(); err != nil {
		return err
	}
	return s.change("who looks from outside, or who is told, was changed", func(k *kept) error {
		set(&k.Globalping, c.Globalping)
		set(&k.PortCheck, c.PortCheck)
		set(&k.InternetDB, c.InternetDB)
		set(&k.Canary, c.Canary)
		set(&k.NotifyHome, c.NotifyHome)
		set(&k.Known, c.Known)
		set(&k.Names, c.Names)
		set(&k.HomeToken, c.HomeToken)
		set(&k.Webhook, c.Webhook)
		set(&k.MQTT, c.MQTT)
		if k.HomeToken == "" && k.NotifyHome {
			return invalid("telling Home Assistant needs a token of Home Assistant; set that first")
		}
		return nil
	})
}

func set[T any](into, from *T) {
	if from != nil {
		*into = *from
	}
}

// ErrInvalid is what a value is that cannot be meant; its text is a sentence that says why.
type ErrInvalid struct{ text string }

func (e ErrInvalid) Error() string { return e.text }

func invalid(format string, args ...any) error { return ErrInvalid{fmt.Sprintf(format, args...)} }

func (c SetupChange) check() error {
	if c.Webhook != nil && *c.Webhook != "" {
		if err := checkURL(*c.Webhook, "http", "https"); err != nil {
			return err
		}
	}
	if c.MQTT != nil && *c.MQTT != "" {
		if err := checkURL(*c.MQTT, "mqtt", "mqtts"); err != nil {
			return err
		}
	}
	if c.HomeToken != nil && (len(*c.HomeToken) > 4096 || strings.ContainsAny(*c.HomeToken, " \t\r\n")) {
		return invalid("that is not a token of Home Assistant: it is one long word")
	}
	return c.checkLists()
}

func (c SetupChange) checkLists() error {
	switch {
	case c.Names != nil && len(*c.Names) > maxNames:
		return invalid("more than %d names cannot be tried", maxNames)
	case c.Known != nil && len(*c.Known) > maxKnown:
		return invalid("more than %d ports cannot be known", maxKnown)
	case c.Known != nil && slices.Contains(*c.Known, 0):
		return invalid("0 is no port")
	case c.Names == nil:
		return nil
	}
	for _, name := range *c.Names {
		if !isName(name) {
			return invalid("%q is no name by which one is known on the internet, like home.example.org", name)
		}
	}
	return nil
}

// isName tells whether s may be a host's name on the internet: letters, digits, hyphens, and a dot (RFC 1123, section 2.1).
func isName(s string) bool {
	_, err := netip.ParseAddr(s)
	odd := strings.ContainsFunc(s, func(r rune) bool {
		return r != '.' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	return err != nil && !odd && len(s) <= 253 && strings.Contains(strings.Trim(s, ".-"), ".") && !strings.Contains(s, "..")
}

// checkURL never repeats the URL, which may hold a password.
func checkURL(text string, schemes ...string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme) || len(text) > 2048 {
		return invalid("that is not an address that can be told: it begins with %s:// and names a host", strings.Join(schemes, ":// or "))
	}
	// In mqtt://anna:12/34@host the host is anna: a password that is not escaped would be looked up by name, and shown.
	brokers := strings.HasPrefix(u.Scheme, "mqtt") && (strings.Trim(u.Path, "/") != "" || u.RawQuery != "")
	if brokers || u.Fragment != "" {
		return invalid("nothing may follow the host in that address; a / ? or # in a password is written as %%2F, %%3F or %%23")
	}
	return nil
}

func (s *Settings) change(words string, do func(*kept) error) error {
	err := s.store.Update(func(tx *store.Tx) error {
		k, _, err := store.Get[kept](tx, bucket, setupRecord)
		if err != nil {
			return err
		}
		if err := do(&k); err != nil {
			return err
		}
		if err := store.Put(tx, bucket, setupRecord, k); err != nil {
			return err
		}
		return s.journal.RecordTx(tx, journal.Event{Type: journal.ExposureSetup, Message: words})
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (k kept) setup() Setup {
	s := Setup{
		Globalping: k.Globalping, PortCheck: k.PortCheck, InternetDB: k.InternetDB, Canary: k.Canary,
		Known: k.Known, Names: k.Names,
		HomeToken: secret.Of(k.HomeToken), NotifyHome: k.NotifyHome, Webhook: secret.Of(k.Webhook), MQTT: secret.Of(k.MQTT),
	}
	for _, w := range k.Witnesses {
		s.Witnesses = append(s.Witnesses, WitnessSeat{w.Name, secret.Of(w.Invite)})
	}
	return s
}
