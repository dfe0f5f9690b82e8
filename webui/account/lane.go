package account

import (
	"net/netip"
	"strings"

	"github.com/hearthgate/hearthgate/internal/store"
)

// lane is where a guess is counted.
type lane struct {
	subject subject
	key     string // whose: a source, a device or a session
	alone   bool   // not by the bucket of everybody
}

// What a key that is no source begins with.
const (
	devicePrefix  = "device-"
	sessionPrefix = "session-"
)

// name is the lane's own count, in memory and on the disk.
func (l lane) name() string { return string(l.subject) + "/" + l.key }

// rivals says whether the name is that of a source, and of the same subject: those are as many as an attacker likes.
func (l lane) rivals(name string) bool {
	key, ok := strings.CutPrefix(name, string(l.subject)+"/")
	return ok && !strings.HasPrefix(key, devicePrefix) && !strings.HasPrefix(key, sessionPrefix)
}

// laneOf is the lane of a browser that has signed in before, if its device cookie is one of ours; else that of its source.
func (a *Account) laneOf(s subject, v Visitor) (lane, error) {
	key, known, err := a.knownDevice(v.Device)
	if err != nil {
		return lane{}, err
	}
	if known {
		return lane{subject: s, key: devicePrefix + key, alone: true}, nil
	}
	return lane{subject: s, key: source(v.Addr)}, nil
}

func sourceLane(s subject, v Visitor) lane { return lane{subject: s, key: source(v.Addr)} }

func sessionLane(id string) lane {
	return lane{subject: passphraseGuess, key: sessionPrefix + id, alone: true}
}

// source is one machine's address. A machine has as many of IPv6 as it likes (RFC 8981), but all of a home's share one /64, so
// that to count those together would let one of them hold up the others. What many addresses gain, the bucket bounds.
func source(addr netip.Addr) string {
	if addr = addr.Unmap().WithZone(""); !addr.IsValid() {
		return "unknown"
	}
	return addr.String()
}

// from is the address as people see it in the list of sessions and in the journal.
func (v Visitor) from() string {
	if !v.Addr.IsValid() {
		return ""
	}
	return v.Addr.Unmap().WithZone("").String()
}

// knownDevice says whether a device cookie is of a browser that has signed in, and gives the key of its record.
func (a *Account) knownDevice(cookie string) (key string, known bool, err error) {
	if len(cookie) != cookieLength {
		return "", false, nil
	}
	key = fingerprint(cookie)
	now := a.config.Now()
	err = a.config.Store.View(func(tx *store.Tx) error {
		d, ok, err := store.Get[deviceRecord](tx, deviceBucket, key)
		known = ok && d.counts(now)
		return err
	})
	return key[:16], known, err // 64 bits tell devices apart
}
