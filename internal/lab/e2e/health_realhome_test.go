package e2e

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/lab/realha"
)

// TestTheRealHomeAssistantIsLookedAt: found by mDNS, closed, then open by a forward and a pinhole; and nobody who looked at it is
// banned, although it bans whoever fails to sign in once.
func TestTheRealHomeAssistantIsLookedAt(t *testing.T) {
	realha.Need(t)
	t.Parallel()
	h := newHome(t)
	h.args = append(h.args, "--endpoint", h.Public4.String())
	live := realha.Start(t, realha.Options{Command: h.HomeAssistant.Command, Announce: true, BanAfter: 1})
	h.start(t)
	eventually(t, 60*time.Second, "Home Assistant is found by mDNS", func() bool {
		return h.status(t).HomeAssistant.Phase == "found"
	})
	w := h.outside(t, "witness")
	h.trust(t, w.invite(t))
	if exit, v := h.check(t); exit != exitClosed || v.family("ipv6") != "closed" {
		t.Errorf("exit %d, closed over both families was expected: %v", exit, v)
	}
	at4, at6 := netip.AddrPortFrom(h.WAN4, 443), netip.AddrPortFrom(h.HomeAssistant.Addr6, 8123)
	h.Open(t, lab.Forward{External: at4.Port(), To: h.HomeAssistant, Port: 8123})
	h.Open(t, lab.Pinhole6{To: h.HomeAssistant, Port: 8123})
	exit, v := h.check(t)
	if exit != exitExposed || v.door("ipv4", 443) != "exposed" || v.door("ipv6", 8123) != "exposed" {
		t.Errorf("exit %d, exposed over both families was expected: %v", exit, v)
	}
	for _, s := range v.Seen {
		if s.State == "open" && s.Identity != "our_home_assistant" {
			t.Errorf("it is not known as ours: %+v", s)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, visit := range []struct {
		from *lab.Host
		at   string
	}{{h.Appliance, netip.AddrPortFrom(h.HomeAssistant.Addr4, 8123).String()}, {w.Host, at4.String()}, {w.Host, at6.String()}} {
		if code, err := fetch(ctx, visit.from, "http://"+visit.at+"/"); err != nil || code != http.StatusOK {
			t.Errorf("%s is answered with %d, %v: is it banned?", visit.from.Name, code, err)
		}
	}
	if said := live.Said(); strings.Contains(said, "invalid authentication") || strings.Contains(said, "Banned IP") {
		t.Errorf("Home Assistant complains:\n%s", said)
	}
}
