package account

import (
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

const (
	keptLife  = 90 * 24 * time.Hour // without use, of a browser that is to stay signed in
	shortLife = 12 * time.Hour      // without use, of any other: the household sleeps in between

	// clockSlack is how far behind the last use the clock may stand after a power cycle without anything being wrong: the
	// mark is ten minutes old at most, if there was time from the network.
	clockSlack = 20 * time.Minute
)

// life says whether a session counts.
type life int

const (
	alive  life = iota
	denied      // not by this clock, which nobody vouches for; perhaps by the right one
	over        // for good
)

// lifeOf decides by the time since this process saw the session, which no clock can change; and if it has not seen it yet,
// by the clock. A session that this process has seen neither ends because the clock jumped from 1970 to today, nor comes
// back because it jumped the other way. One from a time that has not come yet was made by a wrong clock, or now is wrong.
func (a *Account) lifeOf(r sessionRecord, now time.Time) life {
	limit := shortLife
	if r.Keep {
		limit = keptLife
	}
	a.mu.Lock()
	seen, ok := a.seen[r.ID]
	a.mu.Unlock()
	if ok {
		if time.Since(seen) < limit {
			return alive
		}
		return over
	}
	if idle := now.Sub(r.SeenAt); idle > -clockSlack && idle < limit {
		return alive
	}
	if a.config.Synchronised() {
		return over
	}
	return denied
}

func (a *Account) see(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[id] = time.Now()
}

// freshen notes that the session's passphrase has just been given. That is kept in memory only: 15 minutes are short, to
// ask once more after a restart is cheap, and so no clock can make a session fresh.
func (a *Account) freshen(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fresh[id] = time.Now()
}

// dropped forgets what is in memory about a session that has ended.
func (a *Account) dropped(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.seen, id)
	delete(a.fresh, id)
	delete(a.offers, id)
}

// dropSession removes a session.
func (a *Account) dropSession(tx *store.Tx, key, id string) error {
	tx.OnCommit(func() { a.dropped(id) })
	return store.Delete(tx, sessionBucket, key)
}
