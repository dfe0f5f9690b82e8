package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestAttackBrowserLeftOpen: whoever sits down at a browser that is signed in, but whose passphrase was typed too long ago, changes
// nothing: every form and every write of the API asks for the passphrase first, guesses of it are held up, and the form that was carried
// along is text.
func TestAttackBrowserLeftOpen(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	id := h.furnish(t, owner)
	_, forms := owner.walk(t, "/", "/settings", "/settings/two-step", "/phones/"+id+"/scan")
	h.daemon.Stop(t)
	h.start(t) // which is as good as 15 minutes: that the passphrase was typed is known in memory only
	if !owner.isSignedIn(t) {
		t.Fatal("the browser is signed out: this proves nothing")
	}
	before := h.all(t)
	asked := 0
	for action, f := range forms {
		if action == "/signout" || action == "/settings/appearance" || action == "/check" || strings.HasSuffix(action, "/leave") {
			continue // which change nothing of the household's
		}
		f.fields.Set("m4rk", `"><script>alert("m4rk")</script>{{.}}`)
		a := owner.post(t, action, f.fields)
		if a.Status != http.StatusForbidden || !strings.Contains(a.Body, `name="confirm_passphrase"`) || !strings.Contains(a.Body, "m4rk") {
			t.Errorf("POST %s: %d to %q", action, a.Status, a.to())
		}
		wantOnlyText(t, action, a.Body)
		asked++
	}
	if asked < 15 {
		t.Errorf("only %d forms ask for the passphrase", asked)
	}
	for _, write := range []struct{ method, path, body string }{
		{"POST", "/api/v1/peers", `{"name":"Evil"}`},
		{"PATCH", "/api/v1/peers/" + id, `{"name":"Evil"}`},
		{"DELETE", "/api/v1/peers/" + id, ""},
		{"POST", "/api/v1/peers/" + id + "/rekey", `{}`},
		{"POST", "/api/v1/peers/" + id + "/link", ``},
		{"GET", "/api/v1/peers/" + id + "/config", ""},
		{"POST", "/api/v1/services", `{"name":"evil","target":"192.168.77.30:80"}`},
		{"DELETE", "/api/v1/services/camera", ""},
		{"POST", "/api/v1/server/rekey", ``},
		{"PUT", "/api/v1/account/passphrase", `{"passphrase":"evil evil evil evil 12"}`},
		{"POST", "/api/v1/tokens", `{"name":"e","scopes":["manage"]}`},
		{"DELETE", "/api/v1/sessions", ""},
		{"POST", "/api/v1/account/two-step", ``},
		{"POST", "/api/v1/account/reset", ``},
	} {
		if a := owner.must(t, write.method, write.path, "application/json", write.body); a.Status != http.StatusForbidden {
			t.Errorf("%s %s: %d %.200s", write.method, write.path, a.Status, a.Body)
		}
	}
	wantSame(t, before, h.all(t))
	count := make(map[int]int)
	for i := range 20 {
		form := url.Values{"name": {"Mallory"}, "service": {"home-assistant"}, "confirm_passphrase": {wrongPassphrase(i).Get("passphrase")}}
		count[owner.post(t, "/phones/new", form).Status]++
	}
	if count[http.StatusForbidden] > 8 || count[http.StatusTooManyRequests] < 10 {
		t.Errorf("guesses of the passphrase at a browser that is signed in: %v", count)
	}
	if strings.Contains(h.all(t), "Mallory") {
		t.Error("a phone was added")
	}
}

// TestAttackAnotherBrowsersCode: a phone's code is seen by the browser that asked for it and by no other, not even one that is signed in
// too; and no answer with a secret may be kept by anybody on its way.
func TestAttackAnotherBrowsersCode(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	id := h.furnish(t, owner)
	other := h.visitor(h.HomeAssistant)
	other.signIn(t, passphrase)
	manage, _ := h.token(t, owner, "manage", "manage")
	paths := []string{"/phones/" + id + "/scan", "/phones/" + id + "/conf", "/api/v1/peers/" + id + "/config", "/api/v1/peers/" + id + "/qr.svg"}
	secret := func(a answer) bool {
		return a.Status == http.StatusOK && (strings.Contains(a.Body, "PrivateKey") || strings.Contains(a.Body, `class="paper"`) || strings.HasPrefix(a.Body, "<svg"))
	}
	for _, path := range paths {
		for name, v := range map[string]*visitor{"another browser": other, "a token": manage, "a stranger": h.visitor(h.Neighbour)} {
			if secret(v.get(t, path)) {
				t.Errorf("%s gets %s", name, path)
			}
		}
		a := owner.get(t, path)
		if !secret(a) {
			t.Errorf("the browser that asked for it does not get %s: %d; this proves nothing", path, a.Status)
		}
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %q", path, a.Header.Get("Cache-Control"))
		}
	}
}
