package witness

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestABookKeepsWhoMayAsk(t *testing.T) {
	t.Parallel()
	b := NewBook(filepath.Join(t.TempDir(), "deep", "witness"))
	if guests, err := b.Guests(); len(guests) != 0 || err != nil {
		t.Fatalf("an empty book has %v, %v", guests, err)
	}
	anna, err := b.Invite(" Anna's   home ", []string{"a.example.org"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Invite("Anna's home", []string{"a.example.org"}, time.Now()); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("the same name again: %v", err)
	}
	ben, err := b.Invite("Ben", []string{"a.example.org"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if anna.Witness != ben.Witness || anna.seed == ben.seed {
		t.Error("two guests have two witnesses, or one key")
	}
	if !b.knows(anna.seed.public()) || !NewBook(b.dir).knows(ben.seed.public()) || b.knows(newSeed().public()) {
		t.Error("it does not know exactly whom it invited")
	}
	guests, err := b.Guests()
	if err != nil || len(guests) != 2 || guests[0].Name != "Anna's home" || guests[1].Name != "Ben" {
		t.Errorf("the guests are %v, %v", guests, err)
	}
	if err := b.Revoke("Carl"); !errors.Is(err, ErrNoGuest) {
		t.Errorf("revoking nobody: %v", err)
	}
	if err := b.Revoke("Ben"); err != nil || b.knows(ben.seed.public()) || !b.knows(anna.seed.public()) {
		t.Errorf("revoking Ben: %v", err)
	}
}

func TestABookIsClosedAndHoldsNoGuestsSecret(t *testing.T) {
	t.Parallel()
	b := NewBook(filepath.Join(t.TempDir(), "w"))
	i, err := b.Invite("Anna", []string{"a.example.org"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.setListens(Listens{9000, 0}); err != nil || b.Listens() != (Listens{9000, 0}) {
		t.Errorf("it listens at %v, %v", b.Listens(), err)
	}
	secrets := []string{i.seed.text.Reveal(), string(marshalBytes([]byte(i.seed.text.Reveal())))}
	err = filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		if d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, s := range secrets {
			if strings.Contains(string(text), s) {
				t.Errorf("%s holds the guest's secret", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTwoWhoBeginAtOnceHaveOneKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var mu sync.Mutex
	keys := make(map[string]bool)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			key, err := NewBook(dir).Key()
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			keys[key] = true
		})
	}
	group.Wait()
	if len(keys) != 1 {
		t.Errorf("there are %d keys", len(keys))
	}
}

func TestABrokenBookSaysSo(t *testing.T) {
	t.Parallel()
	b := NewBook(t.TempDir())
	if err := os.WriteFile(filepath.Join(b.dir, keyFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Key(); err == nil || !strings.Contains(err.Error(), keyFile) {
		t.Errorf("a short key: %v", err)
	}
	for _, name := range []string{"", "  ", "a\x1b[2J", strings.Repeat("x", 65)} {
		if _, err := guestName(name); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	if err := os.Mkdir(filepath.Join(b.dir, guestDir), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"x.json": "{}", strings.Repeat("0", 64) + ".json": "nonsense", ".new-1": "{"} {
		if err := os.WriteFile(filepath.Join(b.dir, guestDir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if guests, err := b.Guests(); len(guests) != 0 || err != nil {
		t.Errorf("what is no guest is %v, %v", guests, err)
	}
	if b.knows(publicKey{}) {
		t.Error("a broken file is a guest")
	}
}
