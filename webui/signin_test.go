package webui

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/hearthgate/hearthgate/webui/page"
)

func TestSigningInAndOut(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.stranger()
	w := b.get("/settings/tokens?x=1")
	if to := w.Header().Get("Location"); to != "/signin?next=%2Fsettings%2Ftokens%3Fx%3D1" {
		t.Fatalf("a stranger is sent to %q", to)
	}
	if w = b.send("/signin", "passphrase", "not the right one at all"); w.Code != http.StatusForbidden || len(b.cookies) != 0 {
		t.Fatalf("a wrong passphrase: %d, %v", w.Code, b.cookies)
	}
	w = b.send("/signin", "passphrase", testPassphrase, "next", "/settings/tokens?x=1")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/settings/tokens?x=1" {
		t.Fatalf("signing in: %d to %q\n%s", w.Code, w.Header().Get("Location"), text(w))
	}
	c := b.cookies[sessionCookie]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge != 0 || c.Domain != "" {
		t.Errorf("the session's cookie: %v", c)
	}
	if w = b.get("/settings"); w.Code != http.StatusOK {
		t.Fatalf("signed in, /settings: %d", w.Code)
	}
	old := *c
	if w = b.send("/signout"); w.Header().Get("Location") != "/signin" {
		t.Fatalf("signing out: %d", w.Code)
	}
	b.cookies[sessionCookie] = &old
	if w = b.get("/settings"); w.Code != http.StatusSeeOther {
		t.Errorf("the cookie of a session that has ended opens %d", w.Code)
	}
}

// TestSessionFixation brings a cookie along and signs in: the session must be another.
func TestSessionFixation(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.stranger()
	planted := strings.Repeat("A", 43)
	b.cookies[sessionCookie] = &http.Cookie{Name: sessionCookie, Value: planted, Path: "/"}
	b.send("/signin", "passphrase", testPassphrase)
	if got := b.cookies[sessionCookie].Value; got == planted || got == "" {
		t.Errorf("the session has the planted cookie %q", got)
	}
	first := b.cookies[sessionCookie].Value
	b.send("/signout")
	b.send("/signin", "passphrase", testPassphrase)
	if b.cookies[sessionCookie].Value == first {
		t.Error("two sessions have one cookie")
	}
}

// TestNextLeadsNowhereElse holds off open redirects.
func TestNextLeadsNowhereElse(t *testing.T) {
	for _, next := range []string{
		"https://evil.example/", "//evil.example/", `/\evil.example`, "/\t/evil.example", "javascript:alert(1)", "evil", "",
		"http:/evil", "/%0d%0aSet-Cookie:x=y\r\n", `\\evil`,
	} {
		if got := local(next); got != "/" {
			t.Errorf("next %q leads to %q", next, got)
		}
	}
	for _, next := range []string{"/", "/phones/abc/scan?app=android", "/settings"} {
		if got := local(next); got != next {
			t.Errorf("next %q leads to %q", next, got)
		}
	}
}

