package health

import (
	"context"
	"net/netip"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// Vantage looks. There is one for each kind, however many seats it has.
type Vantage interface {
	Kind() Kind
	// Look takes part in a round and returns what it saw; what it could not see is an untested observation with its reason. It
	// returns soon after ctx ends. A vantage that is not set up returns nothing.
	Look(ctx context.Context, r Round) []Observation
	// Every is how long its observations wait for the next ones; the loop adds jitter.
	Every() time.Duration
}

// Round is one look of one or several vantages.
type Round struct {
	ID    string
	Began time.Time
	Facts Facts                     // as known when it began
	Home  homeassistant.Fingerprint // of Home Assistant at home, as the round began; zero: it did not answer
	Ports []Watched                 // to be looked at
	Asked bool                      // somebody asked for it and waits
	// Tell reports progress to whoever waits; it may be called from several goroutines. Never nil.
	Tell func(Kind, string)
	// Now is the time to stamp observations with.
	Now func() time.Time
}

// Observe makes an observation of this round that ends now: untested until its state is set.
func (r Round) Observe(kind Kind, seat, from string, family Family, address netip.Addr, port uint16) Observation {
	return Observation{
		Round: r.ID, Kind: kind, Seat: seat, From: from, Family: family, Address: address, Port: port, Began: r.Began, At: r.Now(),
	}
}

// Reached is whether Home Assistant answered at one of its addresses, asked from inside.
type Reached struct {
	Address netip.Addr
	Answers bool // as Home Assistant
	Refused bool // with a reset: nobody listens there
}
