package browser

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// Axe-core as scripts/lab-axe fetches it; the two are changed together.
const (
	axeVersion = "4.14.1"
	axeSHA256  = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
)

// Need leaves the test out where there is no Chromium; [Start] does so too.
func Need(t testing.TB) {
	t.Helper()
	lab.Need(t, "chromium")
}

// NeedAxe leaves the test out where there is no axe-core; [Page.Axe] does so too, but then much of the test has run.
func NeedAxe(t testing.TB) {
	t.Helper()
	if _, err := axeCore(); err != nil {
		lab.LeaveOut(t, err.Error())
	}
}

// axeCore is the script that scripts/lab-axe has put into the cache, which must be the very one that it fetched.
func axeCore() (string, error) {
	dir, err := cache()
	if err != nil {
		return "", fmt.Errorf("finding axe-core: %w", err)
	}
	script, err := os.ReadFile(filepath.Join(dir, "axe-"+axeVersion, "axe.min.js"))
	if err != nil {
		return "", fmt.Errorf("finding axe-core: %w (scripts/lab-axe fetches it)", err)
	}
	if sum := sha256.Sum256(script); hex.EncodeToString(sum[:]) != axeSHA256 {
		return "", fmt.Errorf("axe-core in %s is not the one that scripts/lab-axe fetches: remove it and fetch it again", dir)
	}
	return string(script), nil
}

// cache is where the lab keeps what is fetched once, by the same rule as in the scripts.
func cache() (string, error) {
	if dir := os.Getenv("HEARTHGATE_LAB_CACHE"); dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "hearthgate"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".cache", "hearthgate"), nil
}
