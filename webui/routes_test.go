package webui

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// opened are the routes that anybody whom the door admits may use, each with its reason.
var opened = map[string]string{
	"GET /assets/:name":  "the sign-in page needs them",
	"GET /favicon.ico":   "browsers ask for it by themselves",
	"GET /setup":         "nobody is signed in before the first passphrase",
	"POST /setup":        "it asks for the setup code",
	"GET /signin":        "it is how one signs in",
	"POST /signin":       "it asks for the passphrase",
	"GET /signin/code":   "it leads to the sign-in page",
	"POST /signin/code":  "it asks for the second step",
	"GET /l/:token":      "the address itself is the secret",
	"POST /l/:token":     "the address itself is the secret",
	"GET /l/:token/conf": "the cookie of the browser that spent the link is the secret",
}

// TestEveryRouteIsDeniedUnlessItIsOpen asks for every route that the server has, as a stranger.
func TestEveryRouteIsDeniedUnlessItIsOpen(t *testing.T) {
	h := newPhoneHouse(t)
	h.Mount(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	seen := map[string]bool{}
	for _, r := range h.echo.Routes() {
		name := r.Method + " " + r.Path
		seen[name] = true
		if opened[name] != "" || r.Method == http.MethodHead && opened["GET "+r.Path] != "" {
			continue
		}
		target := strings.NewReplacer(":id", "abcdefghijklmnop", ":name", "camera", ":token", "x", "*", "v1/peers").Replace(r.Path)
		w := h.stranger().ask(r.Method, target, navigation, nil)
		denied := w.Code == http.StatusUnauthorized || w.Code == http.StatusNotFound ||
			w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/signin")
		if !denied {
			t.Errorf("%s answers a stranger with %d %s", name, w.Code, w.Header().Get("Location"))
		}
	}
	for name := range opened {
		if !seen[name] {
			t.Errorf("%s is no route", name)
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d routes were looked at", len(seen))
	}
}

// TestARouteWithoutAClassAdmitsNobody keeps a forgotten class from being an open door.
func TestARouteWithoutAClassAdmitsNobody(t *testing.T) {
	h := newPhoneHouse(t)
	h.echo.GET("/forgotten", h.guard(route{method: get, path: "/forgotten", handle: func(v *visit) error {
		return v.NoContent(http.StatusOK)
	}}))
	if w := h.owner().get("/forgotten"); w.Code != http.StatusNotFound {
		t.Errorf("a route without a class answers %d", w.Code)
	}
	for _, r := range h.table {
		if r.class == denied {
			t.Errorf("%s %s has no class", r.method, r.path)
		}
		if r.method == post && r.class == open && opened["POST "+r.path] == "" {
			t.Errorf("POST %s is open", r.path)
		}
	}
}

// TestChangesWantThePassphraseAgain tries each change a quarter of an hour after the passphrase was typed.
func TestChangesWantThePassphraseAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		b := h.owner()
		path := b.add("Anna")
		time.Sleep(16 * time.Minute)
		id := strings.TrimPrefix(path, "/phones/")
		free := []string{"/signout", "/check", "/phones/:id/leave", "/settings/appearance"}
		for _, r := range h.table {
			if r.method != post || r.class == open || r.class == program || slices.Contains(free, r.path) {
				continue
			}
			target := strings.NewReplacer(":id", id, ":name", "camera").Replace(r.path)
			w := b.send(target, "name", `Ben "<b>"`, "scope", "read", "sure", "1")
			if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), confirmField) {
				t.Errorf("POST %s: %d, without asking for the passphrase", target, w.Code)
			}
			if !strings.Contains(w.Body.String(), `value="Ben &#34;&lt;b&gt;&#34;"`) {
				t.Errorf("POST %s loses what was typed", target)
			}
		}
		if p := h.phone(path); p.Name != "Anna" || p.Disabled {
			t.Errorf("something was changed: %+v", p)
		}
		w := b.send(path+"/rename", "name", "Ben", confirmField, "a guess that is not it")
		if w.Code != http.StatusForbidden || h.phone(path).Name != "Anna" {
			t.Errorf("a wrong passphrase: %d, the phone is %q", w.Code, h.phone(path).Name)
		}
		w = b.send(path+"/rename", "name", "Ben", confirmField, testPassphrase)
		if w.Code != http.StatusSeeOther || h.phone(path).Name != "Ben" {
			t.Errorf("the right passphrase: %d, the phone is %q", w.Code, h.phone(path).Name)
		}
		if w = b.send(path+"/rename", "name", "Carla"); w.Code != http.StatusSeeOther {
			t.Errorf("it is asked for again at once: %d", w.Code)
		}
	})
}

func TestHeadIsAnsweredAsGet(t *testing.T) {
	h := newPhoneHouse(t)
	if w := h.owner().ask(http.MethodHead, "/settings", navigation, nil); w.Code != http.StatusOK {
		t.Errorf("HEAD /settings: %d", w.Code)
	}
	if w := h.owner().ask(http.MethodGet, "/no/such/page", navigation, nil); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "<h1") {
		t.Errorf("an unknown page: %d\n%s", w.Code, text(w))
	}
	if w := h.owner().ask(http.MethodGet, "/signout", navigation, nil); w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusNotFound {
		t.Errorf("GET /signout: %d", w.Code)
	}
}

func TestABodyThatIsTooLongIsRefused(t *testing.T) {
	h := newPhoneHouse(t)
	w := h.owner().send("/phones/new", "name", strings.Repeat("a", bodyLimit))
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of more than %d bytes: %d", bodyLimit, w.Code)
	}
	if list, err := h.cfg.Peers.List(); err != nil || len(list) != 0 {
		t.Errorf("%d phones, %v", len(list), err)
	}
}
