package webui

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/health/vantage"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/access"
	"github.com/hearthgate/hearthgate/webui/page"
	"github.com/hearthgate/hearthgate/webui/words"
)

// phoneChecks stands in for the health room.
type phoneChecks struct {
	why     error
	asked   []bool
	reports map[string][]vantage.PhoneReport // by peer id
}

func (c *phoneChecks) Begin(_ context.Context, peerID string, asked bool) (vantage.PhoneTask, error) {
	c.asked = append(c.asked, asked)
	return vantage.PhoneTask{
		Nonce: "nonce-of-" + peerID, Runs: 2, Controlled: true,
		Tries: []vantage.PhoneTry{{HTTP: "http://11.0.0.2:8123/manifest.json", WS: "ws://11.0.0.2:8123/api/websocket"}},
	}, c.why
}

func (c *phoneChecks) Report(_ context.Context, peerID string, r vantage.PhoneReport) vantage.PhoneOutcome {
	c.reports[peerID] = append(c.reports[peerID], r)
	return vantage.PhoneNothing
}

// phoneCheckHouse is a house with Anna, whose portal stands behind what it stands behind in the product.
func phoneCheckHouse(t *testing.T) (*phoneHouse, *phoneChecks, string, http.Handler) {
	t.Helper()
	h := newPhoneHouse(t)
	checks := &phoneChecks{reports: make(map[string][]vantage.PhoneReport)}
	h.cfg.PhoneCheck = checks
	anna, err := h.cfg.Peers.Add(peers.AddRequest{Name: "Anna"})
	if err != nil {
		t.Fatal(err)
	}
	return h, checks, anna.Peer.ID, access.Headers(access.SameOrigin(h.Portal(phoneOf)))
}

const ownPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'"

func TestTheCheckPageAloneMayConnectToWhatItTries(t *testing.T) {
	h, checks, anna, portal := phoneCheckHouse(t)
	_ = h
	policy := func(target string) string {
		return inside(portal, anna, "GET", target, "en").Header().Get("Content-Security-Policy")
	}
	const rest = "; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	for target, want := range map[string]string{
		"/":                 ownPolicy + rest,
		"/elsewhere":        ownPolicy + rest,
		"/check":            ownPolicy + " http://11.0.0.2:8123 ws://11.0.0.2:8123" + rest,
		"/check/unasked.js": ownPolicy + " http://11.0.0.2:8123 ws://11.0.0.2:8123" + rest,
	} {
		if got := policy(target); got != want {
			t.Errorf("%s has the policy\n%s, want\n%s", target, got, want)
		}
	}
	checks.why = vantage.PhoneRefusal(vantage.PhoneNotAway)
	for _, target := range []string{"/check", "/check/unasked.js"} {
		if got := policy(target); got != ownPolicy+rest {
			t.Errorf("%s, where there is nothing to try, has the policy %s", target, got)
		}
	}
}

func TestTheCheckPageCarriesItsTask(t *testing.T) {
	_, checks, anna, portal := phoneCheckHouse(t)
	w := inside(portal, anna, "GET", "/check", "de")
	found := regexp.MustCompile(`data-task="([^"]*)"`).FindStringSubmatch(w.Body.String())
	if found == nil {
		t.Fatalf("there is no task:\n%s", w.Body)
	}
	var task vantage.PhoneTask
	if err := json.Unmarshal([]byte(html.UnescapeString(found[1])), &task); err != nil || task.Nonce != "nonce-of-"+anna || len(task.Tries) != 1 {
		t.Errorf("%+v, %v", task, err)
	}
	if len(checks.asked) != 1 || !checks.asked[0] || !strings.Contains(w.Body.String(), "<noscript>") {
		t.Errorf("%v\n%s", checks.asked, text(w))
	}
	checks.why = vantage.PhoneRefusal(vantage.PhoneNotAway)
	w = inside(portal, anna, "GET", "/check", "de")
	if strings.Contains(w.Body.String(), "data-task") || !strings.Contains(w.Body.String(), words.For(words.German).T("phonecheck.said.not_away")) {
		t.Errorf("a phone at home reads:\n%s", text(w))
	}
}

