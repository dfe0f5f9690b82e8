package store

import (
	"os"
	"testing"
)

// TestMain lets a test start this binary again as a process of its own, to kill it or to take something from it.
func TestMain(m *testing.M) {
	switch os.Getenv("HEARTHGATE_STORE_TEST") {
	case "":
		os.Exit(m.Run())
	case "write until killed":
		os.Exit(writeUntilKilled(os.Getenv("HEARTHGATE_STORE_DIR")))
	case "fill the disk":
		os.Exit(fillTheDisk(os.Getenv("HEARTHGATE_STORE_DIR")))
	}
	os.Exit(64)
}
