package webui

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
)

func TestTheFrontPageShowsPhonesByNameAHundredAtATime(t *testing.T) {
	h := newPhoneHouse(t)
	for i := range rowsPerPage + 5 {
		name := fmt.Sprintf("%c phone %03d", "aB"[i%2], i)
		if _, err := h.cfg.Peers.Add(peers.AddRequest{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	b := h.owner()
	var all []string
	rows := regexp.MustCompile(`<bdi class="name">([^<]*)</bdi>`)
	for _, target := range []string{"/", "/?page=2"} {
		w := b.get(target)
		found := rows.FindAllStringSubmatch(w.Body.String(), -1)
		if w.Code != http.StatusOK || len(found) > rowsPerPage {
			t.Fatalf("%s: %d, %d rows", target, w.Code, len(found))
		}
		for _, f := range found {
			all = append(all, strings.ToLower(f[1]))
		}
	}
	if len(all) != rowsPerPage+5 || !slices.IsSorted(all) {
		t.Errorf("%d phones, sorted: %v", len(all), slices.IsSorted(all))
	}
	for _, target := range []string{"/?page=0", "/?page=-1", "/?page=4", "/?page=99999999999999999999", "/?page=x", "/?page="} {
		if w := b.get(target); w.Code != http.StatusOK || len(rows.FindAllString(w.Body.String(), -1)) == 0 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestWhatNobodyHasCheckedIsNeverShownAsClosed(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	m, err := h.homeModel(&visit{Context: h.echo.NewContext(mustRequest(t), nil), server: h.Server})
	if err != nil {
		t.Fatal(err)
	}
	if m.Exposure.Report.Verdict != health.Unverified || len(m.Exposure.Report.Reasons) == 0 || m.Exposure.Check {
		t.Errorf("%+v", m.Exposure)
	}
	if w := b.send("/check"); w.Header().Get("Location") != "/" {
		t.Errorf("%d", w.Code)
	}
	if w := b.get("/"); !strings.Contains(w.Body.String(), `class="notice info"`) {
		t.Errorf("nothing is said:\n%s", text(w))
	}
}

func mustRequest(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheRemoteCardSaysHowPhonesFindHome(t *testing.T) {
	h := newPhoneHouse(t)
	if got := h.remote(); got.State != "ready" || got.Endpoint != "home.example.org:51820" {
		t.Errorf("%+v", got)
	}
	h.endpoint = api.Endpoint{Address: "192.168.1.5:51820", Scope: scopeLAN}
	if got := h.remote(); got.State != "at_home_only" {
		t.Errorf("%+v", got)
	}
	b := h.owner()
	path := b.add("Anna")
	if w := b.get(path + "/scan"); !strings.Contains(text(w), "192.168.1.5:51820") {
		t.Errorf("the page with the code does not say that it works at home only:\n%s", text(w))
	}
	h.noRoute = http.ErrNotSupported
	if got := h.remote(); got.State != "no_endpoint" {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNoHomeAssistantIsNotTaken(t *testing.T) {
	h := newPhoneHouse(t)
	w := h.owner().send("/home-assistant", "target", "http://127.0.0.1:1\r\nx")
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `class="notice error"`) || strings.Contains(text(w), "problem.") {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
}

func TestAPhonesStateIsTheOneThatTheAPIGives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newPhoneHouse(t)
		registry := h.cfg.Peers
		add := func(name string) peers.Peer {
			e, err := registry.Add(peers.AddRequest{Name: name, ExpiresAt: map[bool]time.Time{true: time.Now().Add(time.Hour)}[name == "expired"]})
			if err != nil {
				t.Fatal(err)
			}
			return e.Peer
		}
		need := add("needs enrolment")
		if _, _, err := registry.RekeyServer(); err != nil {
			t.Fatal(err)
		}
		add("waiting")
		active, idle, told, disabled, expired := add("active"), add("idle"), add("told by the tunnel only"), add("disabled"), add("expired")
		h.handshake("/phones/"+idle.ID, "")
		for _, p := range []peers.Peer{active, need, disabled, expired} {
			h.handshake("/phones/"+p.ID, "")
		}
		h.live[idle.ID], h.live[told.ID] = api.Live{}, api.Live{LastHandshake: time.Now()}
		if _, err := registry.SetDisabled(disabled.ID, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)

		other := api.New(api.Config{
			Peers: registry, Services: h, Tunnel: h, Endpoint: houseEndpoint{h}, HomeAssistant: h.cfg.HomeAssistant, Journal: h.cfg.Journal,
			Now: time.Now, Synchronised: h.cfg.Synchronised, Log: h.cfg.Log, Owner: true,
		})
		w := httptest.NewRecorder()
		other.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/peers", nil))
		var list []api.Peer
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list) != 7 {
			t.Fatalf("%v %s", err, w.Body)
		}
		seen := map[api.State]bool{}
		for _, shown := range list {
			seen[shown.State] = true
			p, err := registry.Get(shown.ID)
			if err != nil {
				t.Fatal(err)
			}
			if row := row(p, h.Live()[p.ID], time.Now()); row.State != string(shown.State) || !row.SeenAt.Equal(shown.LastHandshakeAt) {
				t.Errorf("%s: %+v, and the API has %+v", p.Name, row, shown)
			}
		}
		if len(seen) != 6 {
			t.Errorf("only these states came up: %v", seen)
		}
	})
}
