package account

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	// The Go project's own; the standard library has no password hash that needs memory.
	"golang.org/x/crypto/argon2"
)

// Argon2id with 19 MiB, two passes, one lane: the least memory that OWASP's cheat sheet on storing passwords names beside
// others of the same strength. More would not fit beside the rest into the 48 MiB that the process is held to.
const (
	hashMemory = 19 * 1024 // KiB
	hashPasses = 2
	hashLanes  = 1
	hashSalt   = 16
	hashLength = 32
)

// hashPassphrase makes the PHC string of a new passphrase.
func hashPassphrase(typed string) string {
	salt := make([]byte, hashSalt)
	fillRandom(salt)
	hash := argon2.IDKey([]byte(cleanPassphrase(typed)), salt, hashPasses, hashMemory, hashLanes, hashLength)
	return fmt.Sprintf(phcFormat, argon2.Version, hashMemory, hashPasses, hashLanes,
		base64.RawStdEncoding.EncodeToString(salt)+"$"+base64.RawStdEncoding.EncodeToString(hash))
}

// phcFormat is the string format of the Password Hashing Competition, as the reference implementation of Argon2 prints it.
const phcFormat = "$argon2id$v=%d$m=%d,t=%d,p=%d$%s"

// isPassphrase compares what was typed with the PHC string. It costs the same whether right or wrong, as long as it is
// not longer than what anybody could have set.
func isPassphrase(phc, typed string) (bool, error) {
	p, err := parsePHC(phc)
	if err != nil {
		return false, err
	}
	if len(typed) > 4*maxPassphraseBytes {
		typed = "" // too long to be right; CheckPassphrase never took an empty one
	}
	hash := argon2.IDKey([]byte(cleanPassphrase(typed)), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.hash)))
	return subtle.ConstantTimeCompare(hash, p.hash) == 1, nil
}

type phcParts struct {
	memory, passes uint32
	lanes          uint8
	salt, hash     []byte
}

var errPHC = errors.New("reading the passphrase's hash: it is not one that Hearthgate writes; set a new one with `hearthgate reset-passphrase`")

// parsePHC reads what hashPassphrase wrote, now or in a version with other numbers, within what this machine can bear.
func parsePHC(s string) (p phcParts, err error) {
	var version int
	var rest string
	if _, err := fmt.Sscanf(s, phcFormat, &version, &p.memory, &p.passes, &p.lanes, &rest); err != nil || version != argon2.Version {
		return p, errPHC
	}
	salt, hash, _ := strings.Cut(rest, "$")
	if p.salt, err = base64.RawStdEncoding.DecodeString(salt); err != nil {
		return p, errPHC
	}
	if p.hash, err = base64.RawStdEncoding.DecodeString(hash); err != nil {
		return p, errPHC
	}
	if p.memory > 64*1024 || p.passes < 1 || p.passes > 16 || p.lanes < 1 || len(p.salt) < 8 || len(p.hash) < 16 || len(p.hash) > 64 {
		return p, errPHC
	}
	return p, nil
}
