package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/peers/usage"
	"github.com/hearthgate/hearthgate/webui/account"
)

// house is an API over real peers and a real account; what belongs to other rooms is made up here, where it can be read.
// Every answer that a test gets is compared with openapi.yaml.
type house struct {
	*Server
	t        testing.TB
	store    *store.Store
	as       Caller // who asks; the machine's owner unless a test says otherwise
	registry *peers.Registry
	journal  *journal.Journal
	account  *account.Account
	log      *bytes.Buffer
	live     map[string]Live
	endpoint Endpoint
	noRoute  error
	syncs    int
	setting  string
	open     map[string]string // what lies on the desk, by session and peer
	looking  *looking
	router   *fakeRouter
	page     WebStatus
}

func (h *house) Live() map[string]Live { return h.live }
func (h *house) ListenPort() uint16    { return 51820 }
func (h *house) Socket() string        { return "/run/uapi.sock" }
func (h *house) Sync(context.Context)  { h.syncs++ }
func (h *house) Endpoint() (Endpoint, error) {
	return h.endpoint, h.noRoute
}

func (h *house) List() ([]Service, error) {
	return []Service{
		{Name: "home-assistant", Protocol: "tcp", Port: 8123, State: "up"},
		{Name: "camera", Protocol: "tcp", Port: 8081, State: "unknown"},
	}, nil
}

func (h *house) Add(AddService) (Service, error) {
	return Service{}, refuse(ErrConflict, "it is there")
}
func (h *house) Remove(string) error { return refuse(ErrNotFound, "no such service") }

func (h *house) Days(string) ([]usage.Day, error) {
	return []usage.Day{{Date: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Received: 3, Sent: 4}}, nil
}

func (h *house) Setting() (string, bool, error) { return h.setting, false, nil }

func (h *house) MakeLink(_ context.Context, id string) (Link, error) {
	return Link{URL: "http://192.168.1.5:51821/link#" + id, ExpiresAt: time.Now().UTC()}, nil
}

func (h *house) OpenConfig(session, peer string) (config, name string, ok bool) {
	config, ok = h.open[session+" "+peer]
	return config, "anna", ok
}

func (h *house) Web() WebStatus { return h.page }

// settingsOf is the house's settings; its Set would clash with others'.
type settingsOf struct{ *house }

func (s settingsOf) Set(value string) error {
	s.setting = value
	return nil
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{
		t: t, as: Caller{Owner: true}, log: new(bytes.Buffer), live: map[string]Live{}, open: map[string]string{},
		endpoint: Endpoint{Address: "home.example.org:51820", Scope: "configured"},
		looking:  &looking{changed: make(chan struct{}, 1)}, router: &fakeRouter{},
		page: WebStatus{URLs: []string{"http://192.168.1.5:51821/"}, SetupCode: "123456"},
	}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	st, err := store.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h.store = st
	h.journal = journal.New(st, time.Now, log)
	h.registry = peers.New(st, h.journal, clock.NewMark(st, clock.System()), log)
	h.registry.CheckServices(func(_ *store.Tx, name string) (bool, error) { return name == "home-assistant" || name == "camera", nil })
	if _, err := h.registry.Init(nil); err != nil {
		t.Fatal(err)
	}
	finder, err := homeassistant.New(homeassistant.Config{Store: st, Journal: h.journal, Log: log, URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	h.account = account.New(account.Config{
		Store: st, Journal: h.journal, Now: time.Now, Synchronised: func() bool { return true },
		Suggest: func() string { return "correct horse battery staple" }, Log: log,
	})
	h.Server = New(Config{
		Peers: h.registry, Services: h, Tunnel: h, Endpoint: h, HomeAssistant: finder, Journal: h.journal,
		Now: time.Now, Synchronised: func() bool { return true }, Version: "test", StateDir: "/state", Log: log,
		Account: h.account, Usage: h, Settings: settingsOf{h}, Links: h, Desk: h, Web: h,
		Health: &Health{Loop: h.looking, Settings: health.NewSettings(st, h.journal, named), Router: h.router, Alerts: func() []Alert {
			return []Alert{{Name: "webhook", At: time.Now().UTC(), Error: "it refused"}}
		}},
	})
	return h
}

// ServeHTTP answers as the API does for whoever asks.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.Server.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), h.as)))
}

func (h *house) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.askAs(h.as, method, path, body, headers...)
}

// askAs asks as somebody; headers are names and values in turn.
func (h *house) askAs(c Caller, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, path, r)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.Server.ServeHTTP(w, req.WithContext(WithCaller(req.Context(), c)))
	described(h.t, req, w)
	return w
}

// get asks for something that is there, and reads it.
func (h *house) get(path string, into any) {
	h.t.Helper()
	w := h.ask(http.MethodGet, path, "")
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != http.StatusOK {
		h.t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
}

func (h *house) add(t testing.TB, body string) Enrolment {
	t.Helper()
	w := h.ask(http.MethodPost, "/api/v1/peers", body)
	if w.Code != http.StatusCreated {
		t.Fatalf("adding %s: %d %s", body, w.Code, w.Body)
	}
	var e Enrolment
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// claim sets the passphrase, as the first visitor of the page does, and gives the session.
func (h *house) claim() account.Session {
	h.t.Helper()
	in, err := h.account.TakeClaim(h.t.Context(), account.Claiming{
		Code: h.account.SetupCode(), Passphrase: "four random words here",
		Visitor: account.Visitor{Addr: netip.MustParseAddr("192.168.1.7"), Agent: "Firefox"},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return in.Session
}

// signIn is another browser of the household.
func (h *house) signIn() account.Session {
	h.t.Helper()
	in, err := h.account.SignIn(h.t.Context(), "four random words here", true, account.Visitor{Addr: netip.MustParseAddr("192.168.1.8")})
	if err != nil {
		h.t.Fatal(err)
	}
	return in.Session
}

// problemOf reads a refusal.
func problemOf(t testing.TB, w *httptest.ResponseRecorder) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != problemType {
		t.Errorf("not a problem: %d %s", w.Code, w.Body)
	}
	return p
}
