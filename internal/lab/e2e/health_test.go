package e2e

import (
	"slices"
	"sync"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// A scenario is one household and one thing that happens to it.
type scenario struct {
	name string
	run  func(t *testing.T)
}

// TestNeverAFalseWord: no closed that is not closed, no exposed that is not exposed.
func TestNeverAFalseWord(t *testing.T) {
	lab.Need(t, "miniupnpd")
	t.Parallel()
	sideBySide(t, slices.Concat(
		named("closed", traps()), named("closed, by the canary", canaries()),
		named("closed", []scenario{{"a witness that lies about the address", lyingAddress}}),
		named("closed, by Globalping", byGlobalping()), named("exposed", harmless()),
	))
}

// TestWhatIsOpenIsSeenAndTold, at once and once, and what is closed is closed; what that costs, and whom it disturbs.
func TestWhatIsOpenIsSeenAndTold(t *testing.T) {
	lab.Need(t, "miniupnpd")
	t.Parallel()
	all := []scenario{
		{"nothing is open", closedHome},
		{"it is told to everybody", toldOnce},
		{"a round is cheap", cheap},
		{"a witness is no weapon", noWeapon},
		{"a witness is asked too often", rationed},
	}
	for _, one := range openings {
		all = append(all, scenario{one.name, func(t *testing.T) { seenAndTold(t, one) }})
	}
	table, tell := matrix()
	sideBySide(t, slices.Concat(all, named("by UPnP", mappings()), named("seen by whom", table)))
	tell(t)
}

func named(what string, all []scenario) (out []scenario) {
	for _, s := range all {
		out = append(out, scenario{what + ": " + s.name, s.run})
	}
	return out
}

// places are for scenarios that run at the same time. A look at a silent port is half a minute of waiting, so that there may be
// far more of them than processors; each has some ten processes and 100 MB.
var places = make(chan struct{}, 16)

// sideBySide runs scenarios, as many at a time as there are places. t.Parallel would run as many as there are processors.
func sideBySide(t *testing.T, scenarios []scenario) {
	t.Helper()
	var all sync.WaitGroup
	for _, s := range scenarios {
		places <- struct{}{} // here, so that they begin in order
		all.Go(func() {
			defer func() { <-places }()
			t.Run(s.name, s.run)
		})
	}
	all.Wait()
}
