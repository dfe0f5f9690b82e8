package lab_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// TestAPhoneThatIsAddedDisturbsNoOther: the carrier's gateway keeps its hardware address whoever is plugged in.
func TestAPhoneThatIsAddedDisturbsNoOther(t *testing.T) {
	l := lab.New(t)
	address := func() string { return strings.TrimSpace(l.Internet.Run(t, "cat", "/sys/class/net/carrier/address")) }
	before := address()
	for i := range 12 {
		l.AddPhone(t, fmt.Sprintf("phone%d", i))
	}
	if after := address(); after != before {
		t.Errorf("the gateway's hardware address was %s and is %s", before, after)
	}
}
