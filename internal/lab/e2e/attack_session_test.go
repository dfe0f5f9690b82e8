package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestAttackSessionFixation: a browser that comes with cookies of somebody else's making gets new ones when it signs in, and with the old
// ones nobody is signed in; not even a session that is there is taken over.
func TestAttackSessionFixation(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	for _, planted := range []string{strings.Repeat("A", 43), owner.cookie("/", "hearthgate"), "", "x"} {
		victim := h.visitor(h.Neighbour)
		plant(victim, "hearthgate", planted)
		plant(victim, "hearthgate_device", planted)
		if a := victim.signIn(t, passphrase); a.Status != http.StatusSeeOther {
			t.Fatalf("signing in: %d", a.Status)
		}
		if got := victim.cookie("/", "hearthgate"); got == planted || len(got) != 43 {
			t.Errorf("planted %q, and the session is %q", planted, got)
		}
		if got := victim.cookie("/", "hearthgate_device"); got == planted {
			t.Errorf("the device cookie %q was taken over", got)
		}
		attacker := h.visitor(h.Neighbour)
		plant(attacker, "hearthgate", planted)
		if planted != owner.cookie("/", "hearthgate") && attacker.isSignedIn(t) {
			t.Errorf("%q is signed in", planted)
		}
	}
}

func plant(v *visitor, name, value string) {
	u, _ := url.Parse(v.base) // is a URL
	v.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// TestAttackSessionCookies: cookies say everything that keeps scripts and other sites from them, no two are alike, and nothing but the very
// value opens the page: neither what people see of a session, nor a value that is nearly right, nor the same value elsewhere.
func TestAttackSessionCookies(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	seen := make(map[string]bool)
	for range 4 {
		v := h.visitor(h.Neighbour)
		a := v.signIn(t, passphrase)
		for _, line := range a.Header["Set-Cookie"] {
			for _, must := range []string{"; HttpOnly", "; SameSite=Strict", "; Path=/"} {
				if !strings.Contains(line, must) {
					t.Errorf("%s: no %s", line, must)
				}
			}
			value, _, _ := strings.Cut(line, ";")
			if strings.Contains(line, "Domain") || seen[value] || len(value) < 43+len("hearthgate=") {
				t.Errorf("cookie %s", line)
			}
			seen[value] = true
		}
		if len(a.Header["Set-Cookie"]) != 2 {
			t.Errorf("cookies: %q", a.Header["Set-Cookie"])
		}
	}
	right := owner.cookie("/", "hearthgate")
	ids := []string{}
	for _, piece := range strings.Split(string(h.get(t, "/api/v1/sessions")), `"id":"`)[1:] {
		id, _, _ := strings.Cut(piece, `"`)
		ids = append(ids, id, id+strings.Repeat("A", 43-len(id)))
	}
	swapped := []byte(right)
	swapped[0] ^= 1
	for _, value := range append(ids, string(swapped), right[:42], right+"A", strings.ToLower(right), strings.ToUpper(right), right+"%00", "*", "%", owner.cookie("/", "hearthgate_device")) {
		v := h.visitor(h.Neighbour)
		v.header = http.Header{"Cookie": {"hearthgate=" + value}}
		if v.isSignedIn(t) {
			t.Errorf("%q is signed in, the cookie is %q", value, right)
		}
	}
	for name, header := range map[string]http.Header{
		"another cookie": {"Cookie": {"hearthgate_device=" + right + "; Hearthgate=" + right}}, "a token": {"Authorization": {"Bearer " + right}},
		"a password": {"Authorization": {"Basic aGVhcnRoZ2F0ZTo="}}, "a field": {"Hearthgate": {right}}, "set": {"Set-Cookie": {"hearthgate=" + right}},
	} {
		v := h.visitor(h.Neighbour)
		v.header = header
		if v.isSignedIn(t) || v.get(t, "/api/v1/status").Status != http.StatusUnauthorized {
			t.Errorf("the session's value as %s is signed in", name)
		}
	}
	v := h.visitor(h.Neighbour)
	if a := v.get(t, "/settings?hearthgate="+right); a.Status == http.StatusOK {
		t.Error("the session's value in the address is signed in")
	}
}

// TestAttackEndedSessions: a cookie that somebody has copied is worth nothing once its session has been signed out, ended from another
// browser, ended by a new passphrase, or by the owner of the machine; the old passphrase neither.
func TestAttackEndedSessions(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	thief := h.AddDevice(t, "thief")

	browser := h.visitor(h.Neighbour)
	browser.signIn(t, passphrase)
	copied := browser.again(thief)
	if !copied.isSignedIn(t) {
		t.Fatal("a cookie can be copied: this test proves nothing")
	}
	browser.post(t, "/signout", nil)
	wantOut(t, copied, "signed out")

	browser.signIn(t, passphrase)
	copied = browser.again(thief)
	owner.post(t, "/settings/sessions/end", url.Values{"all": {"1"}})
	wantOut(t, copied, "all others ended")

	browser.signIn(t, passphrase)
	copied = browser.again(thief)
	const second = "pepper saddle violet anchor"
	if a := owner.post(t, "/settings/passphrase", url.Values{"passphrase": {second}}); a.Status != http.StatusSeeOther {
		t.Fatalf("changing the passphrase: %d\n%s", a.Status, a.Body)
	}
	wantOut(t, copied, "the passphrase was changed")
	if !owner.isSignedIn(t) {
		t.Error("whoever changed the passphrase was signed out")
	}
	if a := browser.signIn(t, passphrase); a.Status != http.StatusForbidden {
		t.Errorf("the old passphrase: %d", a.Status)
	}

	_, told, _ := strings.Cut(h.do(t, "reset-passphrase"), "now: ")
	third, _, _ := strings.Cut(told, "\n")
	wantOut(t, owner, "the passphrase was reset")
	if a := owner.signIn(t, second); a.Status != http.StatusForbidden {
		t.Errorf("the passphrase before the reset: %d", a.Status)
	}
	if a := owner.signIn(t, third); a.Status != http.StatusSeeOther {
		t.Errorf("the new passphrase %q: %d", third, a.Status)
	}
}

// wantOut fails the test when a browser still gets in anywhere.
func wantOut(t testing.TB, v *visitor, why string) {
	t.Helper()
	for _, path := range []string{"/", "/settings", "/journal.jsonl", "/api/v1/status", "/api/v1/events", "/metrics"} {
		if a := v.get(t, path); a.Status == http.StatusOK {
			t.Errorf("%s, and %s is still shown", why, path)
		}
	}
}