func TestTheUnaskedScriptHasATaskOnlyWhenItIsTime(t *testing.T) {
	_, checks, anna, portal := phoneCheckHouse(t)
	w := inside(portal, anna, "GET", "/check/unasked.js", "")
	if body := w.Body.String(); !strings.HasPrefix(body, `self.task = {"Nonce":"nonce-of-`+anna) || !strings.HasSuffix(body, page.PhoneScript()) ||
		w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" ||
		w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" { // any site could run it as its own, and read the task
		t.Errorf("%v\n%s", w.Header(), body)
	}
	checks.why = vantage.PhoneRefusal(vantage.PhoneTooSoon)
	if body := inside(portal, anna, "GET", "/check/unasked.js", "").Body.String(); body != "close();\n" {
		t.Errorf("when it is not time to look, the script is %q", body)
	}
	if checks.asked[0] {
		t.Error("it says that somebody asked")
	}
}

// send posts to the portal as a browser inside the tunnel does.
func send(portal http.Handler, peer, target, media, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Host = "10.77.0.1"
	r.Header.Set("Content-Type", media)
	r.Header.Set("Origin", "http://10.77.0.1")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	portal.ServeHTTP(w, r.WithContext(ConnContext(context.Background(), phoneConn{peer: peer})))
	return w
}

func TestAReportIsTheOnlyThingThatAPhoneMaySend(t *testing.T) {
	_, checks, anna, portal := phoneCheckHouse(t)
	const media, path = "application/json", "/check/report"
	good := `{"nonce":"nonce-of-` + anna + `","results":[{"run":0,"try":0,"seen":"silence"}]}`
	for _, c := range []struct {
		name, peer, target, media, body string
		headers                         []string
		status                          int
	}{
		{"good", anna, path, media, good, nil, 200},
		{"in German", anna, path, media, good, []string{"Accept-Language", "de"}, 200},
		{"elsewhere", anna, "/check", media, good, nil, 405},
		{"to the front page", anna, "/", media, good, nil, 405},
		{"to the script", anna, "/check/unasked.js", media, good, nil, 405},
		{"from another site", anna, path, media, good, []string{"Origin", "http://evil.example"}, 403},
		{"from another site, by its fetch", anna, path, media, good, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"as a form, which any site can send", anna, path, "text/plain", good, nil, 415},
		{"no JSON", anna, path, media, "nonce=1", nil, 400},
		{"too long", anna, path, media, `{"nonce":"` + strings.Repeat("x", maxReport) + `"}`, nil, 400},
		{"nobody's", "", path, media, good, nil, 404},
		{"a stranger's", "nobody", path, media, good, nil, 404},
	} {
		before := len(checks.reports[anna])
		w := send(portal, c.peer, c.target, c.media, c.body, c.headers...)
		if w.Code != c.status {
			t.Errorf("%s: %d\n%s", c.name, w.Code, w.Body)
		}
		if took := len(checks.reports[anna]) > before; took != (c.status == 200) {
			t.Errorf("%s: taken: %v", c.name, took)
		}
	}
	w := send(portal, anna, path, media, good, "Accept-Language", "fr")
	var said struct{ Outcome, Kind, Text string }
	if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil || said.Outcome != "nothing" || said.Kind != "success" ||
		said.Text != words.For(words.French).T("phonecheck.said.nothing") {
		t.Errorf("%+v %v", said, err)
	}
	if got := checks.reports[anna][0]; got.Nonce != "nonce-of-"+anna || len(got.Results) != 1 || got.Results[0].Seen != vantage.PhoneSilence {
		t.Errorf("%+v", got)
	}
	if w := inside(portal, anna, "GET", path, ""); w.Code != 404 {
		t.Errorf("GET of the report: %d", w.Code)
	}
}

func TestAHouseWithoutHealthHasNoCheck(t *testing.T) {
	h, _, anna, portal := phoneCheckHouse(t)
	if body := inside(portal, anna, "GET", "/", "").Body.String(); !strings.Contains(body, `href="/check"`) || !strings.Contains(body, `data-worker="/check/unasked.js"`) {
		t.Error("the portal does not lead to the check")
	}
	h.cfg.PhoneCheck = nil
	if body := inside(portal, anna, "GET", "/", "").Body.String(); strings.Contains(body, "/check") {
		t.Error("the portal leads to a check that is not there")
	}
	if w := inside(portal, anna, "GET", "/check", "en"); w.Code != 200 || strings.Contains(w.Body.String(), "data-task") {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
	if w := inside(portal, "nobody", "GET", "/check", "en"); w.Code != 404 {
		t.Errorf("a stranger: %d", w.Code)
	}
}

func TestEveryOutcomeHasASentence(t *testing.T) {
	for _, l := range words.Languages() {
		for _, outcome := range vantage.PhoneOutcomes() {
			key := page.PhoneSaid(string(outcome))
			if said := words.For(l).T(key); said == "" || said == key {
				t.Errorf("%s: %s has no sentence", l, outcome)
			}
		}
	}
}
