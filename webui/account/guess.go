package account

import (
	"context"
	"errors"

	"github.com/hearthgate/hearthgate/internal/store"
)

// guess charges the lane, lets look say whether the guess was right, and takes the charge back unless it was wrong.
func (a *Account) guess(l lane, v Visitor, look func() error) error {
	if err := a.guard.charge(l); err != nil {
		return err
	}
	err := look()
	if errors.Is(err, ErrWrong) {
		a.tellRefused(l.subject, v)
		return err
	}
	return errors.Join(err, a.guard.forgive(l))
}

// guessPassphrase is a guess that is also slow: it waits for its turn first, so that what is counted is also looked at.
// A visitor who has to wait does not get as far as the queue.
func (a *Account) guessPassphrase(ctx context.Context, l lane, v Visitor, phc, typed string) error {
	if err := a.guard.check(l); err != nil {
		return err
	}
	return a.hashing.do(ctx, l.alone, func() error {
		return a.guess(l, v, func() error {
			right, err := isPassphrase(phc, typed)
			if err == nil && !right {
				err = ErrWrong
			}
			return err
		})
	})
}

// tellRefused journals a wrong guess, unless there are too many of them to tell. What the caller was told stands, whether the
// journal can be written or not.
func (a *Account) tellRefused(s subject, v Visitor) {
	a.wrong.Add(1)
	untold, tell := a.refused.note(s, source(v.Addr))
	if !tell {
		return
	}
	err := a.config.Store.Update(func(tx *store.Tx) error { return a.config.Journal.RecordTx(tx, refusedEvent(s, v, untold)) })
	if err != nil {
		a.config.Log.Error("journal not written", "event", string(EventSigninRefused), "error", err)
	}
}

// Refused counts the wrong guesses of anything since the start, whether they were journaled or not.
func (a *Account) Refused() uint64 { return a.wrong.Load() }
