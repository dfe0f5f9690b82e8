package api

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/webui/account"
)

// answer reads what a request that must succeed was answered.
func answer[T any](h *house, method, path, body string) (out T) {
	h.t.Helper()
	w := h.ask(method, path, body)
	if w.Code >= http.StatusBadRequest {
		h.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	if w.Code != http.StatusNoContent {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			h.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return out
}

// appCode is what an authenticator app shows (RFC 6238 with SHA-1, 30 s and six digits).
func appCode(t *testing.T, text string, now time.Time) string {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, secret)
	if err := binary.Write(mac, binary.BigEndian, now.Unix()/30); err != nil {
		t.Fatal(err)
	}
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1000000)
}

func TestTwoStepSignInFromOfferToEnd(t *testing.T) {
	h := newHouse(t)
	h.as = SessionCaller(h.claim().ID, true)
	if got := answer[AccountView](h, "GET", "/api/v1/account", ""); !got.Claimed || got.TwoStep.On || got.ClaimedFrom != "192.168.1.7" {
		t.Errorf("%+v", got)
	}
	offer := answer[OfferedTwoStep](h, "POST", "/api/v1/account/two-step", "")
	if w := h.ask("POST", "/api/v1/account/two-step/confirm", `{"code": "12345x"}`); w.Code != http.StatusForbidden {
		t.Errorf("a wrong code: %d %s", w.Code, w.Body)
	}
	code := appCode(t, offer.Key, time.Now())
	codes := answer[RecoveryCodes](h, "POST", "/api/v1/account/two-step/confirm", `{"code": "`+code+`"}`).Codes
	if got := answer[AccountView](h, "GET", "/api/v1/account", "").TwoStep; !got.On || got.RecoveryCodesLeft != len(codes) || len(codes) != 10 {
		t.Errorf("%+v with %d codes", got, len(codes))
	}
	if fresh := answer[RecoveryCodes](h, "POST", "/api/v1/account/recovery-codes", "").Codes; fresh[0] == codes[0] {
		t.Error("the codes are the old ones")
	}
	answer[any](h, "DELETE", "/api/v1/account/two-step", "")
	if w := h.ask("POST", "/api/v1/account/recovery-codes", ""); w.Code != http.StatusConflict {
		t.Errorf("codes for nothing: %d %s", w.Code, w.Body)
	}
}

func TestAWeakPassphraseIsRefusedWithTheReason(t *testing.T) {
	h := newHouse(t)
	h.as = SessionCaller(h.claim().ID, true)
	w := h.ask("PUT", "/api/v1/account/passphrase", `{"passphrase": "short"}`)
	if p := problemOf(t, w); w.Code != http.StatusBadRequest || p.Reason != string(account.TooShort) || !strings.Contains(p.Detail, "12 characters") {
		t.Errorf("%d %+v", w.Code, p)
	}
}

