package gateway

import (
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// The package's tests run in namespaces of their own, some of them in a household with a real router.
func TestMain(m *testing.M) { lab.Main(m) }