func TestTwoStepFromTheSettings(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	w := b.send("/settings/two-step/start")
	found := regexp.MustCompile(`[A-Z2-7]{4}( [A-Z2-7]{4}){7}`).FindString(text(w))
	if w.Code != http.StatusOK || found == "" {
		t.Fatalf("starting: %d\n%s", w.Code, text(w))
	}
	if w = b.send("/settings/two-step/confirm", "code", "000000"); w.Code == http.StatusOK {
		t.Fatal("a wrong code turned it on")
	}
	if !strings.Contains(text(w), found) {
		t.Error("after a wrong code the page shows another key, and the app holds the first")
	}
	code, err := totp.GenerateCode(strings.ReplaceAll(found, " ", ""), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w = b.send("/settings/two-step/confirm", "code", code)
	recovery := regexp.MustCompile(`<code[^>]*>([a-z0-9-]{16,})</code>`).FindAllStringSubmatch(w.Body.String(), -1)
	if w.Code != http.StatusOK || len(recovery) != 10 {
		t.Fatalf("confirming: %d, %d recovery codes\n%s", w.Code, len(recovery), text(w))
	}

	other := h.stranger()
	w = other.send("/signin", "passphrase", testPassphrase, "next", "/journal")
	pending := regexp.MustCompile(`name="pending" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || pending == nil || other.cookies[sessionCookie] != nil {
		t.Fatalf("the first step: %d, %v\n%s", w.Code, other.cookies, text(w))
	}
	// The code that confirmed it has been used.
	if w = other.send("/signin/code", "pending", pending[1], "code", code, "next", "/journal"); w.Code != http.StatusForbidden {
		t.Fatalf("a code that was used: %d", w.Code)
	}
	w = other.send("/signin/code", "pending", pending[1], "code", recovery[3][1], "next", "/journal")
	if w.Header().Get("Location") != "/journal" || other.cookies[sessionCookie] == nil {
		t.Fatalf("a recovery code: %d\n%s", w.Code, text(w))
	}
	if w = h.stranger().send("/signin/code", "pending", pending[1], "code", recovery[3][1]); w.Code == http.StatusSeeOther {
		t.Error("a recovery code lets in twice")
	}
}

func TestSessionsCanBeEnded(t *testing.T) {
	h := newPhoneHouse(t)
	b, other := h.owner(), h.partner()
	other.agent = "Mozilla/5.0 <script>"
	if w := b.send("/settings/sessions/end", "id", other.session().ID); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code)
	}
	if w := other.get("/"); w.Header().Get("Location") != "/signin" {
		t.Errorf("a session that was ended is answered with %d", w.Code)
	}
	third := h.partner()
	b.send("/settings/sessions/end", "all", "1")
	if w := third.get("/"); w.Header().Get("Location") != "/signin" {
		t.Error("the others were not ended")
	}
	if w := b.get("/"); w.Code != http.StatusOK {
		t.Error("one's own was ended with them")
	}
}

func TestTokensAreShownOnce(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	for _, bad := range [][]string{{"name", "x"}, {"name", "", "scope", "read"}, {"name", "x", "scope", "everything"}} {
		if w := b.send("/settings/tokens", bad...); w.Code != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, w.Code)
		}
	}
	w := b.send("/settings/tokens", "name", "Grafana", "scope", "metrics")
	secret := regexp.MustCompile(`hg_[A-Za-z0-9_-]{43}`).FindString(w.Body.String())
	if w.Code != http.StatusOK || secret == "" {
		t.Fatalf("%d\n%s", w.Code, text(w))
	}
	if w = b.get("/settings/tokens"); strings.Contains(w.Body.String(), secret) || !strings.Contains(text(w), "Grafana") {
		t.Error("the list shows the secret, or not the name")
	}
	if strings.Contains(h.log.String(), secret) {
		t.Error("the log has the secret")
	}
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
	if w = b.send("/settings/tokens/remove", "id", id[1]); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code)
	}
	if w = b.get("/settings/tokens"); strings.Contains(text(w), "hg_") {
		t.Error("it is still there")
	}
}

func TestAnotherPassphrase(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	for typed, problem := range map[string]string{
		"short": page.ProblemTooShort, "hearthgate123": page.ProblemProduct, "aaaaaaaaaaaaaaaa": page.ProblemRepeated,
	} {
		if w := b.send("/settings/passphrase", "passphrase", typed); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), typed) {
			t.Errorf("%q: %d, expected %s", typed, w.Code, problem)
		}
	}
	if w := b.send("/settings/passphrase", "passphrase", "willow pebble harbor candle"); w.Code != http.StatusSeeOther {
		t.Fatalf("%d", w.Code)
	}
	if w := h.stranger().send("/signin", "passphrase", testPassphrase); w.Code != http.StatusForbidden {
		t.Errorf("the old one: %d", w.Code)
	}
	if w := h.stranger().send("/signin", "passphrase", "willow pebble harbor candle"); w.Code != http.StatusSeeOther {
		t.Errorf("the new one: %d", w.Code)
	}
}
