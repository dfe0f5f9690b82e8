package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// callers are everybody who may come, and for each need what they get: "" is the answer itself.
var callers = []struct {
	name   string
	caller Caller
	gets   map[need]string
}{
	{"a stranger", Caller{}, map[need]string{
		needRead: "unauthorized", needManage: "unauthorized", needMetrics: "unauthorized", needPerson: "unauthorized",
		needConfirm: "unauthorized", needOwner: "unauthorized",
	}},
	{"a stranger with every right", Caller{Read: true, Manage: true, Metrics: true, Fresh: true}, map[need]string{
		needRead: "unauthorized", needManage: "unauthorized", needMetrics: "unauthorized", needPerson: "unauthorized",
		needConfirm: "unauthorized", needOwner: "unauthorized",
	}},
	{"a session without rights", Caller{SessionID: "s", Fresh: true}, map[need]string{
		needRead: "scope", needManage: "scope", needMetrics: "scope", needPerson: "scope", needConfirm: "scope", needOwner: "scope",
	}},
	{"a token without rights", Caller{TokenID: "t", Fresh: true}, map[need]string{
		needRead: "scope", needManage: "scope", needMetrics: "scope", needPerson: "scope", needConfirm: "scope", needOwner: "scope",
	}},
	{"a token that reads", Caller{TokenID: "t", Read: true}, map[need]string{
		needRead: "", needManage: "scope", needMetrics: "scope", needPerson: "scope", needConfirm: "scope", needOwner: "scope",
	}},
	{"a token for metrics", Caller{TokenID: "t", Metrics: true}, map[need]string{
		needRead: "scope", needManage: "scope", needMetrics: "", needPerson: "scope", needConfirm: "scope", needOwner: "scope",
	}},
	{"a token that manages", Caller{TokenID: "t", Read: true, Manage: true}, map[need]string{
		needRead: "", needManage: "", needMetrics: "scope", needPerson: "scope", needConfirm: "scope", needOwner: "scope",
	}},
	{"a token that says it is fresh, and a session", Caller{TokenID: "t", SessionID: "s", Read: true, Manage: true, Fresh: true}, map[need]string{
		needRead: "", needManage: "", needMetrics: "scope", needPerson: "scope", needConfirm: "scope", needOwner: "scope",
	}},
	{"a session", SessionCaller("s", false), map[need]string{
		needRead: "", needManage: "confirm", needMetrics: "", needPerson: "", needConfirm: "confirm", needOwner: "scope",
	}},
	{"a fresh session", SessionCaller("s", true), map[need]string{
		needRead: "", needManage: "", needMetrics: "", needPerson: "", needConfirm: "", needOwner: "scope",
	}},
	{"the owner", Caller{Owner: true}, map[need]string{
		needRead: "", needManage: "", needMetrics: "", needPerson: "", needConfirm: "", needOwner: "",
	}},
}

// TestEveryRouteAsksForWhatItNeeds walks the table with everybody.
func TestEveryRouteAsksForWhatItNeeds(t *testing.T) {
	for _, who := range callers {
		h := newHouse(t)
		anna := h.add(t, `{"name": "Anna"}`).Peer
		if who.caller.SessionID != "" {
			who.caller.SessionID = h.claim().ID
		}
		for _, r := range h.routes() {
			want, ok := who.gets[r.need]
			if !ok {
				t.Fatalf("%s %s needs %q, which this test does not know", r.method, r.path, r.need)
			}
			path := strings.NewReplacer(":id", anna.ID, ":name", "camera").Replace(r.path)
			before := h.ask("GET", "/api/v1/journal", "").Body.String()
			w := h.knock(who.caller, r.method, path)
			if got := refusalOf(w); got != want {
				t.Errorf("%s, %s %s: %d %q, want %q", who.name, r.method, r.path, w.Code, got, want)
			}
			if after := h.ask("GET", "/api/v1/journal", "").Body.String(); want != "" && after != before {
				t.Errorf("%s, %s %s: refused and done", who.name, r.method, r.path)
			}
		}
	}
}

// knock asks with a request that has ended already, so that a stream ends, too.
func (h *house) knock(c Caller, method, path string) *httptest.ResponseRecorder {
	ctx, cancel := context.WithCancel(WithCaller(h.t.Context(), c))
	cancel()
	req := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(`{}`))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.Server.ServeHTTP(w, req)
	return w
}

// refusalOf is the word of a refusal by the door, and empty for any answer from behind it.
func refusalOf(w *httptest.ResponseRecorder) string {
	for word, status := range map[string]int{"unauthorized": 401, "scope": 403, "confirm": 403} {
		if w.Code == status && strings.Contains(w.Body.String(), `"urn:hearthgate:problem:`+word+`"`) {
			return word
		}
	}
	return ""
}

func TestAStrangerLearnsNotEvenWhatIsThere(t *testing.T) {
	h := newHouse(t)
	there := h.askAs(Caller{}, "GET", "/api/v1/peers", "")
	for _, path := range []string{"/api/v1/nowhere", "/api/v1/peers/x/y/z", "/", "/metrics/", "/api/v1/peers/nobody"} {
		w := h.askAs(Caller{}, "GET", path, "")
		if w.Code != http.StatusUnauthorized || w.Body.String() != there.Body.String() {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if there.Header().Get("WWW-Authenticate") == "" {
		t.Error("a program is not told how to sign in")
	}
}

func TestARouteThatStandsInNoTableIsNotAnswered(t *testing.T) {
	h := newHouse(t)
	answered := false
	h.echo.GET("/api/v1/forgotten", func(echo.Context) error { answered = true; return nil })
	if w := h.ask("GET", "/api/v1/forgotten", ""); w.Code != http.StatusNotFound || answered {
		t.Errorf("%d, answered: %v", w.Code, answered)
	}
}

func TestARouteOfWhichNothingIsSaidIsClosed(t *testing.T) {
	for _, who := range callers {
		for _, nothing := range []need{"", "nonsense"} {
			if nothing == "nonsense" && who.caller.Owner {
				continue
			}
			if err := nothing.check(who.caller); err == nil {
				t.Errorf("%s may do what needs %q", who.name, nothing)
			}
		}
	}
}

func TestOnTheSocketNobodyHasToSayWhoTheyAre(t *testing.T) {
	h := newHouse(t)
	h.cfg.Owner = true
	w := httptest.NewRecorder()
	h.Server.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/peers", nil))
	if w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
