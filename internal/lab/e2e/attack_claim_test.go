package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// TestAttackUnclaimed: before it is claimed the page does nothing but that, and tells nothing; of several who claim in the same moment with
// the right code one has it, and afterwards nobody claims it again, with whatever code.
func TestAttackUnclaimed(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	code := h.setupCode(t)
	stranger := h.visitor(h.Neighbour)
	if a := stranger.get(t, "/"); a.Status != http.StatusOK || !strings.Contains(a.Body, `action="/setup"`) || strings.Contains(a.Body, code) {
		t.Errorf("the front page is not the one that claims: %d", a.Status)
	}
	for _, path := range []string{"/settings", "/phones/new", "/journal", "/journal.jsonl", "/settings/tokens", "/setup/address"} {
		if a := stranger.get(t, path); a.Status != http.StatusSeeOther || a.to() != "/setup" {
			t.Errorf("%s: %d to %q", path, a.Status, a.to())
		}
	}
	for _, path := range []string{"/api/v1/status", "/api/v1/peers", "/metrics", "/api/v1/events", "/api/v1/account", "/l/00"} {
		if a := stranger.get(t, path); a.Status < 400 || strings.Contains(a.Body, code) {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	if a := stranger.get(t, "/setup"); strings.Contains(a.Body, code) || strings.Contains(a.Body, "value=\""+code) {
		t.Error("the page shows the setup code")
	}
	for _, form := range []url.Values{
		{"passphrase": {passphrase}},
		{"code": {""}, "passphrase": {passphrase}},
		{"code": {"000000 "}, "passphrase": {passphrase}},
		{"code": {code}, "passphrase": {"short"}},
		{"code": {code}},
		{"code": {code}, "passphrase": {strings.Repeat("long", 200)}},
		{"code": {code[:5]}, "passphrase": {passphrase}},
	} {
		if a := stranger.post(t, "/setup", form); a.Status < 400 || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("claiming with %v: %d", form, a.Status)
		}
	}
	won := 0
	var mu sync.Mutex
	var claiming sync.WaitGroup
	for _, on := range []*lab.Host{h.HomeAssistant, h.Router, h.AddDevice(t, "third")} {
		for range 4 {
			v := h.visitor(on)
			claiming.Go(func() {
				a, err := v.ask(t.Context(), http.MethodPost, "/setup", formMedia, url.Values{"code": {code}, "passphrase": {passphrase}}.Encode())
				mu.Lock()
				defer mu.Unlock()
				if err == nil && a.Status == http.StatusSeeOther && a.Header.Get("Set-Cookie") != "" {
					won++
				}
			})
		}
	}
	claiming.Wait()
	if won != 1 {
		t.Errorf("%d have claimed the appliance", won)
	}
	if a := h.visitor(h.Neighbour).post(t, "/setup", url.Values{"code": {code}, "passphrase": {"another good passphrase"}}); a.Header.Get("Set-Cookie") != "" || !strings.Contains(a.Body, "/signin") {
		t.Errorf("claiming once more: %d", a.Status)
	}
	if a := h.visitor(h.Neighbour).signIn(t, "another good passphrase"); a.Status != http.StatusForbidden {
		t.Errorf("the passphrase of whoever came second: %d", a.Status)
	}
}
