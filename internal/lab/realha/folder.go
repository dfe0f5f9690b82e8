package realha

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder is what scripts/lab-homeassistant made.
type folder struct {
	root    string // a Debian with the virtual environment /srv/venv in it
	version string // Home Assistant's
}

// place is the folder's default, by the same rule as in the script.
func place() (string, error) {
	if dir := os.Getenv("HEARTHGATE_LAB_CACHE"); dir != "" {
		return filepath.Join(dir, "homeassistant"), nil
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "hearthgate", "homeassistant"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".cache", "hearthgate", "homeassistant"), nil
}

// find returns the folder. Only a whole one has a stamp.
func find() (folder, error) {
	dir, err := place()
	if err != nil {
		return folder{}, fmt.Errorf("finding the real Home Assistant: %w", err)
	}
	stamp, err := os.ReadFile(filepath.Join(dir, "stamp"))
	if err != nil {
		return folder{}, fmt.Errorf("finding the real Home Assistant: %w (scripts/lab-homeassistant makes it)", err)
	}
	for line := range strings.Lines(string(stamp)) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "homeassistant "); ok {
			return folder{root: filepath.Join(dir, "root"), version: version}, nil
		}
	}
	return folder{}, fmt.Errorf("finding the real Home Assistant: the stamp in %s names no version", dir)
}

// Need leaves the test out when there is no real Home Assistant here; [Start] does so too. The test is skipped with the
// reason, and named in the file $HEARTHGATE_LEFT_OUT; with CI set it fails.
func Need(t testing.TB) {
	t.Helper()
	need(t)
}

func need(t testing.TB) folder {
	t.Helper()
	f, err := find()
	if err != nil {
		leaveOut(t, err.Error())
	}
	return f
}

func leaveOut(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s, and with CI set nothing may be left out", reason)
	}
	if err := note(os.Getenv("HEARTHGATE_LEFT_OUT"), t.Name()+": "+reason); err != nil {
		t.Fatalf("noting what was left out: %v", err)
	}
	t.Skip(reason)
}

// note adds a line to the file; several test binaries write to it at once, so a line is one write (O_APPEND, open(2)).
func note(file, line string) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}
