package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/account"
)

func TestARefusedRequestChangesNothingAndSaysWhy(t *testing.T) {
	h := newHouse(t)
	anna := h.add(t, `{"name": "Anna"}`).Peer
	one := "/api/v1/peers/" + anna.ID
	long := strings.Repeat("x", bodyLimit)
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/api/v1/peers", `{"name": "Ben", "colour": "red"}`, 400, "colour"},
		{"POST", "/api/v1/peers", `{"name": "Ben"} {"name": "Carl"}`, 400, "more than one"},
		{"POST", "/api/v1/peers", `{"name": "Ben"`, 400, "JSON"},
		{"POST", "/api/v1/peers", `{"name": 7}`, 400, "JSON"},
		{"POST", "/api/v1/peers", `{"name": "` + long + `"}`, 400, "longer than"},
		{"POST", "/api/v1/peers", `{"name": "ANNA "}`, 409, "taken"},
		{"POST", "/api/v1/peers", `{"name": "Ben", "expires": "soon"}`, 400, "soon"},
		{"POST", "/api/v1/peers", `{"name": "Ben", "public_key": "x"}`, 400, "nothing was changed"},
		{"POST", "/api/v1/peers", `{"name": "Ben", "services": ["cellar"]}`, 400, "cellar"},
		{"POST", "/api/v1/peers", `{"name": "two\nlines"}`, 400, "two"},
		{"PATCH", one, `{}`, 400, "exactly one"},
		{"PATCH", one, `{"name": "Ben", "disabled": true}`, 400, "exactly one"},
		{"PATCH", one, `{"services": ["cellar"]}`, 400, "cellar"},
		{"PATCH", "/api/v1/peers/nobody", `{"name": "Ben"}`, 404, "nobody"},
		{"DELETE", "/api/v1/peers/nobody", "", 404, "nobody"},
		{"POST", one + "/rekey", `{"then": true}`, 400, "then"},
		{"GET", "/api/v1/nowhere", "", 404, ""},
		{"PUT", "/api/v1/peers", `{}`, 405, ""},
		{"GET", "/api/v1/journal?limit=many", "", 400, "many"},
		{"PUT", "/api/v1/home-assistant", `{"address": "not an address"}`, 400, ""},
	} {
		before := h.ask("GET", "/api/v1/peers", "").Body.String()
		w := h.ask(c.method, c.path, c.body)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != problemType {
			t.Errorf("%s %s: not a problem: %s", c.method, c.path, w.Body)
			continue
		}
		if w.Code != c.status || p.Status != c.status || !strings.Contains(p.Detail, c.says) || strings.ContainsAny(p.Detail, "\r\n") {
			t.Errorf("%s %s %.60s: %d, %q", c.method, c.path, c.body, w.Code, p.Detail)
		}
		if after := h.ask("GET", "/api/v1/peers", "").Body.String(); after != before {
			t.Errorf("%s %s %.60s changed the peers:\n%s\n%s", c.method, c.path, c.body, before, after)
		}
	}
}

func TestABodyThatIsNotSaidToBeJSONIsRefused(t *testing.T) {
	h := newHouse(t)
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded"} {
		req := httptest.NewRequest(http.MethodPost, "/api/v1/peers", strings.NewReader(`{"name": "Anna"}`))
		req.Header.Set("Content-Type", media)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, req); w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d", media, w.Code)
		}
	}
}

func TestWithoutAnEndpointNobodyIsAdded(t *testing.T) {
	h := newHouse(t)
	h.noRoute = io.ErrUnexpectedEOF
	if w := h.ask("POST", "/api/v1/peers", `{"name": "Anna"}`); w.Code != http.StatusConflict {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if list := h.ask("GET", "/api/v1/peers", "").Body.String(); strings.Contains(list, "Anna") {
		t.Errorf("half done: %s", list)
	}
}

func TestAPrivateKeyIsInItsOwnAnswerAndNowhereElse(t *testing.T) {
	h := newHouse(t)
	added := h.add(t, `{"name": "Anna"}`)
	w := h.ask("POST", "/api/v1/peers/"+added.Peer.ID+"/rekey", `{}`)
	var rekeyed Enrolment
	if err := json.Unmarshal(w.Body.Bytes(), &rekeyed); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v", w.Code, err)
	}
	everything := h.log.String()
	for _, route := range h.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if method != http.MethodGet || strings.HasSuffix(path, "/events") {
			continue
		}
		w := h.ask(method, strings.ReplaceAll(path, ":id", added.Peer.ID), "")
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", route)
		}
		everything += w.Body.String()
	}
	for _, e := range []Enrolment{added, rekeyed} {
		config, err := peers.ParseClientConfig(e.Config)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{config.PrivateKey.Reveal(), config.PresharedKey.Reveal()} {
			if secret == "" || strings.Contains(everything, secret) {
				t.Error("a secret of a config shows up elsewhere")
			}
		}
	}
	server, err := h.registry.Server()
	if err != nil || strings.Contains(everything, server.PrivateKey.Reveal()) {
		t.Error("the server's private key shows")
	}
}

