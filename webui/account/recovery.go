package account

import (
	"crypto/subtle"
	"encoding/base32"
	"strings"

	"github.com/hearthgate/hearthgate/internal/journal"
)

const (
	recoveryCodes = 10
	recoveryBytes = 10 // 80 bits: a plain hash of it cannot be searched, and nobody guesses it
)

// recoveryAlphabet leaves out what looks alike on paper: i, l, o and u. (Douglas Crockford's base 32.)
var recoveryAlphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// newRecovery makes ten codes as people see them, and what is kept of them.
func newRecovery() (shown, fingerprints []string) {
	for range recoveryCodes {
		b := make([]byte, recoveryBytes)
		fillRandom(b)
		code := recoveryAlphabet.EncodeToString(b)
		shown = append(shown, grouped(code, "-"))
		fingerprints = append(fingerprints, fingerprint(code))
	}
	return shown, fingerprints
}

var lookalikes = strings.NewReplacer("o", "0", "i", "1", "l", "1")

// withoutRecovery gives what is left when the code is used. All are compared, whichever fits.
func withoutRecovery(fingerprints []string, typed string) (left []string, ok bool) {
	mark := []byte(fingerprint(lookalikes.Replace(strings.ToLower(onlyDigits(typed)))))
	for _, f := range fingerprints {
		if subtle.ConstantTimeCompare([]byte(f), mark) == 1 {
			ok = true
			continue
		}
		left = append(left, f)
	}
	return left, ok
}

func recoveryEvent(v Visitor, left int) journal.Event {
	return event(EventRecoveryUsed, "a recovery code was used"+by(v.from())+"; "+count(left, "is", "are")+" left", "from", v.from(), "left", itoa(left))
}
