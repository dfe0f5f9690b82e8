package realha

import "testing"

// Root is where the folder's Debian is.
func Root(t testing.TB) string {
	t.Helper()
	return need(t).root
}
