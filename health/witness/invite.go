package witness

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// The ports of a witness, unless told otherwise.
const (
	AskPort     = 8124 // where it is asked
	ControlPort = 8123 // what a browser tries, to show that its network lets Home Assistant's usual port out
)

// Invite is what a guest needs to ask a witness. It holds the secret half of the guest's key, and hides it.
type Invite struct {
	Name      string    // of the witness: the host of its first address
	Witness   publicKey // signs what the witness says
	Addresses []string  // HOST:PORT, one or more
	Control   uint16    // TCP port for browsers; 0: none
	seed      seed
}

const (
	invitePrefix     = "hearthgate-witness:"
	inviteVersion    = 1
	inviteSum        = 4 // bytes of SHA-256 at the end: a line that was copied badly is noticed
	maxInvite        = 1024
	maxInviteAddress = 4
	maxHost          = 253 // RFC 1035, section 2.3.4, as text
)

// ErrInvite is what is no invite. Its text never repeats what it was given, which may hold a key.
var ErrInvite = errors.New("that is not a witness's invite, which is one long word with " + invitePrefix + " before it")

// ParseInvite reads the line that `hearthgate witness invite` printed.
func ParseInvite(line string) (Invite, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(line), invitePrefix)
	if !ok || len(text) > maxInvite {
		return Invite{}, ErrInvite
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 1+inviteSum {
		return Invite{}, ErrInvite
	}
	body, sum := b[:len(b)-inviteSum], b[len(b)-inviteSum:]
	if want := sha256.Sum256(body); !bytes.Equal(want[:inviteSum], sum) {
		return Invite{}, fmt.Errorf("%w; this one was not copied whole", ErrInvite)
	}
	if body[0] != inviteVersion {
		return Invite{}, errors.New("that invite comes from a newer Hearthgate; update this one first")
	}
	return readInvite(body[1:])
}

func readInvite(b []byte) (i Invite, err error) {
	r := &reader{rest: b}
	i.Witness = publicKey(r.take(ed25519.PublicKeySize))
	i.seed = seedOf(r.take(ed25519.SeedSize))
	i.Control = binary.BigEndian.Uint16(r.take(2))
	i.Name = string(r.short())
	for range r.take(1)[0] {
		i.Addresses = append(i.Addresses, string(r.short()))
	}
	if r.bad || len(r.rest) > 0 {
		return Invite{}, ErrInvite
	}
	return i, i.check()
}

func (i Invite) check() error {
	if i.Name == "" || len(i.Name) > maxHost || !printable(i.Name) {
		return ErrInvite
	}
	if len(i.Addresses) == 0 || len(i.Addresses) > maxInviteAddress {
		return fmt.Errorf("%w, with one to %d addresses", ErrInvite, maxInviteAddress)
	}
	for _, a := range i.Addresses {
		if clean, err := Address(a, AskPort); err != nil || clean != a {
			return ErrInvite
		}
	}
	return nil
}

// Line is the invite as it is handed over, its secret included.
func (i Invite) Line() string {
	b := []byte{inviteVersion}
	b = append(b, i.Witness[:]...)
	b = append(b, i.seed.text.Reveal()...)
	b = binary.BigEndian.AppendUint16(b, i.Control)
	b = appendShort(b, i.Name)
	b = append(b, byte(len(i.Addresses)))
	for _, a := range i.Addresses {
		b = appendShort(b, a)
	}
	sum := sha256.Sum256(b)
	return invitePrefix + base64.RawURLEncoding.EncodeToString(append(b, sum[:inviteSum]...))
}

// String names the witness and hides the rest.
func (i Invite) String() string { return "invite of the witness " + i.Name }

// Named reads an invite and says what its witness is called.
func Named(line string) (string, error) {
	i, err := ParseInvite(line)
	return i.Name, err
}

// Address makes HOST[:PORT] whole, with usual for a port that is not named. The host is an IP address or a name.
func Address(text string, usual uint16) (string, error) {
	host, port := text, strconv.Itoa(int(usual))
	if h, p, err := net.SplitHostPort(text); err == nil {
		host, port = h, p
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("reading %q: %q is not a port", text, port)
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
		return netip.AddrPortFrom(ip.Unmap(), uint16(n)).String(), nil
	}
	if !IsHostName(host) {
		return "", fmt.Errorf("reading %q: %q is neither an address nor a host name", text, host)
	}
	return net.JoinHostPort(strings.ToLower(host), strconv.FormatUint(n, 10)), nil
}

// IsHostName tells whether s can be the name of a host (RFC 1123, section 2.1).
func IsHostName(s string) bool {
	if s == "" || len(s) > maxHost || strings.Trim(s, "0123456789.") == "" {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
	}
	return true
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func appendShort(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

// reader takes bytes off the front, and zeros when there are none left.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad = true
		r.rest = nil
		return make([]byte, n)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) short() []byte { return r.take(int(r.take(1)[0])) }
