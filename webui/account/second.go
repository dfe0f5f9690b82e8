package account

import (
	"context"
	"strings"

	"github.com/hearthgate/hearthgate/internal/store"
)

// SignInCode is the second step of signing in: pending is SignedIn.Pending, code is a TOTP code or a recovery code, with
// spaces or dashes as people type them. Its errors are ErrWrong, *Wait, ErrPending, and ErrClock for a TOTP code while nobody
// vouches for the clock.
func (a *Account) SignInCode(ctx context.Context, pending, code string, v Visitor) (SignedIn, error) {
	if err := ctx.Err(); err != nil {
		return SignedIn{}, err
	}
	h, err := a.household()
	if err != nil {
		return SignedIn{}, err
	}
	keep, err := a.answered(pending, h)
	if err != nil {
		return SignedIn{}, err
	}
	subject, take := recoveryGuess, a.takeRecovery
	if isTOTP(code) {
		if !a.config.Synchronised() {
			return SignedIn{}, ErrClock
		}
		subject, take = totpGuess, a.takeTOTP
	}
	l, err := a.laneOf(subject, v)
	if err != nil {
		return SignedIn{}, err
	}
	var in SignedIn
	err = a.guess(l, v, func() error {
		in, err = a.enter(v, keep, func(tx *store.Tx, h householdRecord) (householdRecord, error) {
			if _, err := a.answered(pending, h); err != nil { // changed since
				return h, err
			}
			err := take(tx, h.TwoStep, code, v)
			return h, err
		})
		return err
	})
	if err != nil {
		return SignedIn{}, err
	}
	return in, nil
}

// takeTOTP is ErrWrong, or notes that the code is used.
func (a *Account) takeTOTP(_ *store.Tx, t *twoStepRecord, code string, _ Visitor) error {
	step, ok := matchTOTP(t.Key, code, a.config.Now(), t.LastStep)
	if !ok {
		return ErrWrong
	}
	t.LastStep = step
	return nil
}

// takeRecovery is ErrWrong, or removes the code and tells the journal.
func (a *Account) takeRecovery(tx *store.Tx, t *twoStepRecord, code string, v Visitor) error {
	left, ok := withoutRecovery(t.Recovery, code)
	if !ok {
		return ErrWrong
	}
	t.Recovery = left
	return a.config.Journal.RecordTx(tx, recoveryEvent(v, len(left)))
}

// isTOTP tells the two kinds of code apart: a recovery code is longer.
func isTOTP(code string) bool { return len(onlyDigits(strings.TrimSpace(code))) <= totpDigits }
