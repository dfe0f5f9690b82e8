package key

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"unique"
)

const hidden = "(hidden)"

// Secret is a private or a preshared key. The zero value is no key.
//
// It is a handle and not an array, because fmt prints an array's bytes in two places where no method of ours is asked: for
// the verb %p, and in somebody else's unexported field. Of a handle both show an address. (To a string, because a pointer
// to an array is followed for a verb that suits no pointer.) Two Secrets are == when their bytes are.
type Secret struct {
	bytes unique.Handle[string]
}

// NewPrivate makes a Curve25519 private key, clamped as `wg genkey` does (RFC 7748 section 5).
func NewPrivate() (Secret, error) {
	b, err := random()
	if err != nil {
		return Secret{}, fmt.Errorf("making a private key: %w", err)
	}
	b[0] &= 248
	b[31] = b[31]&127 | 64
	return wrap(b), nil
}

// NewPreshared makes a preshared key, as `wg genpsk` does.
func NewPreshared() (Secret, error) {
	b, err := random()
	if err != nil {
		return Secret{}, fmt.Errorf("making a preshared key: %w", err)
	}
	return wrap(b), nil
}

// ParseSecret reads the base64 of a private or preshared key. Its errors never repeat what they were given.
func ParseSecret(s string) (Secret, error) {
	b, err := decode(s)
	if err != nil {
		return Secret{}, fmt.Errorf("reading a secret key: %w", err)
	}
	secret := wrap([size]byte(b))
	if secret.IsZero() {
		return Secret{}, errors.New("reading a secret key: this is the empty key, all zero")
	}
	return secret, nil
}

// Reveal is the key in base64, and nothing at all for no key. It is the only way out of a Secret.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(s.bytes.Value()))
}

// Public is the public half of a private key. A preshared key has none that means anything.
func (s Secret) Public() (Public, error) {
	if s.IsZero() {
		return Public{}, errors.New("deriving a public key: there is no private key")
	}
	private, err := ecdh.X25519().NewPrivateKey([]byte(s.bytes.Value()))
	if err != nil {
		return Public{}, fmt.Errorf("deriving a public key: %w", err)
	}
	return Public(private.PublicKey().Bytes()), nil
}

// IsZero says that there is no key.
func (s Secret) IsZero() bool { return s == Secret{} }

// String hides the key.
func (s Secret) String() string { return hidden }

// Format hides the key from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the key from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the key from JSON and whatever else encodes text. There is no UnmarshalText on purpose: a record
// that was meant to keep a secret and kept "(hidden)" fails when it is read, it does not become an empty key.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// wrap makes the all-zero key the zero value, so that IsZero and == have one meaning.
func wrap(b [size]byte) Secret {
	if b == ([size]byte{}) {
		return Secret{}
	}
	return Secret{bytes: unique.Make(string(b[:]))}
}

func random() (b [size]byte, err error) {
	_, err = rand.Read(b[:])
	return b, err
}
