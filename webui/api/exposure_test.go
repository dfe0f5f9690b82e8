package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/journal"
)

// looking is a health room whose every word a test can set.
type looking struct {
	report   health.Report
	progress health.Progress
	seen     []health.Observation
	history  []health.Entry
	asked    int
	changed  chan struct{}
}

func (l *looking) Report() health.Report            { return l.report }
func (l *looking) Check()                           { l.asked++ }
func (l *looking) Progress() health.Progress        { return l.progress }
func (l *looking) Seen() []health.Observation       { return l.seen }
func (l *looking) Watch() (<-chan struct{}, func()) { return l.changed, func() {} }

func (l *looking) History(before uint64, limit int) (out []health.Entry, err error) {
	for _, e := range l.history {
		if (before == 0 || e.Seq < before) && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

// fakeRouter deletes what it has, unless it is told to refuse or to forget to.
type fakeRouter struct {
	has    []Mapping
	refuse error
	lazy   bool
}

func (r *fakeRouter) Mappings() []Mapping { return r.has }

func (r *fakeRouter) Delete(_ context.Context, id string) error {
	if r.refuse != nil {
		return r.refuse
	}
	if !r.lazy {
		r.has = slices.DeleteFunc(slices.Clone(r.has), func(m Mapping) bool { return m.ID == id })
	}
	return nil
}

// named reads an invite as the witness's own code does: it tells what was wrong, even in the caller's own words.
func named(invite string) (string, error) {
	name, ok := strings.CutPrefix(invite, "hearthgate-witness:")
	if !ok {
		return "", fmt.Errorf("%q is no invite", invite)
	}
	return name, nil
}

// TestNobodyLookedIsNeverClosed: what says nothing, or something unknown, is unverified.
func TestNobodyLookedIsNeverClosed(t *testing.T) {
	h := newHouse(t)
	without := newHouse(t)
	without.cfg.Health = nil
	for _, one := range []*house{h, without} {
		for _, said := range []health.Verdict{health.Unverified, -1, 17} {
			h.looking.report = health.Report{Verdict: said}
			var got Exposure
			one.get("/api/v1/exposure", &got)
			if got.State != ExposureUnverified || len(got.Reasons) != 1 || len(got.ReasonCodes) != 1 || len(got.Ports) != 2 || got.Ports[0].State != "unknown" {
				t.Errorf("%v: %+v", said, got)
			}
		}
	}
}

func exposedReport() health.Report {
	why := health.Reason{Code: health.SeenOpen, Args: health.Args{"from": "a witness", "address": "203.0.113.7", "port": "8123"}}
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return health.Report{
		Verdict: health.Exposed, Reasons: []health.Reason{why}, Next: health.CloseForward, CheckedAt: at, Since: at, Until: at,
		From: []string{"a witness", "3 probes in DE"},
		Families: []health.FamilyReport{
			{Family: health.IPv4, Applies: true, Verdict: health.Exposed, Doors: []health.DoorReport{
				{Door: health.Door{Family: health.IPv4, Port: 8123}, Role: health.RoleHome, Verdict: health.Exposed, Reasons: []health.Reason{why}, CheckedAt: at, Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.7")}},
				{Door: health.Door{Family: health.IPv4, Port: 443}, Role: health.RoleDoor, Verdict: health.Closed, Open: true, Known: true},
				{Door: health.Door{Family: health.IPv4, Port: 80}, Role: health.RoleDoor, Verdict: health.Closed},
				{Door: health.Door{Family: health.IPv4, Port: 8443}, Role: health.RoleDoor},
			}},
			{Family: health.IPv6, Doors: []health.DoorReport{{Door: health.Door{Family: health.IPv6, Port: 8123}, Role: health.RoleHome}}},
		},
		Findings: []health.Reason{{Code: health.CloudRemote}},
	}
}

func TestTheVerdictIsToldWhole(t *testing.T) {
	h := newHouse(t)
	h.looking.report = exposedReport()
	var got Exposure
	h.get("/api/v1/exposure", &got)
	if got.State != ExposureExposed || got.From != "a witness, 3 probes in DE" || got.Since.IsZero() || !got.Until.IsZero() || got.Next != "remove_forward" || got.NextText == "" {
		t.Errorf("%+v", got)
	}
	if len(got.Reasons) != 1 || got.Reasons[0] != "a witness reached your Home Assistant at 203.0.113.7, port 8123." || got.ReasonCodes[0].Args["port"] != "8123" {
		t.Errorf("%+v, %+v", got.Reasons, got.ReasonCodes)
	}
	want := []PortExposure{{8123, "ipv4", "open"}, {443, "ipv4", "open"}, {80, "ipv4", "closed"}, {8443, "ipv4", "unknown"}}
	if !slices.Equal(got.Ports, want) {
		t.Errorf("%+v, want %+v", got.Ports, want)
	}
	var status Status
	if h.get("/api/v1/status", &status); status.Exposure != (ExposureStatus{ExposureExposed, got.CheckedAt}) {
		t.Errorf("the status says %+v", status.Exposure)
	}
	if len(got.Families) != 2 || got.Families[1].Applies || len(got.Families[0].Doors) != 4 || len(got.Findings) != 1 {
		t.Errorf("%+v", got)
	}
	text := h.ask("GET", "/metrics", "").Body.String()
	for _, line := range []string{
		`hearthgate_exposure_state{port="8123",family="ipv4"} 1`, `hearthgate_exposure_state{port="80",family="ipv4"} 0`,
		`hearthgate_exposure_state{port="8443",family="ipv4"} 2`, `hearthgate_exposure_checked_timestamp_seconds{port="8123",family="ipv4"} 1777636800`,
		`hearthgate_exposure_checked_timestamp_seconds{port="80",family="ipv4"} 0`, `hearthgate_exposure_last_check_timestamp_seconds 1777636800`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

func TestALookCanBeAskedForWhereSomebodyCanLook(t *testing.T) {
	h := newHouse(t)
	if w := h.ask("POST", "/api/v1/exposure/checks", ""); w.Code != http.StatusAccepted || h.looking.asked != 1 {
		t.Errorf("with somebody: %d, asked %d times", w.Code, h.looking.asked)
	}
	h.cfg.Health = nil
	if w := h.ask("POST", "/api/v1/exposure/checks", ""); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "nothing can look") {
		t.Errorf("with nobody to look: %d %s", w.Code, w.Body)
	}
}

func seenBy(kind health.Kind, port uint16) health.Observation {
	return health.Observation{
		Round: "r", Kind: kind, Seat: "seat", From: "somewhere", Family: health.IPv4, Address: netip.MustParseAddr("203.0.113.7"), Port: port,
		State: health.PortOpen, Identity: health.OurHome, Why: health.ReachBlocked, Controls: health.Controls{HomeBefore: health.Held, Reach: health.Failed},
		Began: time.Now(), At: time.Now(),
	}
}

func TestWhatEverybodySawAndHowARoundGoes(t *testing.T) {
	h := newHouse(t)
	h.looking.progress = health.Progress{Running: true, Round: "r", Began: time.Now(), Steps: []health.Working{{Kind: health.Witness, Text: "asking"}}}
	h.looking.seen = []health.Observation{seenBy(health.Witness, 8123), {Kind: health.Router, Why: health.NothingThere, At: time.Now()}}
	var got ExposureChecks
	h.get("/api/v1/exposure/checks", &got)
	if !got.Running || len(got.Steps) != 1 || len(got.Seen) != 2 || got.Seen[0].Controls.Reach != health.Failed || got.Seen[0].State != health.PortOpen {
		t.Errorf("%+v", got)
	}
	if got.Seen[0].Text != "The network of somewhere lets no packet to port 8123 out, so that silence proves nothing." {
		t.Errorf("%q", got.Seen[0].Text)
	}
	h.cfg.Health = nil
	if h.get("/api/v1/exposure/checks", &got); got.Running {
		t.Errorf("%+v", got)
	}
}

func TestHistoryIsPaged(t *testing.T) {
	h := newHouse(t)
	for seq := uint64(40); seq > 0; seq-- {
		h.looking.history = append(h.looking.history, health.Entry{Seq: seq, First: time.Now(), Last: time.Now(), Times: 1, Kind: health.Witness, Seen: []health.Observation{seenBy(health.Witness, 80)}})
	}
	h.looking.history[0].Kind, h.looking.history[0].Reasons = "", []health.Reason{{Code: health.Stale}}
	var got []ExposureEntry
	if h.get("/api/v1/exposure/history", &got); len(got) != defaultEntries || got[0].Reasons[0].Text == "" {
		t.Errorf("%d entries", len(got))
	}
	if h.get("/api/v1/exposure/history?before=11&limit=3", &got); len(got) != 3 || got[0].Seq != 10 {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"limit=0", "limit=201", "limit=many", "before=-1"} {
		if w := h.ask("GET", "/api/v1/exposure/history?"+bad, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	h.cfg.Health = nil
	if h.get("/api/v1/exposure/history", &got); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestASecretOfTheSetupIsNeverShown sets every one and looks at everything that can be read.
func TestASecretOfTheSetupIsNeverShown(t *testing.T) {
	h := newHouse(t)
	const one = "/api/v1/exposure/setup"
	secrets := []string{"t0ken0fHomeAssistant", "w3bh00kPassword", "mqttPassw0rd", "/secretpath", "hearthgate-witness:tower"}
	for _, body := range []string{
		`{"home_assistant_token": "t0ken0fHomeAssistant"}`, `{"webhook": "https://u:w3bh00kPassword@hooks.example.org/secretpath"}`,
		`{"mqtt": "mqtt://u:mqttPassw0rd@192.0.2.20:1883"}`, `{"globalping": true}`, `{"notify_home_assistant": true}`, `{"known": [443, 80]}`, `{"names": ["home.example.org"]}`,
	} {
		if w := h.ask("PATCH", one, body); w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if w := h.ask("POST", "/api/v1/exposure/witnesses", `{"invite": " hearthgate-witness:tower\n"}`); w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), `"tower"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	everything := h.log.String()
	for _, route := range h.Routes() {
		if method, path, _ := strings.Cut(route, " "); method == http.MethodGet && !strings.HasSuffix(path, "/events") {
			everything += h.ask(method, path, "").Body.String()
		}
	}
	for _, secret := range secrets {
		if strings.Contains(everything, secret) {
			t.Errorf("%s is shown", secret)
		}
	}
	var got ExposureSetup
	h.get(one, &got)
	if !got.HomeAssistantToken.Set || got.Webhook != (SecretView{true, "hooks.example.org"}) || got.MQTT != (SecretView{true, "192.0.2.20:1883"}) ||
		!got.Globalping || got.PortCheck || !got.NotifyHomeAssistant || !slices.Equal(got.Known, []uint16{443, 80}) || len(got.Alerts) != 1 ||
		!slices.Equal(got.Witnesses, []WitnessView{{"tower"}}) || !slices.Equal(got.Names, []string{"home.example.org"}) {
		t.Errorf("%+v", got)
	}
}

func TestWhatTheSetupRefuses(t *testing.T) {
	h := newHouse(t)
	const one = "/api/v1/exposure/setup"
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"PATCH", one, `{}`, 400, "exactly one"},
		{"PATCH", one, `{"globalping": true, "canary": true}`, 400, "exactly one"},
		{"PATCH", one, `{"witnesses": []}`, 400, "witnesses"},
		{"PATCH", one, `{"webhook": "ftp://x:hidden@y/"}`, 400, "http"},
		{"PATCH", one, `{"mqtt": "http://x:hidden@y/"}`, 400, "mqtt"},
		{"PATCH", one, `{"notify_home_assistant": true}`, 400, "token"},
		{"PATCH", one, `{"names": ["a", "b", "c", "d", "e"]}`, 400, "names"},
		{"PATCH", one, `{"known": [70000]}`, 400, "JSON"},
		{"POST", "/api/v1/exposure/witnesses", `{"invite": "hearthgate-witnes:hidden"}`, 400, "invite"},
		{"POST", "/api/v1/exposure/witnesses", `{"invite": ""}`, 400, "invite"},
		{"DELETE", "/api/v1/exposure/witnesses/nobody", "", 404, "nobody"},
		{"POST", "/api/v1/exposure/mappings/delete", `{"id": "nothing"}`, 404, "mapping"},
		{"POST", "/api/v1/exposure/mappings/delete", `{"id": ""}`, 404, "mapping"},
		{"POST", "/api/v1/exposure/mappings/delete", `{"ids": ["x"]}`, 400, "ids"},
	} {
		w := h.ask(c.method, c.path, c.body)
		p := problemOf(t, w)
		if w.Code != c.status || !strings.Contains(p.Detail, c.says) || strings.Contains(p.Detail, "hidden") || strings.Contains(h.log.String(), "hidden") {
			t.Errorf("%s %s %s: %d %q", c.method, c.path, c.body, w.Code, p.Detail)
		}
	}
	for i := range health.MaxWitnesses {
		h.ask("POST", "/api/v1/exposure/witnesses", fmt.Sprintf(`{"invite": "hearthgate-witness:w %d/"}`, i))
	}
	if w := h.ask("POST", "/api/v1/exposure/witnesses", `{"invite": "hearthgate-witness:more"}`); w.Code != http.StatusBadRequest {
		t.Errorf("one too many: %d %s", w.Code, w.Body)
	}
	if w := h.ask("DELETE", "/api/v1/exposure/witnesses/w%201%2F", ""); w.Code != http.StatusNoContent {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestADeletionOfAMappingSaysWhatIsThereAfterwards(t *testing.T) {
	h := newHouse(t)
	bad := Mapping{ID: "m1", Protocol: "tcp", External: "8123", Internal: "192.0.2.5:8123", HomeAssistant: true, Enabled: true}
	const path, body = "/api/v1/exposure/mappings/delete", `{"id": "m1"}`
	for _, c := range []struct {
		name   string
		router fakeRouter
		status int
		gone   bool
		writes string
	}{
		{"deleted", fakeRouter{}, http.StatusOK, true, "true"},
		{"promised and kept", fakeRouter{lazy: true}, http.StatusOK, false, "false"},
		{"refused", fakeRouter{refuse: errors.New("606 action not authorized")}, http.StatusConflict, false, ""},
		{"gone meanwhile", fakeRouter{refuse: ErrNotFound}, http.StatusNotFound, false, ""},
	} {
		*h.router = c.router
		h.router.has = []Mapping{bad, {ID: "m2", Protocol: "udp", External: "51820"}}
		asked := h.looking.asked
		before := h.written(t)
		w := h.ask("POST", path, body)
		if w.Code != c.status {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		news := h.written(t)[len(before):]
		if c.writes == "" {
			if len(news) != 0 || h.looking.asked != asked {
				t.Errorf("%s: %+v was written", c.name, news)
			}
			continue
		}
		var got DeletedMapping
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Gone != c.gone || got.Mapping != bad {
			t.Errorf("%s: %v %+v", c.name, err, got)
		}
		if len(news) != 1 || news[0].Type != journal.MappingDeleted || news[0].Data["gone"] != c.writes || news[0].Data["external"] != "8123" || h.looking.asked != asked+1 {
			t.Errorf("%s: %+v, asked %d", c.name, news, h.looking.asked-asked)
		}
	}
}

// written is the journal, the oldest first.
func (h *house) written(t *testing.T) []journal.Event {
	t.Helper()
	list, err := h.journal.After(0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWithoutARouterThereAreNoMappings(t *testing.T) {
	h := newHouse(t)
	h.cfg.Health.Router, h.cfg.Health.Alerts = nil, nil
	if w := h.ask("GET", "/api/v1/exposure/mappings", ""); w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.ask("POST", "/api/v1/exposure/mappings/delete", `{"id": "m1"}`); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := h.ask("GET", "/api/v1/exposure/setup", ""); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestTheClientAsksForAllOfIt(t *testing.T) {
	h := newHouse(t)
	h.looking.report, h.looking.seen = exposedReport(), []health.Observation{seenBy(health.Phone, 8123)}
	h.looking.history = []health.Entry{{Seq: 1, Times: 1}}
	h.router.has = []Mapping{{ID: "m1", External: "8123"}}
	server := httptest.NewServer(h)
	defer server.Close()
	c := &Client{http: &http.Client{Transport: rewrite{server.URL, http.DefaultTransport}}, path: "test"}
	ctx := t.Context()
	if err := c.StartCheck(ctx); err != nil || h.looking.asked != 1 {
		t.Error(err)
	}
	if got, err := c.Exposure(ctx); err != nil || got.State != ExposureExposed {
		t.Errorf("%v %+v", err, got)
	}
	if got, err := c.CheckProgress(ctx); err != nil || len(got.Seen) != 1 || got.Seen[0].Identity != health.OurHome {
		t.Errorf("%v %+v", err, got)
	}
	if name, err := c.AddWitness(ctx, "hearthgate-witness:a b/c"); err != nil || name != "a b/c" {
		t.Errorf("%v %q", err, name)
	}
	yes := true
	if got, err := c.PatchExposureSetup(ctx, PatchExposureSetup{Canary: &yes}); err != nil || !got.Canary || len(got.Witnesses) != 1 {
		t.Errorf("%v %+v", err, got)
	}
	if err := c.RemoveWitness(ctx, "a b/c"); err != nil {
		t.Error(err)
	}
	if got, err := c.ExposureSetup(ctx); err != nil || len(got.Witnesses) != 0 {
		t.Errorf("%v %+v", err, got)
	}
}

// TestProgressComesToWhoAsksForIt, and to nobody else: other readers take what comes for the journal.
func TestProgressComesToWhoAsksForIt(t *testing.T) {
	h := newHouse(t)
	server := httptest.NewServer(h)
	defer server.Close()
	c := &Client{http: &http.Client{Transport: rewrite{server.URL, http.DefaultTransport}}, path: "test"}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for query, want := range map[string]string{"?progress=1": ExposureProgress, "?progress=0": string(journal.PeerAdded)} {
		resp, err := c.send(ctx, http.MethodGet, "/api/v1/events"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case h.looking.changed <- struct{}{}:
		default:
		}
		if query != "?progress=1" {
			h.add(t, `{"name": "Anna"}`)
		}
		text := make([]byte, 4096)
		var got string
		for err == nil && !strings.Contains(got, "\n\n") {
			var n int
			n, err = resp.Body.Read(text)
			got += string(text[:n])
		}
		resp.Body.Close()
		if !strings.Contains(got, "event: "+want+"\n") {
			t.Errorf("%s: %q", query, got)
		}
	}
}