func TestWhatFailsInsideIsNotShownToStrangers(t *testing.T) {
	h := newHouse(t)
	for owner, shows := range map[bool]bool{true: true, false: false} {
		if got := strings.Contains(h.problem(io.ErrUnexpectedEOF, owner).Detail, "unexpected EOF"); got != shows {
			t.Errorf("owner %v: shows %v", owner, got)
		}
	}
}

// TestARefusalOfARoomIsNoFailure: what the rooms tell callers apart is told to the API's callers, too.
func TestARefusalOfARoomIsNoFailure(t *testing.T) {
	h := newHouse(t)
	for _, err := range []error{
		peers.ErrNotFound, peers.ErrNameTaken, peers.ErrInvalid, peers.ErrNoAddress, peers.ErrKeyTaken, peers.ErrExpired,
		account.ErrWrong, account.ErrNoSession, account.ErrNoToken, account.ErrUnclaimed, account.ErrBusy, account.ErrClock,
		account.ErrNoOffer, account.ErrTwoStepOff, account.ErrExists, account.ErrInvalid, account.ErrFull,
		&account.Weak{Reason: account.GuessableName}, &account.Wait{Remaining: time.Second},
	} {
		p := h.problem(fmt.Errorf("doing it: %w", err), false)
		if p.Status < 400 || p.Status == 500 || p.Detail == "" || !strings.HasPrefix(p.Type, "urn:hearthgate:problem:") {
			t.Errorf("%v: %+v", err, p)
		}
	}
}

func TestAWaitSaysHowLong(t *testing.T) {
	header := http.Header{}
	hint(header, &account.Wait{Remaining: 1500 * time.Millisecond})
	if header.Get("Retry-After") != "2" {
		t.Errorf("%v", header)
	}
}

func TestTheStateWord(t *testing.T) {
	h := newHouse(t)
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for _, c := range []struct {
		peer peers.Peer
		live Live
		want State
	}{
		{peers.Peer{}, Live{}, StateWaiting},
		{peers.Peer{FirstHandshake: past, LastHandshake: past}, Live{}, StateIdle},
		{peers.Peer{}, Live{Active: true, LastHandshake: past}, StateActive},
		{peers.Peer{Disabled: true}, Live{Active: true}, StateDisabled},
		{peers.Peer{ExpiresAt: past}, Live{Active: true}, StateExpired},
		{peers.Peer{ExpiresAt: future}, Live{Active: true}, StateActive},
		{peers.Peer{Expired: true}, Live{}, StateExpired},
		{peers.Peer{NeedsEnrolment: true}, Live{}, StateNeedsEnrolment},
	} {
		if got := h.view(c.peer, c.live).State; got != c.want {
			t.Errorf("%+v, %+v: %s, want %s", c.peer, c.live, got, c.want)
		}
	}
}

func TestEventsResumeWithoutAGap(t *testing.T) {
	h := newHouse(t)
	first := h.add(t, `{"name": "Anna"}`)
	h.add(t, `{"name": "Ben"}`)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	server := httptest.NewServer(h)
	defer server.Close()
	defer cancel() // the stream ends before the server is asked to
	c := &Client{http: server.Client(), path: "test"}
	c.http.Transport = rewrite{server.URL, http.DefaultTransport}
	var names []string
	added := false
	err := c.Events(ctx, first.EventSeq, func(e journal.Event) bool {
		names = append(names, string(e.Type)+" "+e.PeerName)
		if !added {
			added = true
			go h.ask("POST", "/api/v1/peers", `{"name": "Carl"}`)
		}
		return len(names) < 3
	})
	if got := strings.Join(names, ", "); err != nil || got != "peer.added Anna, peer.added Ben, peer.added Carl" {
		t.Errorf("%v: %s", err, got)
	}
}

// rewrite sends requests for http://hearthgate to a test server.
type rewrite struct {
	url  string
	next http.RoundTripper
}

func (r rewrite) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Host = strings.TrimPrefix(r.url, "http://")
	return r.next.RoundTrip(req)
}

// FuzzRequest: no request makes the API fail inside, answer with anything but JSON, or make a config line that was not
// meant.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][2]string{
		{"POST /api/v1/peers", `{"name": "Anna\nPostUp = x", "expires": "7d"}`},
		{"PATCH /api/v1/peers/x", `{"name": "a"}`},
		{"POST /api/v1/services", `{"name": "a", "target": "b:1"}`},
		{"GET /api/v1/peers?name=%00", ""},
		{"GET /api/v1/journal?limit=-1", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	h := newHouse(f)
	f.Fuzz(func(t *testing.T, line, body string) {
		method, path, _ := strings.Cut(line, " ")
		if strings.Contains(path, "/events") || !strings.HasPrefix(path, "/api/") {
			return // a stream has no end
		}
		req, err := http.NewRequestWithContext(t.Context(), method, "http://hearthgate"+path, strings.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code >= 500 {
			t.Errorf("%s: %d %s", line, w.Code, w.Body)
		}
		var e Enrolment
		if w.Code != http.StatusCreated || json.Unmarshal(w.Body.Bytes(), &e) != nil || e.Config == "" {
			return
		}
		if _, err := peers.ParseClientConfig(e.Config); err != nil {
			t.Errorf("%s: a phone would refuse this config: %v", body, err)
		}
		if strings.Count(e.Config, "\n") > 8 {
			t.Errorf("%s makes a line too many:\n%s", body, e.Config)
		}
	})
}
