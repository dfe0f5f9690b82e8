package surroundings

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
	"github.com/hearthgate/hearthgate/internal/store"
)

// Sighting is an address from which somebody outside saw this machine come.
type Sighting struct {
	From    string // who, for people
	Address netip.Addr
	At      time.Time
}

// Witness tells from where witnesses see us come.
type Witness interface {
	// LastSeen is the address in one family, as it was said last, when and by whom. It asks nobody.
	LastSeen(health.Family) (address netip.Addr, at time.Time, from string)
	// Addresses has it said anew.
	Addresses(context.Context) map[health.Family]netip.Addr
}

// Config is whom Surroundings asks. What may be nil says so.
type Config struct {
	Store  *store.Store
	Setup  func() (health.Setup, error) // health.Settings.Get
	Finder func() homeassistant.State   // homeassistant.Finder.State

	// Heard is what the LAN says by mDNS: homeassistant.Browse. nil: it is not listened to.
	Heard func(context.Context) (homeassistant.Hearsay, error)
	// Places are those at which Home Assistant says that it is. It is called only where there is a token; nil: never.
	Places func(context.Context) (homeassistant.Places, error)
	// Router is a short look at the gateway: gateway.Gateway.Glance. nil: there is none to ask.
	Router func(context.Context) (gateway.Picture, error)
	// Witness are those outside who were invited: vantage.Witness. nil: there is none.
	Witness Witness
	// Public asks public servers. It is called only where the household lets public services look. nil: never.
	Public func(context.Context, health.Family) publicaddr.Result

	// Names are host names under which the home is reached, besides the setup's; addresses among them are passed over. nil: none.
	Names func() []string
	// TunnelPrefixes are the tunnel's own networks, which are nobody's address outside. nil: none.
	TunnelPrefixes func() []netip.Prefix
	// PagePort is the TCP port of our own page; 0: none listens. nil: 0.
	PagePort func() uint16

	Dial homeassistant.Dial // nil: the machine's
	Now  func() time.Time   // nil: time.Now
	Log  *slog.Logger       // nil: none
}

// Surroundings is health.Surroundings. Make it with New, run it with Run.
type Surroundings struct {
	cfg    Config
	kernel kernel
	tell   chan struct{}

	busy    sync.Mutex // one look at a time
	asks    asks       // belongs to busy
	kept    *record    // of the last look; nil: not read yet. Belongs to busy
	written *record    // what is in the store; nil: not known. Belongs to busy
	last    time.Time  // of the last look, by the machine's clock with its monotonic reading. Belongs to busy

	mu      sync.Mutex
	shown   homeassistant.Fingerprint // what Home Assistant last showed at home
	place   place                     // where Home Assistant was at the last look
	outline outline                   // of the network, as it was last told
}

var _ health.Surroundings = (*Surroundings)(nil)

// New makes surroundings of which nothing is known yet. It asks nobody.
func New(c Config) *Surroundings {
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: dialTime}).DialContext
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Surroundings{cfg: c, kernel: theKernel(), tell: make(chan struct{}, 1)}
}

// Watch tells of changes that may make what was seen worthless, while Run runs.
func (s *Surroundings) Watch() <-chan struct{} { return s.tell }

func (s *Surroundings) changed() {
	select {
	case s.tell <- struct{}{}:
	default: // told already
	}
}
