package vantage

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// The two services that answer in one go: ifconfig.co and InternetDB, in their recorded formats.

func allOn() (health.Setup, error) {
	return health.Setup{Globalping: true, PortCheck: true, InternetDB: true}, nil
}

func publicRound(facts health.Facts) health.Round {
	return health.Round{
		ID: "r1", Began: time.Now(), Facts: facts, Ports: facts.Ports(), Asked: true,
		Tell: func(health.Kind, string) {}, Now: time.Now,
	}
}

func homeAt(address string) health.Facts {
	f := health.Facts{Home: health.Home{Found: true, Port: 8123, IPv6: health.Absent}}
	if address != "" {
		f.Public = map[health.Family]health.Public{health.IPv4: {Standing: health.Known, Address: netip.MustParseAddr(address)}}
	}
	return f
}

func TestPortCheck(t *testing.T) {
	t.Parallel()
	answer := `{"ip":"%s","port":8123,"reachable":%t}`
	for _, test := range []struct {
		name   string
		home   string
		handle http.HandlerFunc
		state  health.State
		why    health.Code
	}{
		{"open", "11.0.0.2", says(200, fmt.Sprintf(answer, "11.0.0.2", true)), health.PortOpen, health.OpenReported},
		{"open, and our address is not known", "", says(200, fmt.Sprintf(answer, "11.0.0.2", true)), health.PortOpen, health.OpenReported},
		{"not seen open", "11.0.0.2", says(200, fmt.Sprintf(answer, "11.0.0.2", false)), health.Untested, health.NothingThere},
		{"another address", "11.0.0.2", says(200, fmt.Sprintf(answer, "11.0.0.3", true)), health.Untested, health.WrongTarget},
		{"a private address", "", says(200, fmt.Sprintf(answer, "192.168.1.4", true)), health.Untested, health.WrongTarget},
		{"another port", "", says(200, `{"ip":"11.0.0.2","port":80,"reachable":true}`), health.Untested, health.VantageBroken},
		{"not a word about it", "", says(200, `{"ip":"11.0.0.2","port":8123}`), health.Untested, health.VantageBroken},
		{"cut short", "", says(200, `{"ip":"11.0.0.2","po`), health.Untested, health.VantageBroken},
		{"without end", "", endless, health.Untested, health.VantageBroken},
		{"a page", "", says(200, `<html>`), health.Untested, health.VantageBroken},
		{"moved", "", says(301, "", "Location", "https://example.com/"), health.Untested, health.VantageBroken},
		{"refused", "", says(400, `{"status":400,"error":"invalid port: 8123"}`), health.Untested, health.VantageRefused},
		{"too often", "", says(429, ""), health.Untested, health.VantageBusy},
		{"broken", "", says(503, ""), health.Untested, health.VantageSilent},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/port/8123" || r.UserAgent() != "hearthgate/test (+https://github.com/hearthgate/hearthgate)" {
					t.Errorf("asked for %s as %q", r.URL.Path, r.UserAgent())
				}
				test.handle(w, r)
			}))
			t.Cleanup(server.Close)
			p := NewPortCheck(Public{Setup: allOn, Version: "test", URL: server.URL})
			seen := p.Look(t.Context(), publicRound(homeAt(test.home)))
			if len(seen) != 1 || seen[0].State != test.state || seen[0].Why != test.why || seen[0].Identity != health.Nobody {
				t.Errorf("saw %+v", seen)
			}
		})
	}
}

func TestPortCheckAsksOnceAMinute(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		says(200, `{"ip":"11.0.0.2","port":80,"reachable":false}`)(w, r)
	}))
	t.Cleanup(server.Close)
	p := NewPortCheck(Public{Setup: allOn, URL: server.URL})
	facts := homeAt("11.0.0.2")
	facts.Home.Port = 80
	seen := p.Look(t.Context(), publicRound(facts))
	if len(seen) != 2 || seen[0].Why != health.NothingThere || seen[1].Why != health.VantageBusy || asked != 1 {
		t.Errorf("%d questions, saw %+v", asked, seen)
	}
}

