package witness

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Book is the witness's directory: its key, one small file for each guest, and where it listens. Every question is answered from
// the files, so that who was invited or revoked a moment ago is known without a restart, and an invite can be written while no witness
// runs. It holds one secret, the witness's own key; of a guest's key it holds the public half.
type Book struct{ dir string }

// Guest is somebody who may ask.
type Guest struct {
	Name    string    `json:"name"`
	Key     publicKey `json:"key"`
	Invited time.Time `json:"invited"`
}

const (
	keyFile    = "witness.key"
	listenFile = "listen.json"
	guestDir   = "invites"
	maxFile    = 4096
	maxGuests  = 10_000
	maxName    = 64
)

// ErrNoGuest is returned when nobody was invited by that name.
var ErrNoGuest = errors.New("nobody was invited by that name")

// NewBook is the book in dir, which need not be there yet.
func NewBook(dir string) *Book { return &Book{dir} }

// Dir is where it lies.
func (b *Book) Dir() string { return b.dir }

func (b *Book) make() error {
	if err := b.ours(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, dir := range []string{b.dir, filepath.Join(b.dir, guestDir)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making the witness's directory: %w", err)
		}
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("closing the witness's directory to others: %w", err)
		}
	}
	return nil
}

// ours refuses a directory that others may read and in which there is something else: to close /tmp to everybody, or somebody's
// home, because of a mistyped flag would break other things (package store is as careful).
func (b *Book) ours() error {
	info, err := os.Stat(b.dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	entries, err := os.ReadDir(b.dir)
	for _, e := range entries {
		if !slices.Contains([]string{keyFile, listenFile, guestDir, "lost+found"}, e.Name()) && !strings.HasPrefix(e.Name(), newPrefix) {
			return fmt.Errorf("others may read %s (mode %04o) and it holds other things (%q); give --state-dir a directory of its own",
				b.dir, info.Mode().Perm(), e.Name())
		}
	}
	return err
}

// key is the witness's own, made when there is none.
func (b *Book) key() (seed, error) {
	path := filepath.Join(b.dir, keyFile)
	text, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := b.make(); err != nil {
			return seed{}, err
		}
		// Two who begin at once must not make two keys: the first wins, and both read what the first wrote.
		if err := writeNew(path, marshalBytes([]byte(newSeed().text.Reveal()))); err != nil && !errors.Is(err, fs.ErrExist) {
			return seed{}, fmt.Errorf("keeping the witness's key: %w", err)
		}
		text, err = readSmall(path)
	}
	if err != nil {
		return seed{}, fmt.Errorf("reading the witness's key: %w", err)
	}
	raw := make([]byte, ed25519.SeedSize)
	if err := unmarshalBytes(raw, []byte(strings.TrimSpace(string(text)))); err != nil {
		return seed{}, fmt.Errorf("reading the witness's key in %s: %w", path, err)
	}
	return seedOf(raw), nil
}

// Key is the public half of the witness's key, for people.
func (b *Book) Key() (string, error) {
	k, err := b.key()
	if err != nil {
		return "", err
	}
	return k.public().String(), nil
}

// Invite lets somebody ask, at addresses (HOST[:PORT]), and returns what to give them. The secret in it is kept nowhere else.
func (b *Book) Invite(name string, addresses []string, now time.Time) (Invite, error) {
	name, err := guestName(name)
	if err != nil {
		return Invite{}, err
	}
	key, err := b.key()
	if err != nil {
		return Invite{}, err
	}
	at := b.Listens()
	i := Invite{Witness: key.public(), Control: at.Control, seed: newSeed()}
	for _, a := range addresses {
		clean, err := Address(a, at.Ask)
		if err != nil {
			return Invite{}, err
		}
		if !slices.Contains(i.Addresses, clean) {
			i.Addresses = append(i.Addresses, clean)
		}
	}
	if len(i.Addresses) > 0 {
		i.Name, _, _ = net.SplitHostPort(i.Addresses[0])
	}
	if err := i.check(); err != nil {
		return Invite{}, fmt.Errorf("making an invite: %w", err)
	}
	return i, b.add(Guest{name, i.seed.public(), now.UTC().Truncate(time.Second)})
}

func (b *Book) add(g Guest) error {
	guests, err := b.Guests()
	if err != nil {
		return err
	}
	if len(guests) >= maxGuests {
		return fmt.Errorf("inviting %q: there are %d already, which is as many as can be", g.Name, maxGuests)
	}
	if slices.ContainsFunc(guests, func(h Guest) bool { return h.Name == g.Name }) {
		return fmt.Errorf("inviting %q: that name is taken; choose another, or revoke it first", g.Name)
	}
	text, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("inviting %q: %w", g.Name, err)
	}
	if err := b.make(); err != nil {
		return err
	}
	if err := writeNew(b.guestPath(g.Key), text); err != nil {
		return fmt.Errorf("inviting %q: %w", g.Name, err)
	}
	return nil
}

// Guests are all who may ask, by name.
func (b *Book) Guests() ([]Guest, error) {
	entries, err := os.ReadDir(filepath.Join(b.dir, guestDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading who was invited: %w", err)
	}
	out := []Guest{}
	for _, e := range entries {
		if g, err := readGuest(filepath.Join(b.dir, guestDir, e.Name())); err == nil && e.Name() == g.Key.hex()+".json" {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b Guest) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Revoke ends an invite, at once.
func (b *Book) Revoke(name string) error {
	guests, err := b.Guests()
	if err != nil {
		return err
	}
	err = ErrNoGuest
	for _, g := range guests { // two who invited at once may have used a name twice
		if g.Name != name {
			continue
		}
		if err = os.Remove(b.guestPath(g.Key)); err != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("revoking %q: %w", name, err)
	}
	return syncDir(filepath.Join(b.dir, guestDir))
}

// knows tells whether whoever holds a key may ask.
func (b *Book) knows(k publicKey) bool {
	g, err := readGuest(b.guestPath(k))
	return err == nil && g.Key == k
}

func (b *Book) guestPath(k publicKey) string { return filepath.Join(b.dir, guestDir, k.hex()+".json") }

// Listens is where a witness listens, as one that ran last left it; else the usual ports.
type Listens struct {
	Ask     uint16 `json:"ask"`
	Control uint16 `json:"control"` // 0: browsers are not answered
}

// Listens reads what the running witness, or the last one, wrote.
func (b *Book) Listens() Listens {
	usual := Listens{AskPort, ControlPort}
	text, err := readSmall(filepath.Join(b.dir, listenFile))
	if err != nil {
		return usual
	}
	var l Listens
	if err := json.Unmarshal(text, &l); err != nil || l.Ask == 0 {
		return usual
	}
	return l
}

func (b *Book) setListens(l Listens) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := b.make(); err != nil {
		return err
	}
	return replace(filepath.Join(b.dir, listenFile), text)
}

func guestName(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" || len(s) > maxName || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", fmt.Errorf("inviting %.70q: a name has 1 to %d bytes, and nothing that cannot be printed", s, maxName)
	}
	return s, nil
}

func readGuest(path string) (g Guest, err error) {
	text, err := readSmall(path)
	if err != nil {
		return g, err
	}
	return g, json.Unmarshal(text, &g)
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}
