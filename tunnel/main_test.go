package tunnel

import (
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }
