package account

import (
	"context"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// SignedIn is what a right passphrase leads to: a session, or the question for a second step.
type SignedIn struct {
	Session Session
	Cookie  string // new value of the session cookie; empty if NeedsCode
	Device  string // new value of the device cookie, which is to live for a year; empty if NeedsCode
	// NeedsCode: nobody is signed in yet; SignInCode with Pending and a code goes on, within five minutes.
	NeedsCode bool
	Pending   string
	// RecoveryOnly: nobody vouches for the clock, so that only a recovery code will do.
	RecoveryOnly bool
}

// SignIn signs a visitor in who knows the passphrase, or asks for the second step. With keep the session ends after 90 days
// without use, else after 12 hours. Its errors are ErrWrong, *Wait, ErrBusy and ErrUnclaimed.
func (a *Account) SignIn(ctx context.Context, passphrase string, keep bool, v Visitor) (SignedIn, error) {
	h, err := a.household()
	if err != nil {
		return SignedIn{}, err
	}
	l, err := a.laneOf(passphraseGuess, v)
	if err != nil {
		return SignedIn{}, err
	}
	if err := a.guessPassphrase(ctx, l, v, h.Passphrase, passphrase); err != nil {
		return SignedIn{}, err
	}
	if h.TwoStep != nil {
		return a.ask(h, keep), nil
	}
	return a.enter(v, keep, func(tx *store.Tx, now householdRecord) (householdRecord, error) {
		if now.Passphrase != h.Passphrase || now.TwoStep != nil { // changed since the guess was looked at
			return now, ErrWrong
		}
		return now, nil
	})
}

// enter opens a session, if admit still thinks so inside the transaction; what admit makes of the account is kept.
func (a *Account) enter(v Visitor, keep bool, admit func(*store.Tx, householdRecord) (householdRecord, error)) (in SignedIn, err error) {
	now := a.config.Now()
	err = a.config.Store.Update(func(tx *store.Tx) error {
		h, err := getHousehold(tx)
		if err != nil {
			return err
		}
		if h, err = admit(tx, h); err != nil {
			return err
		}
		if err := putHousehold(tx, h); err != nil {
			return err
		}
		if in, err = a.openSession(tx, v, keep, now); err != nil {
			return err
		}
		return a.config.Journal.RecordTx(tx, event(EventSignedIn, "somebody signed in"+by(v.from()), "from", v.from()))
	})
	if err != nil {
		return SignedIn{}, err
	}
	return in, nil
}

const freshFor = 15 * time.Minute

// Fresh says whether the session's passphrase was given within 15 minutes, at sign-in or by Confirm.
func (a *Account) Fresh(s Session) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, ok := a.fresh[s.ID]
	return ok && time.Since(at) < freshFor
}

// Confirm makes the session fresh. Its wrong guesses are counted for the session alone.
func (a *Account) Confirm(ctx context.Context, s Session, passphrase string, v Visitor) error {
	h, err := a.household()
	if err != nil {
		return err
	}
	if err := a.guessPassphrase(ctx, sessionLane(s.ID), v, h.Passphrase, passphrase); err != nil {
		return err
	}
	return a.config.Store.Update(func(tx *store.Tx) error { // so that none that ended meanwhile is made fresh
		tx.OnCommit(func() { a.freshen(s.ID) })
		if now, err := getHousehold(tx); err != nil || now.Passphrase != h.Passphrase {
			return errorOr(err, ErrWrong)
		}
		_, _, err := findSession(tx, s.ID)
		return err
	})
}

func errorOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
