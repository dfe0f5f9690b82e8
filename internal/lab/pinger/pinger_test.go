package pinger_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab/pinger"
)

// result is one probe's part of a measurement, as Globalping writes it.
type result struct {
	Probe struct {
		City string `json:"city"`
	} `json:"probe"`
	Result struct {
		Status     string `json:"status"`
		RawOutput  string `json:"rawOutput"`
		StatusCode int    `json:"statusCode"`
		Stats      struct {
			Rcv int `json:"rcv"`
		} `json:"stats"`
	} `json:"result"`
}

func ask(t *testing.T, url, question string) (id string, results []result) {
	t.Helper()
	response, err := http.Post(url+"/v1/measurements", "application/json", strings.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		ID string `json:"id"`
	}
	decode(t, response, &made)
	for {
		if response, err = http.Get(url + "/v1/measurements/" + made.ID); err != nil {
			t.Fatal(err)
		}
		var m struct {
			Status  string   `json:"status"`
			Results []result `json:"results"`
		}
		if decode(t, response, &m); m.Status != "in-progress" {
			return made.ID, m.Results
		}
		time.Sleep(time.Millisecond)
	}
}

func decode(t *testing.T, r *http.Response, into any) {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %s: %v", r.Status, body, err)
	}
}

// The probes really connect, each in its own way, and an id takes the same ones again.
func TestProbesReallyConnect(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(target.Close)
	to := func(address string) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	}
	p := pinger.New(
		pinger.Probe{Country: "US", City: "Reno", Tags: []string{"datacenter-network"}, Dial: to("127.0.0.1:1")},
		pinger.Probe{Country: "DE", City: "Jena", Tags: []string{"eyeball-network"}, Dial: to(target.Listener.Addr().String())},
	)
	p.Interval = time.Millisecond
	t.Cleanup(p.Close)
	web := httptest.NewServer(p)
	t.Cleanup(web.Close)

	id, pinged := ask(t, web.URL, `{"type":"ping","target":"11.0.0.2","locations":[{"country":"DE","tags":["eyeball-network"],"limit":2},`+
		`{"tags":["datacenter-network"],"limit":1}],"measurementOptions":{"protocol":"TCP","port":8123,"packets":3}}`)
	if len(pinged) != 2 || pinged[0].Probe.City != "Jena" || pinged[0].Result.Stats.Rcv != 3 || pinged[1].Result.Stats.Rcv != 0 {
		t.Errorf("pinged: %+v", pinged)
	}
	_, fetched := ask(t, web.URL, `{"type":"http","target":"11.0.0.2","locations":"`+id+`",`+
		`"measurementOptions":{"protocol":"HTTP","port":8123,"request":{"method":"GET","path":"/"}}}`)
	if len(fetched) != 2 || fetched[0].Probe.City != "Jena" || fetched[0].Result.StatusCode != 404 ||
		fetched[1].Result.RawOutput != "connect ECONNREFUSED 11.0.0.2:8123" {
		t.Errorf("fetched: %+v", fetched)
	}
}
