package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
)

// Since Go 1.24 crypto/rand.Read returns no error: without randomness the process ends.
func fillRandom(b []byte) { _, _ = rand.Read(b) }

// randomCookie is 256 random bits, in letters that a cookie and a header may hold.
func randomCookie() string {
	var b [32]byte
	fillRandom(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// cookieLength is what randomCookie makes. What is not as long is not looked for.
const cookieLength = 43

// randomID is a public name: 64 bits, so that two are never the same by chance.
func randomID() string {
	var b [8]byte
	fillRandom(b[:])
	return hex.EncodeToString(b[:])
}

// randomDigits is n decimal digits, each as likely as the others.
func randomDigits(n int) string {
	var s strings.Builder
	for range n {
		digit, _ := rand.Int(rand.Reader, big.NewInt(10)) // its error is that of Read
		s.WriteByte('0' + byte(digit.Int64()))
	}
	return s.String()
}

// fingerprint is what is kept of a secret with so much randomness that nobody searches for it: SHA-256. It is also the
// record's key: to look one up takes a time that depends on the fingerprint, which tells nobody anything about the secret.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
