package account

import (
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// A device cookie says that a browser has signed in before. It opens nothing: its guesses are counted alone, and that is
// all. Signing in gives the browser a new one in place of the old. It outlives the session and a change of the
// passphrase, so that the household's browsers get back in during a flood; Reset ends them all.

const (
	deviceBucket = "devices"
	deviceLife   = 365 * 24 * time.Hour
	mostDevices  = 64 // more browsers than a household has; then the one that has not signed in for longest is as a new one
)

// deviceRecord is kept under the fingerprint of the cookie.
type deviceRecord struct {
	SignedInAt time.Time `json:"signed_in_at"`
}

// counts says whether the cookie is not too old, nor of a time that has not come yet.
func (d deviceRecord) counts(now time.Time) bool {
	age := now.Sub(d.SignedInAt)
	return age > -clockSlack && age < deviceLife
}

// newDevice replaces the browser's device cookie.
func (a *Account) newDevice(tx *store.Tx, old string, now time.Time) (cookie string, err error) {
	if len(old) == cookieLength {
		if err := store.Delete(tx, deviceBucket, fingerprint(old)); err != nil {
			return "", err
		}
	}
	err = makeRoom(tx, deviceBucket, mostDevices, func(d deviceRecord) time.Time { return d.SignedInAt },
		func(key string, _ deviceRecord) error { return store.Delete(tx, deviceBucket, key) })
	if err != nil {
		return "", err
	}
	cookie = randomCookie()
	return cookie, store.Put(tx, deviceBucket, fingerprint(cookie), deviceRecord{SignedInAt: kept(now)})
}

// makeRoom has the oldest record dropped when there is no room for one more.
func makeRoom[T any](tx *store.Tx, bucket string, most int, age func(T) time.Time, drop func(key string, v T) error) error {
	n, oldestKey := 0, ""
	var oldest T
	err := store.Each(tx, bucket, func(key string, v T) error {
		if n++; n == 1 || age(v).Before(age(oldest)) {
			oldestKey, oldest = key, v
		}
		return nil
	})
	if err != nil || n < most {
		return err
	}
	return drop(oldestKey, oldest)
}
