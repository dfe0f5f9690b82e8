package account

import (
	"strconv"

	"github.com/hearthgate/hearthgate/internal/journal"
)

// What the account writes to the journal. Each says when it is recorded. Data has "from", an address, where there is one.
const (
	EventClaimed           journal.Type = "account.claimed"
	EventSignedIn          journal.Type = "account.signed_in"
	EventSigninRefused     journal.Type = "account.signin_refused" // a wrong guess of anything; not every one, see refusals.go
	EventPassphraseChanged journal.Type = "account.passphrase_changed"
	EventPassphraseReset   journal.Type = "account.passphrase_reset" // through the socket
	EventTwoStepOn         journal.Type = "account.twostep_on"       // also when it goes over to a new key
	EventTwoStepOff        journal.Type = "account.twostep_off"
	EventRecoveryUsed      journal.Type = "account.recovery_used"
	EventSessionEnded      journal.Type = "account.session_ended" // by somebody; not when it was idle too long
	EventTokenAdded        journal.Type = "token.added"
	EventTokenRemoved      journal.Type = "token.removed"
)

func event(t journal.Type, message string, data ...string) journal.Event {
	e := journal.Event{Type: t, Message: message}
	for i := 0; i+1 < len(data); i += 2 {
		if data[i+1] == "" {
			continue
		}
		if e.Data == nil {
			e.Data = make(map[string]string)
		}
		e.Data[data[i]] = data[i+1]
	}
	return e
}

// by is the end of a sentence.
func by(from string) string {
	if from == "" {
		return ""
	}
	return " from " + from
}

func refusedEvent(s subject, v Visitor, untold int) journal.Event {
	what := map[subject]string{
		passphraseGuess: "a wrong passphrase", setupCodeGuess: "a wrong setup code", tokenGuess: "a token that does not exist",
		totpGuess:     "the right passphrase and then a wrong code",
		recoveryGuess: "the right passphrase and then a wrong recovery code",
	}[s]
	message, more := "somebody gave "+what+by(v.from()), ""
	if untold > 0 {
		more = strconv.Itoa(untold)
		message += "; " + more + " wrong tries before it were not written down"
	}
	return event(EventSigninRefused, message, "from", v.from(), "what", string(s), "untold", more)
}

func itoa(n int) string { return strconv.Itoa(n) }

// count is "1 is" or "3 are".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
