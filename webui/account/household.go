package account

import (
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

const (
	accountBucket = "account"
	householdKey  = "household"
)

// householdRecord is the account. It is there once the page has been claimed.
type householdRecord struct {
	Passphrase  string         `json:"passphrase"` // PHC string
	ClaimedAt   time.Time      `json:"claimed_at"`
	ClaimedFrom string         `json:"claimed_from,omitempty"`
	TwoStep     *twoStepRecord `json:"two_step,omitempty"`
}

type twoStepRecord struct {
	Key      string    `json:"key"` // base32, 160 bits
	Since    time.Time `json:"since"`
	LastStep int64     `json:"last_step"` // the newest 30 s of which a code was taken
	Recovery []string  `json:"recovery"`  // fingerprints of the codes that are left
}

// household reads the account in a transaction of its own; ErrUnclaimed when there is none.
func (a *Account) household() (h householdRecord, err error) {
	err = a.config.Store.View(func(tx *store.Tx) error {
		h, err = getHousehold(tx)
		return err
	})
	return h, err
}

func getHousehold(tx *store.Tx) (householdRecord, error) {
	h, ok, err := store.Get[householdRecord](tx, accountBucket, householdKey)
	if err == nil && !ok {
		err = ErrUnclaimed
	}
	return h, err
}

func putHousehold(tx *store.Tx, h householdRecord) error {
	return store.Put(tx, accountBucket, householdKey, h)
}

// kept is a time as it is written: UTC, without the monotonic reading.
func kept(t time.Time) time.Time { return t.Round(0).UTC() }
