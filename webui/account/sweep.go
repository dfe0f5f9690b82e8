package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// Sweep removes the sessions and device cookies that are over. It is meant to be called about every hour: without it
// nothing comes back to life, but what a wrong clock put into the future stays there. It writes only if there is something.
func (a *Account) Sweep() error {
	now, due := a.config.Now(), false
	err := a.config.Store.View(func(tx *store.Tx) error {
		return a.eachOver(tx, now, func(string, string, string) error { due = true; return nil })
	})
	if err == nil && due {
		err = a.config.Store.Update(func(tx *store.Tx) error { return a.sweepTx(tx, now) })
	}
	if err != nil {
		return fmt.Errorf("removing sessions that are over: %w", err)
	}
	return nil
}

func (a *Account) sweepTx(tx *store.Tx, now time.Time) error {
	return a.eachOver(tx, now, func(bucket, key, id string) error {
		if bucket == sessionBucket {
			return a.dropSession(tx, key, id)
		}
		return store.Delete(tx, bucket, key)
	})
}

func (a *Account) eachOver(tx *store.Tx, now time.Time, fn func(bucket, key, id string) error) error {
	err := store.Each(tx, sessionBucket, func(key string, r sessionRecord) error {
		if a.lifeOf(r, now) != over {
			return nil
		}
		return fn(sessionBucket, key, r.ID)
	})
	if err != nil || !a.config.Synchronised() {
		return err
	}
	return store.Each(tx, deviceBucket, func(key string, d deviceRecord) error {
		if d.counts(now) {
			return nil
		}
		return fn(deviceBucket, key, "")
	})
}

// removeOver removes one session that was found to be over, and says so.
func (a *Account) removeOver(key string) error {
	err := a.config.Store.Update(func(tx *store.Tx) error {
		r, err := getSession(tx, key)
		if err != nil {
			return err
		}
		return a.dropSession(tx, key, r.ID)
	})
	if err != nil && !errors.Is(err, ErrNoSession) {
		return err
	}
	return ErrNoSession
}
