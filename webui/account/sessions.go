package account

import (
	"slices"

	"github.com/hearthgate/hearthgate/internal/store"
)

// Sessions lists the sessions, the last seen first.
func (a *Account) Sessions() ([]Session, error) {
	now := a.config.Now()
	var all []Session
	err := a.config.Store.View(func(tx *store.Tx) error {
		return store.Each(tx, sessionBucket, func(_ string, r sessionRecord) error {
			if a.lifeOf(r, now) == alive {
				all = append(all, a.session(r, now))
			}
			return nil
		})
	})
	slices.SortStableFunc(all, func(x, y Session) int { return y.SeenAt.Compare(x.SeenAt) })
	return all, err
}

// SignOut ends the session of whoever asks. One that has ended already is no error.
func (a *Account) SignOut(s Session) error {
	_, err := a.endSessions("somebody signed out", func(id string) bool { return id == s.ID })
	return err
}

// EndSession ends one session; ErrNoSession when it is not there.
func (a *Account) EndSession(id string) error {
	n, err := a.endSessions("a browser was signed out", func(other string) bool { return other == id })
	if err == nil && n == 0 {
		err = ErrNoSession
	}
	return err
}

// EndOtherSessions ends all but one and says how many.
func (a *Account) EndOtherSessions(keep string) (int, error) {
	return a.endSessions("all other browsers were signed out", func(id string) bool { return id != keep })
}

// endSessions ends those that which picks, and tells the journal if there were any.
func (a *Account) endSessions(message string, which func(id string) bool) (n int, err error) {
	err = a.config.Store.Update(func(tx *store.Tx) error {
		if n, err = a.endSessionsTx(tx, which); err != nil || n == 0 {
			return err
		}
		return a.config.Journal.RecordTx(tx, event(EventSessionEnded, message, "sessions", itoa(n)))
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (a *Account) endSessionsTx(tx *store.Tx, which func(id string) bool) (n int, err error) {
	err = store.Each(tx, sessionBucket, func(key string, r sessionRecord) error {
		if !which(r.ID) {
			return nil
		}
		n++
		return a.dropSession(tx, key, r.ID)
	})
	return n, err
}

// findSession finds a session by its public name; ErrNoSession when it has ended.
func findSession(tx *store.Tx, id string) (key string, found sessionRecord, err error) {
	err = store.Each(tx, sessionBucket, func(k string, r sessionRecord) error {
		if r.ID == id {
			key, found = k, r
		}
		return nil
	})
	if err == nil && key == "" {
		err = ErrNoSession
	}
	return key, found, err
}
