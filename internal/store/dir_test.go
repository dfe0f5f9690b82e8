package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStateDirectoryOthersMayRead(t *testing.T) {
	for name, c := range map[string]struct {
		holds []string
		ours  bool
	}{
		"empty":              {nil, true},
		"configuration":      {[]string{"hearthgate.toml"}, true},
		"card's partition":   {[]string{"lost+found"}, true},
		"somebody's home":    {[]string{".bashrc", "photos"}, false},
		"home with our file": {[]string{".bashrc", "hearthgate.toml"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range c.holds {
				if err := os.WriteFile(filepath.Join(dir, file), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir)
			if c.ours {
				if err != nil || mode(t, dir) != 0o700 {
					t.Fatalf("got %v, mode %o", err, mode(t, dir))
				}
				mustClose(t, s)
				return
			}
			if err == nil || !strings.Contains(err.Error(), "nothing was changed") || !strings.Contains(err.Error(), "--state-dir") {
				t.Fatalf("got %v", err)
			}
			entries, _ := os.ReadDir(dir)
			if mode(t, dir) != 0o755 || len(entries) != len(c.holds) {
				t.Errorf("something was changed: mode %o, %v", mode(t, dir), entries)
			}
		})
	}
}

func TestOpenedFileIsNarrowed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := mustOpen(t, dir)
	mustClose(t, s)
	if err := errors.Join(os.Chmod(s.Path(), 0o644), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir)
	if mode(t, s.Path()) != 0o600 || mode(t, dir) != 0o700 {
		t.Errorf("file %o, directory %o", mode(t, s.Path()), mode(t, dir))
	}
}

func TestStateDirectoryThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"":                                   "no directory was named",
		file:                                 "not a directory",
		filepath.Join(file, "in"):            "not a directory",
		filepath.Join("/proc", "hearthgate"): "/proc/hearthgate",
	} {
		_, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v", dir, err)
		}
	}
	if string(mustRead(t, file)) != "mine" {
		t.Error("the file was changed")
	}
}
