package realha

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
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
		lab.LeaveOut(t, err.Error())
	}
	return f
}
