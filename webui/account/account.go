package account

import (
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// Config is what an Account stands on. All of it must be set but what says otherwise.
type Config struct {
	Store   *store.Store
	Journal *journal.Journal
	// Now is the time to compare with, as clock.Mark.Effective gives it: it does not go back.
	Now func() time.Time
	// Synchronised says whether somebody vouches for Now, as clock.Mark.Synchronised does. While nobody does, no TOTP code
	// is taken, and nothing is removed because it is too old.
	Synchronised func() bool
	// Suggest makes a passphrase of several words, for Reset.
	Suggest func() string
	Log     *slog.Logger
	// ClaimWindow is for how long after power-on the page may be claimed without a code; 0 means that the setup code is
	// asked for, whenever it is.
	ClaimWindow time.Duration
	// Uptime is how long the machine has been on. It may be nil when ClaimWindow is 0.
	Uptime func() (time.Duration, error)
}

// Visitor is who is at the other end, as far as the connection tells.
type Visitor struct {
	// Addr is the connection's own peer address, never one that a header names. The zero value counts as one source.
	Addr netip.Addr
	// Agent is the browser's User-Agent; 200 bytes of it are kept.
	Agent string
	// Device is the device cookie; empty when there is none. One that we did not make is as none.
	Device string
}

// Account is the household's one account. Its methods may be called from several goroutines, and none of them inside a
// transaction of the store.
type Account struct {
	config  Config
	started time.Time // with Go's monotonic reading: what is short-lived is measured by it and not by the wall clock
	code    string    // the setup code
	sealKey [32]byte  // seals what a browser carries between the two steps of signing in
	hashing *hasher
	guard   *guard
	refused *refusals
	wrong   atomic.Uint64 // guesses, since the start

	mu     sync.Mutex           // guards what follows; never held while the store is asked
	seen   map[string]time.Time // by Session.ID: when this process last saw it
	fresh  map[string]time.Time // by Session.ID: when its passphrase was confirmed
	offers map[string]offer     // by Session.ID
}

// New makes the account and a setup code. It reads and starts nothing.
func New(c Config) *Account {
	a := &Account{
		config: c, started: time.Now(), code: randomDigits(codeDigits),
		hashing: newHasher(),
		seen:    make(map[string]time.Time), fresh: make(map[string]time.Time), offers: make(map[string]offer),
	}
	fillRandom(a.sealKey[:])
	a.guard = newGuard(c.Store, a.started)
	a.refused = newRefusals()
	return a
}
