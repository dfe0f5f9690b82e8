package account

import (
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// TwoStep is the state of two-step sign-in.
type TwoStep struct {
	On           bool
	Since        time.Time // zero if off
	RecoveryLeft int
}

// Offer is a key for two-step sign-in that does not hold yet.
type Offer struct {
	Key string // base32 in groups of four
	URI string // otpauth:, for a QR code
}

// offerFor is how long the key is kept, in memory: long enough to install an app first.
const offerFor = 15 * time.Minute

type offer struct {
	key string
	at  time.Time
}

// TwoStep tells whether two-step sign-in is on.
func (a *Account) TwoStep() (TwoStep, error) {
	h, err := a.household()
	if err != nil || h.TwoStep == nil {
		return TwoStep{}, err
	}
	return TwoStep{On: true, Since: h.TwoStep.Since, RecoveryLeft: len(h.TwoStep.Recovery)}, nil
}

// OfferTwoStep makes a key for the session, which holds once ConfirmTwoStep had a code of it. Within 15 minutes it is the
// same key again, so that a page can be loaded twice.
func (a *Account) OfferTwoStep(s Session) (Offer, error) {
	if err := a.config.Store.View(func(tx *store.Tx) error { _, _, err := findSession(tx, s.ID); return err }); err != nil {
		return Offer{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	o, ok := a.offers[s.ID]
	if !ok || time.Since(o.at) >= offerFor {
		o = offer{key: newTOTPKey(), at: time.Now()}
		a.offers[s.ID] = o
	}
	return Offer{Key: grouped(o.key, " "), URI: totpURI(o.key)}, nil
}

func (a *Account) offered(id string) (offer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, ok := a.offers[id]
	return o, ok && time.Since(o.at) < offerFor
}

// ConfirmTwoStep turns two-step sign-in on, or over to a new key, and gives ten new recovery codes, which are in the answer
// and nowhere else. Its errors are ErrWrong, ErrNoOffer, and ErrClock while nobody vouches for the clock. The code is used
// by it and signs nobody in.
func (a *Account) ConfirmTwoStep(s Session, code string) (recovery []string, err error) {
	o, ok := a.offered(s.ID)
	if !ok {
		return nil, ErrNoOffer
	}
	if !a.config.Synchronised() {
		return nil, ErrClock
	}
	now := a.config.Now()
	step, ok := matchTOTP(o.key, code, now, -1)
	if !ok {
		return nil, ErrWrong
	}
	shown, prints := newRecovery()
	on := twoStepRecord{Key: o.key, Since: kept(now), LastStep: step, Recovery: prints}
	err = a.change(event(EventTwoStepOn, "two-step sign-in was turned on"), func(tx *store.Tx, h *householdRecord) error {
		tx.OnCommit(func() { a.withdraw(s.ID) })
		h.TwoStep = &on
		return nil
	})
	if err != nil {
		return nil, err
	}
	return shown, nil
}

func (a *Account) withdraw(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.offers, id)
}

// EndTwoStep turns two-step sign-in off. When it is off, it does nothing.
func (a *Account) EndTwoStep() error {
	if t, err := a.TwoStep(); err != nil || !t.On {
		return err
	}
	return a.change(event(EventTwoStepOff, "two-step sign-in was turned off"), func(_ *store.Tx, h *householdRecord) error {
		h.TwoStep = nil
		return nil
	})
}

// NewRecoveryCodes makes ten new codes in place of the old ones; ErrTwoStepOff when there is nothing to recover.
func (a *Account) NewRecoveryCodes() ([]string, error) {
	shown, prints := newRecovery()
	err := a.change(journal.Event{}, func(_ *store.Tx, h *householdRecord) error {
		if h.TwoStep == nil {
			return ErrTwoStepOff
		}
		h.TwoStep.Recovery = prints
		return nil
	})
	if err != nil {
		return nil, err
	}
	return shown, nil
}

// change changes the account and tells the journal, in one transaction. An event without a type is not told.
func (a *Account) change(e journal.Event, fn func(*store.Tx, *householdRecord) error) error {
	return a.config.Store.Update(func(tx *store.Tx) error {
		h, err := getHousehold(tx)
		if err != nil {
			return err
		}
		if err := fn(tx, &h); err != nil {
			return err
		}
		if err := putHousehold(tx, h); err != nil || e.Type == "" {
			return err
		}
		return a.config.Journal.RecordTx(tx, e)
	})
}
