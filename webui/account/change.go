package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/hearthgate/hearthgate/internal/store"
)

// ChangePassphrase sets a new passphrase and ends all other sessions. Two-step sign-in, tokens and device cookies stay: the
// last open nothing. That the session is fresh is for the caller to check. Its errors are *Weak, ErrNoSession and ErrBusy.
func (a *Account) ChangePassphrase(ctx context.Context, s Session, passphrase string) error {
	if err := CheckPassphrase(passphrase); err != nil {
		return err
	}
	phc, err := a.hash(ctx, passphrase)
	if err != nil {
		return err
	}
	return a.change(event(EventPassphraseChanged, "the passphrase was changed, and all other browsers were signed out"),
		func(tx *store.Tx, h *householdRecord) error {
			if _, _, err := findSession(tx, s.ID); err != nil {
				return err
			}
			h.Passphrase = phc
			_, err := a.endSessionsTx(tx, func(id string) bool { return id != s.ID })
			return err
		})
}

// Reset is for whoever owns the machine and has come through the socket: it sets a new passphrase and gives it, ends all
// sessions, turns two-step sign-in off, and forgets device cookies and wrong guesses. API tokens stay. A page that is not
// claimed is claimed by it.
func (a *Account) Reset(ctx context.Context) (passphrase string, err error) {
	passphrase = a.config.Suggest()
	if err := CheckPassphrase(passphrase); err != nil {
		return "", fmt.Errorf("resetting the passphrase: the suggested one cannot be used: %w", err)
	}
	phc, err := a.hash(ctx, passphrase)
	if err != nil {
		return "", fmt.Errorf("resetting the passphrase: %w", err)
	}
	now := a.config.Now()
	err = a.config.Store.Update(func(tx *store.Tx) error {
		h, err := getHousehold(tx)
		if errors.Is(err, ErrUnclaimed) {
			h, err = householdRecord{ClaimedAt: kept(now)}, nil
		}
		if err != nil {
			return err
		}
		h.Passphrase, h.TwoStep = phc, nil
		if err := errors.Join(putHousehold(tx, h), a.forgetBrowsers(tx)); err != nil {
			return err
		}
		return a.config.Journal.RecordTx(tx, event(EventPassphraseReset, "the passphrase was reset on the appliance; all browsers were signed out and two-step sign-in is off"))
	})
	if err != nil {
		return "", fmt.Errorf("resetting the passphrase: %w", err)
	}
	if err := a.guard.forgetAll(); err != nil { // the new passphrase holds all the same, and must be told
		a.config.Log.Error("wrong guesses not forgotten", "error", err)
	}
	return passphrase, nil
}

func (a *Account) forgetBrowsers(tx *store.Tx) error {
	if _, err := a.endSessionsTx(tx, func(string) bool { return true }); err != nil {
		return err
	}
	return store.Each(tx, deviceBucket, func(key string, _ deviceRecord) error { return store.Delete(tx, deviceBucket, key) })
}

// hash waits for its turn to hash a passphrase that is to be set. Only those come here who are signed in, at the machine,
// or first.
func (a *Account) hash(ctx context.Context, passphrase string) (phc string, err error) {
	err = a.hashing.do(ctx, true, func() error {
		phc = hashPassphrase(passphrase)
		return nil
	})
	return phc, err
}