func TestANewPassphraseEndsTheOtherSessions(t *testing.T) {
	h := newHouse(t)
	own := h.claim()
	h.signIn()
	h.as = SessionCaller(own.ID, true)
	answer[any](h, "PUT", "/api/v1/account/passphrase", `{"passphrase": "quite another set of words"}`)
	if got := answer[[]Session](h, "GET", "/api/v1/sessions", ""); len(got) != 1 || !got[0].Current || got[0].ID != own.ID {
		t.Errorf("%+v", got)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	h := newHouse(t)
	own, other, third := h.claim(), h.signIn(), h.signIn()
	h.as = SessionCaller(own.ID, true)
	if got := answer[[]Session](h, "GET", "/api/v1/sessions", ""); len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	answer[any](h, "DELETE", "/api/v1/sessions/"+other.ID, "")
	if w := h.ask("DELETE", "/api/v1/sessions/"+other.ID, ""); w.Code != http.StatusNotFound {
		t.Errorf("ended twice: %d %s", w.Code, w.Body)
	}
	if got := answer[EndedSessions](h, "DELETE", "/api/v1/sessions", ""); got.Ended != 1 {
		t.Errorf("%+v, and %s was there", got, third.ID)
	}
}

func TestATokensSecretIsShownOnce(t *testing.T) {
	h := newHouse(t)
	h.as = SessionCaller(h.claim().ID, true)
	made := answer[AddedToken](h, "POST", "/api/v1/tokens", `{"name": "Grafana", "scopes": ["metrics"]}`)
	if !strings.HasPrefix(made.Secret, "hg_") || made.Token.Name != "Grafana" {
		t.Errorf("%+v", made)
	}
	everything := h.log.String()
	for _, path := range []string{"/api/v1/tokens", "/api/v1/journal", "/api/v1/status", "/api/v1/account"} {
		everything += h.ask("GET", path, "").Body.String()
	}
	if strings.Contains(everything, made.Secret) {
		t.Error("the secret shows up elsewhere")
	}
	for body, status := range map[string]int{
		`{"name": "Grafana", "scopes": ["read"]}`: http.StatusConflict,
		`{"name": "x", "scopes": ["everything"]}`: http.StatusBadRequest,
		`{"name": "", "scopes": ["read"]}`:        http.StatusBadRequest,
	} {
		if w := h.ask("POST", "/api/v1/tokens", body); w.Code != status {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	answer[any](h, "DELETE", "/api/v1/tokens/"+made.Token.ID, "")
	if got := answer[[]Token](h, "GET", "/api/v1/tokens", ""); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestATokenIsWhatItsScopesSay: the caller is made of the token as the account knows it.
func TestATokenIsWhatItsScopesSay(t *testing.T) {
	h := newHouse(t)
	h.claim()
	for _, c := range []struct {
		scope                 account.Scope
		read, manage, metrics bool
	}{{account.Read, true, false, false}, {account.Manage, true, true, false}, {account.Metrics, false, false, true}} {
		made, _, err := h.account.AddToken(string(c.scope), []account.Scope{c.scope})
		if err != nil {
			t.Fatal(err)
		}
		want := Caller{TokenID: made.ID, Read: c.read, Manage: c.manage, Metrics: c.metrics}
		if got := TokenCaller(made.ID, made.Scopes...); got != want {
			t.Errorf("%s: %+v", c.scope, got)
		}
	}
}

func TestTheOwnerResetsThePassphrase(t *testing.T) {
	h := newHouse(t)
	h.claim()
	made := answer[Reset](h, "POST", "/api/v1/account/reset", "")
	if _, err := h.account.SignIn(t.Context(), made.Passphrase, false, account.Visitor{}); err != nil {
		t.Error(err)
	}
	if got := answer[[]Session](h, "GET", "/api/v1/sessions", ""); len(got) != 1 {
		t.Errorf("former sessions hold: %+v", got)
	}
	if w := h.ask("PUT", "/api/v1/account/passphrase", `{"passphrase": "quite another set of words"}`); w.Code != http.StatusConflict {
		t.Errorf("the owner has no session to keep: %d %s", w.Code, w.Body)
	}
}

func TestWithoutAnAccountThereIsNothingToAsk(t *testing.T) {
	h := newHouse(t)
	cfg := h.cfg
	cfg.Account, cfg.Usage, cfg.Settings, cfg.Links, cfg.Desk, cfg.Health, cfg.Web = nil, nil, nil, nil, nil, nil, nil
	h.Server = New(cfg)
	anna := h.add(t, `{"name": "Anna"}`).Peer
	for _, r := range h.routes() {
		if r.path == "/api/v1/events" {
			continue
		}
		body := ""
		if r.method == http.MethodPut {
			body = `{"endpoint": ""}`
		}
		if w := h.ask(r.method, strings.ReplaceAll(r.path, ":id", anna.ID), body); w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s: %d %s", r.method, r.path, w.Code, w.Body)
		}
	}
}

func TestAStreamEndsWithItsSessionOrToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		gone, stays := h.claim(), h.signIn()
		token, _, err := h.account.AddToken("reader", []account.Scope{account.Read})
		if err != nil {
			t.Fatal(err)
		}
		h.stream(SessionCaller(gone.ID, false))
		h.stream(TokenCaller(token.ID, token.Scopes...))
		_, end := h.stream(SessionCaller(stays.ID, false))
		defer end()
		if n := h.streamsOpen(); n != 3 {
			t.Fatalf("%d streams", n)
		}
		if err := errors.Join(h.account.RemoveToken(token.ID), h.account.EndSession(gone.ID)); err != nil {
			t.Fatal(err)
		}
		h.record(t)
		synctest.Wait()
		if n := h.streamsOpen(); n != 1 {
			t.Errorf("%d streams are open", n)
		}
	})
}

// TestAStreamDoesNotOutliveASessionThatNobodyUses: no event tells that twelve hours are over.
func TestAStreamDoesNotOutliveASessionThatNobodyUses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		brief, kept := h.claim(), h.signIn()
		h.stream(SessionCaller(brief.ID, false))
		_, end := h.stream(SessionCaller(kept.ID, false))
		defer end()
		time.Sleep(12*time.Hour + heartbeat)
		synctest.Wait()
		if n := h.streamsOpen(); n != 1 {
			t.Errorf("%d streams are open", n)
		}
	})
}

// TestWhatCameAfterTheEndIsNotCaughtUp: the end itself is among what the reader has missed.
func TestWhatCameAfterTheEndIsNotCaughtUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		gone := h.claim()
		if err := h.account.EndSession(gone.ID); err != nil {
			t.Fatal(err)
		}
		h.record(t)
		ctx := WithCaller(t.Context(), SessionCaller(gone.ID, false)) // its request came a moment before
		w := httptest.NewRecorder()
		go h.Server.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/api/v1/events?after=0", nil))
		synctest.Wait()
		h.record(t)
		synctest.Wait()
		if n := h.streamsOpen(); n != 0 || strings.Contains(w.Body.String(), "peer.connected") {
			t.Errorf("%d streams, %s", n, w.Body)
		}
	})
}
