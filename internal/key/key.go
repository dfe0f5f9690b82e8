// Package key holds the keys of WireGuard: 32 bytes of Curve25519 or of a preshared secret, written in base64 as `wg`
// writes them. It keeps one thing true: a secret does not reach a log, an error, a page or a file unless somebody wrote
// Reveal.
//
// A Public key may be shown to anybody and is an ordinary value. A Secret is a private or a preshared key; it compares
// with ==, it is safe in any struct, and whatever prints or encodes it gets "(hidden)". Reveal is the only way out, so
// that a search for that word finds every place where a secret leaves the process.
//
// The package never stores a key, never logs, and repeats no secret in an error, not even a malformed one: what was
// typed where a secret belongs may be one.
package key

import (
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"fmt"
)

const (
	size       = 32 // bytes, RFC 7748 section 5
	textLength = 44 // base64 of 32 bytes, with its one "="
	shortText  = 8  // 48 bits: enough to tell the keys of one household apart in a log
	quoteLimit = 64 // of a malformed public key; more would only fill the terminal
)

// Public is a Curve25519 public key. The zero value is no key.
type Public [size]byte

// IsZero says that there is no key.
func (p Public) IsZero() bool { return p == Public{} }

// String is the base64 that `wg` shows, also for no key (then it is all "A").
func (p Public) String() string { return base64.StdEncoding.EncodeToString(p[:]) }

// Short is the beginning of String, for logs.
func (p Public) Short() string { return p.String()[:shortText] }

// MarshalText is String, and nothing at all for no key.
func (p Public) MarshalText() ([]byte, error) {
	if p.IsZero() {
		return []byte{}, nil
	}
	return []byte(p.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (p *Public) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = Public{}
		return nil
	}
	k, err := decodePublic(string(text))
	if err != nil {
		return err
	}
	*p = k
	return nil
}

// ParsePublic reads a public key that somebody typed. Besides what is no key at all it refuses the few points whose
// shared secret is zero with everybody (RFC 7748 section 6.1): no phone could ever come in with one.
func ParsePublic(s string) (Public, error) {
	p, err := decodePublic(s)
	if err != nil {
		return Public{}, err
	}
	if !usable(p) {
		return Public{}, fmt.Errorf("reading public key %q: nobody can hold the private half of this key", s)
	}
	return p, nil
}

func decodePublic(s string) (Public, error) {
	b, err := decode(s)
	if err != nil {
		return Public{}, fmt.Errorf("reading public key %s: %w", quote(s), err)
	}
	p := Public(b)
	if p.IsZero() {
		return Public{}, fmt.Errorf("reading public key %q: this is the empty key, all zero; expected a phone's public key", s)
	}
	return p, nil
}

// decode takes exactly the text that `wg` writes. Strict refuses a last character with bits that nobody reads: two texts
// must not name one key.
func decode(s string) ([]byte, error) {
	if len(s) != textLength {
		return nil, fmt.Errorf("expected %d characters of base64 ending in \"=\", got %d", textLength, len(s))
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != size { // the decoder skips line breaks: the length tells
		return nil, errNotBase64
	}
	return b, nil
}

// errNotBase64 says no more than it does because the input may be a secret, and a position in it is a part of it.
var errNotBase64 = errors.New("expected 44 characters of base64 as `wg pubkey` or `wg genkey` writes them")

func quote(s string) string {
	if len(s) > quoteLimit {
		return fmt.Sprintf("%q...", s[:quoteLimit])
	}
	return fmt.Sprintf("%q", s)
}

// usable tries the key against one private key. Any will do: a point of small order gives zero with each of them, since
// every private key is a multiple of eight (RFC 7748 section 5).
func usable(p Public) bool {
	scalar := make([]byte, size)
	scalar[0] = 8
	private, err := ecdh.X25519().NewPrivateKey(scalar)
	if err != nil {
		return false
	}
	public, err := ecdh.X25519().NewPublicKey(p[:])
	if err != nil {
		return false
	}
	_, err = private.ECDH(public)
	return err == nil
}
