package e2e

import (
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// closedHome: a home whose router has no opening but the tunnel's, over both families.
func closedHome(t *testing.T) {
	h := watchedHome(t)
	if exit, v := h.check(t); exit != exitUnverified || !v.says("no_vantage") || v.Next != "add_vantage" {
		t.Errorf("with nobody outside: exit %d, %v", exit, v)
	}
	w := h.outside(t, "witness")
	h.trust(t, w.invite(t))
	exit, v := h.check(t)
	if exit != exitClosed {
		t.Errorf("exit %d, closed was expected: %v", exit, v)
	}
	for _, f := range v.Families {
		if !f.Applies || f.State != "closed" {
			t.Errorf("%s: applies %v, %s", f.Family, f.Applies, f.State)
		}
	}
	for _, d := range []struct {
		family string
		port   uint16
	}{{"ipv4", 8123}, {"ipv4", 443}, {"ipv4", 80}, {"ipv4", 8443}, {"ipv6", 8123}, {"ipv6", 443}} {
		if got := v.door(d.family, d.port); got != "closed" {
			t.Errorf("%s port %d is %q", d.family, d.port, got)
		}
	}
	if got := h.turns(t); count(got, "closed") != 1 || count(got, "exposed") != 0 {
		t.Errorf("the journal says %q", got)
	}
}

// An openingCase is a way in that somebody made, and how it is told.
type openingCase struct {
	name   string
	family string
	port   uint16
	open   func(t testing.TB, h *home) (closeIt func())
}

// openings are those of the issue that need no program on the router.
var openings = []openingCase{
	{"8123 is forwarded", "ipv4", 8123, func(t testing.TB, h *home) func() {
		return h.Open(t, lab.Forward{External: 8123, To: h.HomeAssistant, Port: 8123})
	}},
	{"443 is forwarded to 8123", "ipv4", 443, func(t testing.TB, h *home) func() {
		return h.Open(t, lab.Forward{External: 443, To: h.HomeAssistant, Port: 8123})
	}},
	{"an IPv6 pinhole", "ipv6", 8123, func(t testing.TB, h *home) func() {
		return h.Open(t, lab.Pinhole6{To: h.HomeAssistant, Port: 8123})
	}},
}

// seenAndTold: each opening alone is seen at once and told once, and when it is gone it takes a second look until it counts as
// closed.
func seenAndTold(t *testing.T, one openingCase) {
	h := watchedHome(t)
	w := h.outside(t, "witness")
	closeIt := one.open(t, h)
	h.trust(t, w.invite(t))
	exit, v := h.check(t)
	if exit != exitExposed || !v.says("seen_open") || v.door(one.family, one.port) != "exposed" {
		t.Errorf("exit %d, exposed was expected: %v", exit, v)
	}
	for _, f := range v.Families {
		if f.Family != one.family && f.State == "exposed" {
			t.Errorf("%s is told to be exposed, too", f.Family)
		}
	}
	closeIt()
	if exit, v = h.check(t); exit != exitExposed || !v.says("not_yet_closed") {
		t.Errorf("after it was removed: exit %d, exposed and not yet closed was expected: %v", exit, v)
	}
	if got := h.turns(t); count(got, "exposed") != 1 || count(got, "closed") != 0 {
		t.Errorf("the journal says %q", got)
	}
}