// Over IPv6 the service dials back this machine, which says nothing of another one.
func TestPortCheckLooksAtNoOtherMachine(t *testing.T) {
	t.Parallel()
	p := NewPortCheck(Public{Setup: allOn, URL: "http://[::1]:1"})
	facts := health.Facts{
		Home:   health.Home{Found: true, Port: 8123, Global6: []netip.Addr{netip.MustParseAddr("2a77:db8:77::20")}},
		Own6:   []netip.Addr{netip.MustParseAddr("2a77:db8:77::10")},
		Public: map[health.Family]health.Public{health.IPv4: {Standing: health.Absent}},
	}
	if seen := p.Look(t.Context(), publicRound(facts)); len(seen) != 0 {
		t.Errorf("saw %+v", seen)
	}
}

func TestInternetDB(t *testing.T) {
	t.Parallel()
	entry := `{"cpes":[],"hostnames":["h.example"],"ip":"11.0.0.2","ports":[22,%d],"tags":[],"vulns":[]}`
	for _, test := range []struct {
		name   string
		home   string
		handle http.HandlerFunc
		why    health.Code
		port   uint16
	}{
		{"listed", "11.0.0.2", says(200, fmt.Sprintf(entry, 8123)), health.Suspected, 8123},
		{"a door listed", "11.0.0.2", says(200, fmt.Sprintf(entry, 443)), health.Suspected, 443},
		{"other ports", "11.0.0.2", says(200, fmt.Sprintf(entry, 25)), health.NothingThere, 0},
		{"nothing", "11.0.0.2", says(404, `{"detail":"No information available"}`), health.NothingThere, 0},
		{"of another", "11.0.0.2", says(200, `{"ip":"11.0.0.3","ports":[8123]}`), health.VantageBroken, 0},
		{"cut short", "11.0.0.2", says(200, `{"ip":"11.0`), health.VantageBroken, 0},
		{"no port", "11.0.0.2", says(200, `{"ip":"11.0.0.2","ports":[70000]}`), health.VantageBroken, 0},
		{"without end", "11.0.0.2", endless, health.VantageBroken, 0},
		{"moved", "11.0.0.2", says(302, "", "Location", "/"), health.VantageBroken, 0},
		{"no address", "11.0.0.2", says(422, `{"detail":[{"msg":"value is not a valid IPv4 address"}]}`), health.VantageRefused, 0},
		{"too often", "11.0.0.2", says(429, ""), health.VantageBusy, 0},
		{"broken", "11.0.0.2", says(500, ""), health.VantageSilent, 0},
		{"unknown address", "", says(200, ""), health.PublicUnknown, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.handle)
			t.Cleanup(server.Close)
			d := NewInternetDB(Public{Setup: allOn, URL: server.URL})
			seen := d.Look(t.Context(), publicRound(homeAt(test.home)))
			if len(seen) != 1 || seen[0].State != health.Untested || seen[0].Why != test.why || seen[0].Port != test.port {
				t.Errorf("saw %+v", seen)
			}
		})
	}
}

func TestPublicServicesAreNotAskedUnlessSwitchedOn(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	t.Cleanup(server.Close)
	for _, setup := range []func() (health.Setup, error){
		func() (health.Setup, error) { return health.Setup{}, nil },
		func() (health.Setup, error) { s, _ := allOn(); return s, fmt.Errorf("the disk is gone") },
	} {
		p := Public{Setup: setup, URL: server.URL}
		for _, v := range []health.Vantage{NewGlobalping(p, nil), NewPortCheck(p), NewInternetDB(p)} {
			if seen := v.Look(t.Context(), publicRound(homeAt("11.0.0.2"))); seen != nil {
				t.Errorf("%s saw %+v", v.Kind(), seen)
			}
		}
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := pace{most: 2, per: time.Hour}
	for _, step := range []struct {
		at time.Duration
		ok bool
	}{{0, true}, {time.Minute, true}, {2 * time.Minute, false}, {time.Hour, true}, {time.Hour + time.Second, false}, {-day, true}} {
		if at, ok := p.take(start.Add(step.at)); ok != step.ok || !ok && !at.After(start.Add(step.at)) {
			t.Errorf("at %s: %t, again at %s", step.at, ok, at)
		}
	}
	p.leave(start.Add(5 * time.Hour))
	if at, ok := p.take(start.Add(4 * time.Hour)); ok || !at.Equal(start.Add(5*time.Hour)) {
		t.Errorf("it is asked although it wanted to be left alone: %s", at)
	}
}
