//go:build soak

package e2e

import (
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// TestAnOpeningThatIsRemovedCountsAsClosedAfterTwoLooks, the second ten minutes after the first. It waits as long as a household does, a quarter
// of an hour, and is therefore built for `make soak` only.
func TestAnOpeningThatIsRemovedCountsAsClosedAfterTwoLooks(t *testing.T) {
	t.Parallel()
	var all []scenario
	for _, one := range openings {
		all = append(all, scenario{one.name, func(t *testing.T) { soakOne(t, one) }})
	}
	sideBySide(t, all)
}

func soakOne(t *testing.T, one openingCase) {
	h := watchedHome(t)
	w := h.outside(t, "witness")
	closeIt := one.open(t, h)
	h.trust(t, w.invite(t))
	if exit, v := h.check(t); exit != exitExposed {
		t.Fatalf("exit %d, exposed was expected: %v", exit, v)
	}
	closeIt()
	if exit, v := h.check(t); exit != exitExposed || !v.says("not_yet_closed") {
		t.Fatalf("after it was removed: exit %d, %v", exit, v)
	}
	began := time.Now()
	// Nobody has to ask: the second look comes by itself, some ten minutes after the first.
	took := eventually(t, 16*time.Minute, "it counts as closed", func() bool {
		time.Sleep(5 * time.Second)
		return h.verdict(t).State == "closed"
	})
	if took < 9*time.Minute {
		t.Errorf("it counts as closed %v after the first look that found nothing", time.Since(began))
	}
	if exit, v := h.check(t); exit != exitClosed {
		t.Errorf("exit %d: %v", exit, v)
	}
	if got := h.turns(t); count(got, "exposed") != 1 || count(got, "closed") != 1 {
		t.Errorf("the journal says %q", got)
	}
	h.Open(t, lab.Forward{External: 8123, To: h.HomeAssistant, Port: 8123})
	if exit, v := h.check(t); exit != exitExposed || count(h.turns(t), "exposed") != 2 {
		t.Errorf("opened again: exit %d, %v", exit, v)
	}
}
