package realha

import "testing"

// LeaveOut is leaveOut, for tests whose own needs are not met.
func LeaveOut(t testing.TB, reason string) {
	t.Helper()
	leaveOut(t, reason)
}

// Root is where the folder's Debian is.
func Root(t testing.TB) string {
	t.Helper()
	return need(t).root
}
