package account

import (
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/hearthgate/hearthgate/internal/store"
)

// Session is a browser that is signed in.
type Session struct {
	ID          string // its public name, which is not the cookie
	CreatedAt   time.Time
	SeenAt      time.Time // to ten minutes
	ConfirmedAt time.Time // when the passphrase was last given; zero when that was before the daemon started
	From        string    // the address it was made from
	Agent       string    // the browser's User-Agent, cut
	Keep        bool      // it ends after 90 days without use, and not after 12 hours
}

const (
	sessionBucket = "sessions"
	mostSessions  = 100 // then the one that was not seen for longest ends
	agentLength   = 200

	// touchAfter is how far apart two writings of one session's last use are: an open page asks all the time, and an SD
	// card wears out.
	touchAfter = 10 * time.Minute
)

// sessionRecord is kept under the fingerprint of the cookie.
type sessionRecord struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"`
	From      string    `json:"from,omitempty"`
	Agent     string    `json:"agent,omitempty"`
	Keep      bool      `json:"keep,omitempty"`
}

// Session finds the session of a cookie, and notes that it was seen; ErrNoSession when nobody is signed in with it.
func (a *Account) Session(cookie string) (Session, error) {
	if len(cookie) != cookieLength {
		return Session{}, ErrNoSession
	}
	key, now := fingerprint(cookie), a.config.Now()
	var r sessionRecord
	err := a.config.Store.View(func(tx *store.Tx) (err error) {
		r, err = getSession(tx, key)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	if life := a.lifeOf(r, now); life != alive {
		if life == over {
			return Session{}, a.removeOver(key)
		}
		return Session{}, ErrNoSession
	}
	if err := a.touch(key, &r, now); err != nil {
		return Session{}, err
	}
	return a.session(r, now), nil
}

func getSession(tx *store.Tx, key string) (sessionRecord, error) {
	r, ok, err := store.Get[sessionRecord](tx, sessionBucket, key)
	if err == nil && !ok {
		err = ErrNoSession
	}
	return r, err
}

// touch notes the use in memory each time, and on the disk when what is there is ten minutes off, either way. A card that
// is full or broken signs nobody out.
func (a *Account) touch(key string, r *sessionRecord, now time.Time) error {
	if now.Sub(r.SeenAt).Abs() < touchAfter {
		a.see(r.ID)
		return nil
	}
	err := a.config.Store.Update(func(tx *store.Tx) error {
		current, err := getSession(tx, key)
		if err != nil { // it may have been ended meanwhile
			return err
		}
		current.SeenAt = kept(now)
		*r = current
		return store.Put(tx, sessionBucket, key, current)
	})
	if errors.Is(err, ErrNoSession) {
		return err
	}
	if err != nil {
		a.config.Log.Error("last use of a session not written", "error", err)
	}
	a.see(r.ID)
	return nil
}

// openSession makes a session and the two cookies, which are new whatever the browser sent.
func (a *Account) openSession(tx *store.Tx, v Visitor, keep bool, now time.Time) (SignedIn, error) {
	if err := a.sweepTx(tx, now); err != nil {
		return SignedIn{}, err
	}
	err := makeRoom(tx, sessionBucket, mostSessions, func(r sessionRecord) time.Time { return r.SeenAt },
		func(key string, r sessionRecord) error { return a.dropSession(tx, key, r.ID) })
	if err != nil {
		return SignedIn{}, err
	}
	device, err := a.newDevice(tx, v.Device, now)
	if err != nil {
		return SignedIn{}, err
	}
	cookie := randomCookie()
	r := sessionRecord{
		ID: randomID(), CreatedAt: kept(now), SeenAt: kept(now), From: v.from(), Agent: cutAgent(v.Agent), Keep: keep,
	}
	tx.OnCommit(func() {
		a.see(r.ID)
		a.freshen(r.ID)
	})
	s := a.session(r, now)
	s.ConfirmedAt = r.CreatedAt
	return SignedIn{Session: s, Cookie: cookie, Device: device}, store.Put(tx, sessionBucket, fingerprint(cookie), r)
}

// session is the record as others see it.
func (a *Account) session(r sessionRecord, now time.Time) Session {
	s := Session{ID: r.ID, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt, From: r.From, Agent: r.Agent, Keep: r.Keep}
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, ok := a.fresh[r.ID]; ok {
		s.ConfirmedAt = kept(now.Add(-time.Since(at)))
	}
	return s
}

// cutAgent keeps a line of text of what a browser says it is.
func cutAgent(agent string) string {
	if len(agent) > agentLength {
		agent = agent[:agentLength]
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(agent, ""))
}
