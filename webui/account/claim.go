package account

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/hearthgate/hearthgate/internal/store"
)

// ClaimState says whether the page can be claimed now, and how.
type ClaimState string

// The states.
const (
	ClaimOpen  ClaimState = "open"       // without a code, until Claim.Until
	NeedsCode  ClaimState = "needs_code" // with the setup code
	ClaimShut  ClaimState = "shut"       // the time after power-on is over
	ClaimDone  ClaimState = "done"       // there is a passphrase
	codeDigits            = 6            // bucketOf says why they are enough
)

// Claim is how far the page is set up.
type Claim struct {
	State ClaimState
	At    time.Time // when it was claimed; zero unless done
	From  string    // the address it was claimed from; empty unless done, and when it was claimed by Reset
	Until time.Time // when the window closes; zero unless open
}

// Claiming is what the first visitor sends.
type Claiming struct {
	Code       string // not asked for while the window is open
	Passphrase string
	Visitor    Visitor
	Keep       bool // as in SignIn
}

// Claim tells how far the page is set up.
func (a *Account) Claim() (Claim, error) {
	h, err := a.household()
	if err == nil {
		return Claim{State: ClaimDone, At: h.ClaimedAt, From: h.ClaimedFrom}, nil
	}
	if !errors.Is(err, ErrUnclaimed) {
		return Claim{}, err
	}
	if a.config.ClaimWindow == 0 {
		return Claim{State: NeedsCode}, nil
	}
	up, err := a.config.Uptime()
	if err != nil {
		return Claim{}, fmt.Errorf("asking how long the machine has been on: %w", err)
	}
	if up >= a.config.ClaimWindow {
		return Claim{State: ClaimShut}, nil
	}
	return Claim{State: ClaimOpen, Until: a.config.Now().Add(a.config.ClaimWindow - up)}, nil
}

// SetupCode is the six digits that TakeClaim asks for; empty when it asks for none, and when the state cannot be read.
// It is another one after each start.
func (a *Account) SetupCode() string {
	if c, err := a.Claim(); err != nil || c.State != NeedsCode {
		return ""
	}
	return a.code
}

// TakeClaim sets the passphrase and signs the visitor in. Of several at once, one wins; the others get ErrClaimed. A weak
// passphrase is told first, and costs no guess of the code.
func (a *Account) TakeClaim(ctx context.Context, c Claiming) (SignedIn, error) {
	if err := CheckPassphrase(c.Passphrase); err != nil {
		return SignedIn{}, err
	}
	claim, err := a.Claim()
	if err != nil {
		return SignedIn{}, err
	}
	switch claim.State {
	case ClaimDone:
		return SignedIn{}, ErrClaimed
	case ClaimShut:
		return SignedIn{}, ErrShut
	case ClaimOpen:
	case NeedsCode:
		if err := a.guess(sourceLane(setupCodeGuess, c.Visitor), c.Visitor, func() error { return a.checkSetupCode(c.Code) }); err != nil {
			return SignedIn{}, err
		}
	}
	return a.found(ctx, c)
}

func (a *Account) checkSetupCode(typed string) error {
	if subtle.ConstantTimeCompare([]byte(onlyDigits(typed)), []byte(a.code)) != 1 {
		return ErrWrong
	}
	return nil
}

// onlyDigits takes out the spaces and dashes that people put into codes.
func onlyDigits(typed string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, typed)
}

// found makes the account, the session and the line in the journal, all at once.
func (a *Account) found(ctx context.Context, c Claiming) (in SignedIn, err error) {
	phc, err := a.hash(ctx, c.Passphrase)
	if err != nil {
		return SignedIn{}, err
	}
	now := a.config.Now()
	err = a.config.Store.Update(func(tx *store.Tx) error {
		if _, err := getHousehold(tx); !errors.Is(err, ErrUnclaimed) {
			return errors.Join(err, ErrClaimed)
		}
		h := householdRecord{Passphrase: phc, ClaimedAt: kept(now), ClaimedFrom: c.Visitor.from()}
		if err := putHousehold(tx, h); err != nil {
			return err
		}
		if in, err = a.openSession(tx, c.Visitor, c.Keep, now); err != nil {
			return err
		}
		return a.config.Journal.RecordTx(tx, event(EventClaimed, "the page was set up"+by(c.Visitor.from()), "from", c.Visitor.from()))
	})
	if err != nil {
		return SignedIn{}, err
	}
	return in, nil
}
