package account

import (
	"errors"
	"fmt"
	"time"
)

// What a caller tells apart. What it shows to people is its own; none of these says more to one who guesses than that
// he was wrong.
var (
	// ErrWrong: the passphrase, the code or the token is not right. Nothing was changed.
	ErrWrong = errors.New("it is not right")
	// ErrNoSession: nobody is signed in with that, or no longer.
	ErrNoSession = errors.New("not signed in")
	// ErrNoToken: there is no token of that ID.
	ErrNoToken = errors.New("no such token")
	// ErrPending: too long ago, before a restart or before the passphrase changed: the passphrase is asked for again.
	ErrPending = errors.New("the first step of signing in no longer counts; begin again")
	// ErrUnclaimed: there is no passphrase yet.
	ErrUnclaimed = errors.New("the page has not been set up yet")
	// ErrClaimed: somebody was first.
	ErrClaimed = errors.New("the page has been set up already")
	// ErrShut: the time after power-on is over; a power cycle opens it again.
	ErrShut = errors.New("setting up is closed; unplug the appliance and plug it in again")
	// ErrBusy: too many passphrases are waiting to be looked at. The try was not counted.
	ErrBusy = errors.New("too many are signing in at once; try again in a moment")
	// ErrClock: a TOTP code cannot be judged while nobody vouches for the clock. The try was not counted.
	ErrClock = errors.New("the clock is not set yet, so that only a recovery code can be taken")
	// ErrNoOffer: the key that was shown is older than 15 minutes, of another session, or used.
	ErrNoOffer = errors.New("the key for two-step sign-in no longer counts; begin again")
	// ErrTwoStepOff: there is nothing to make recovery codes for.
	ErrTwoStepOff = errors.New("two-step sign-in is off")
	// ErrExists: another token has the name.
	ErrExists = errors.New("name is taken")
	// ErrInvalid: a token's name or scopes are not usable.
	ErrInvalid = errors.New("not usable")
	// ErrFull: there are as many tokens as there may be.
	ErrFull = errors.New("there are too many; remove one first")
)

// Wait is the error of a try that comes too soon after wrong ones. It was not looked at and not counted.
type Wait struct {
	Remaining time.Duration // more than zero
}

func (w *Wait) Error() string {
	return fmt.Sprintf("too many wrong tries; try again in %d seconds", int((w.Remaining+time.Second-1)/time.Second))
}

// Weak is the error of a passphrase that cannot be taken.
type Weak struct {
	Reason Reason
}

func (w *Weak) Error() string { return "the passphrase cannot be used: " + string(w.Reason) }

// Reason says why a passphrase is weak.
type Reason string

// The reasons.
const (
	TooShort          Reason = "too_short"          // fewer than MinPassphrase characters
	TooLong           Reason = "too_long"           // more than MaxPassphrase characters
	NotText           Reason = "not_text"           // not UTF-8, or with control characters
	GuessableName     Reason = "guessable_name"     // the product's name, or of what it stands beside, and little else
	GuessableCommon   Reason = "guessable_common"   // a common password and little else
	GuessableRepeated Reason = "guessable_repeated" // few characters or one piece, over and over
	GuessableSequence Reason = "guessable_sequence" // 123..., abc..., a row of the keyboard
)
