package witness

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"

	"github.com/hearthgate/hearthgate/internal/secret"
)

// publicKey is an Ed25519 public key.
type publicKey [ed25519.PublicKeySize]byte

func (k publicKey) MarshalText() ([]byte, error)     { return marshalBytes(k[:]), nil }
func (k *publicKey) UnmarshalText(text []byte) error { return unmarshalBytes(k[:], text) }
func (k publicKey) hex() string                      { return hex.EncodeToString(k[:]) }

// String is the key in base64.
func (k publicKey) String() string { return string(marshalBytes(k[:])) }

// seed is the secret half of an Ed25519 key (RFC 8032, section 5.1.5). It hides itself.
type seed struct{ text secret.Text }

func newSeed() seed {
	var b [ed25519.SeedSize]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return seedOf(b[:])
}

func seedOf(b []byte) seed { return seed{secret.Of(string(b))} }

func (s seed) private() ed25519.PrivateKey { return ed25519.NewKeyFromSeed([]byte(s.text.Reveal())) }

func (s seed) public() publicKey { return publicKey(s.private().Public().(ed25519.PublicKey)) }

func newNonce() (n Nonce) {
	_, _ = rand.Read(n[:]) // never fails (crypto/rand)
	return n
}

func marshalBytes(b []byte) []byte { return base64.RawURLEncoding.AppendEncode(nil, b) }

var errLength = errors.New("it has not the right length")

func unmarshalBytes(into, text []byte) error {
	if len(text) != base64.RawURLEncoding.EncodedLen(len(into)) {
		return errLength
	}
	_, err := base64.RawURLEncoding.Strict().Decode(into, text)
	return err
}
