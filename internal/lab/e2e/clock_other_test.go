//go:build !linux

package e2e

import "testing"

// The lab is Linux's, and tests that need it are left out elsewhere.

func (h *home) synchronised(testing.TB) {}

func actSynchronised() {}
