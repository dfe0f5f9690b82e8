package account

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// Between the two steps of signing in, the browser carries the proof of the first. It is sealed with a key that only this
// process has, and nothing is kept here: so nobody who knows the passphrase can push out others who are between their
// steps. It can be used again within its five minutes, which helps nobody, because each code counts once.

const pendingFor = 5 * time.Minute

const (
	pendingBody = 8 + 1 + 8 // when it was made, keep, which passphrase
	pendingSize = pendingBody + sha256.Size
)

// ask is the question for the second step.
func (a *Account) ask(h householdRecord, keep bool) SignedIn {
	b := make([]byte, 0, pendingSize)
	b = binary.BigEndian.AppendUint64(b, uint64(time.Since(a.started))) // monotonic: no clock can make it younger
	if keep {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = append(b, h.generation()...)
	b = a.seal(b)
	return SignedIn{NeedsCode: true, Pending: base64.RawURLEncoding.EncodeToString(b), RecoveryOnly: !a.config.Synchronised()}
}

// answered reads what ask made for this passphrase and this TOTP key; ErrPending when it is too old or something else.
func (a *Account) answered(pending string, h householdRecord) (keep bool, err error) {
	b, err := base64.RawURLEncoding.DecodeString(pending)
	if err != nil || len(b) != pendingSize || h.TwoStep == nil || !hmac.Equal(b, a.seal(b[:pendingBody:pendingBody])) {
		return false, ErrPending
	}
	age := time.Since(a.started) - time.Duration(binary.BigEndian.Uint64(b))
	if age >= pendingFor || !hmac.Equal(b[9:pendingBody], h.generation()) {
		return false, ErrPending
	}
	return b[8] == 1, nil
}

// seal appends the seal.
func (a *Account) seal(b []byte) []byte {
	mac := hmac.New(sha256.New, a.sealKey[:])
	mac.Write(b)
	return mac.Sum(b)
}

// generation is another one after each change of the passphrase or the TOTP key.
func (h householdRecord) generation() []byte {
	key := ""
	if h.TwoStep != nil {
		key = h.TwoStep.Key
	}
	sum := sha256.Sum256([]byte(h.Passphrase + "\x00" + key))
	return sum[:8]
}
