package account

import (
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"strings"
	"time"

	// The library that most Go programs make TOTP codes with, and that phones' apps have been tried against for ten years.
	// Only its arithmetic (RFC 4226) is used: which steps count, and that each counts once, is ours.
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// What every authenticator app takes without being told (RFC 6238 with its default of SHA-1).
const (
	totpDigits = 6
	totpPeriod = 30 // seconds
	totpSkew   = 1  // steps, either way: RFC 6238, section 5.2, has no more than one for the time on the way
	totpKey    = 20 // bytes: RFC 4226, section 4, R6
)

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

func newTOTPKey() string {
	b := make([]byte, totpKey)
	fillRandom(b)
	return base32Plain.EncodeToString(b)
}

func totpStep(now time.Time) int64 {
	s := now.Unix()
	if s < 0 {
		return 0
	}
	return s / totpPeriod
}

// matchTOTP says which step the code is of, if it is of one that counts now and that is newer than last (RFC 6238,
// section 5.2: a code counts once). A last that lies ahead of every step that counts now was written by a wrong clock; it is
// passed over, or nobody could sign in until that day. All steps are compared, whichever fits.
func matchTOTP(key, typed string, now time.Time, last int64) (step int64, ok bool) {
	current, code := totpStep(now), []byte(onlyDigits(typed))
	if last > current+totpSkew {
		last = -1
	}
	for s := current - totpSkew; s <= current+totpSkew; s++ {
		want, err := totpCode(key, s)
		if subtle.ConstantTimeCompare(code, []byte(want)) == 1 && err == nil && s > last && !ok {
			step, ok = s, true
		}
	}
	return step, ok
}

func totpCode(key string, step int64) (string, error) {
	return hotp.GenerateCodeCustom(key, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
}

// totpURI is what apps read from a QR code; those that show a name show Hearthgate.
func totpURI(key string) string {
	q := url.Values{"secret": {key}, "issuer": {"Hearthgate"}}
	return (&url.URL{Scheme: "otpauth", Host: "totp", Path: "/Hearthgate:home", RawQuery: q.Encode()}).String()
}

// grouped puts a space after every four letters, for people who type it.
func grouped(s, between string) string {
	var groups []string
	for len(s) > 4 {
		groups, s = append(groups, s[:4]), s[4:]
	}
	return strings.Join(append(groups, s), between)
}
