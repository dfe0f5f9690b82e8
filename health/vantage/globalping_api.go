package vantage

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// gpQuestion is a measurement that is asked for (POST /v1/measurements).
type gpQuestion struct {
	Type      string    `json:"type"`
	Target    string    `json:"target"`
	Locations any       `json:"locations"` // []gpLocation; or the id of a measurement: its probes again
	Options   gpOptions `json:"measurementOptions"`
}

type gpLocation struct {
	Country string   `json:"country,omitempty"`
	Tags    []string `json:"tags"`
	Limit   int      `json:"limit"`
}

// gpOptions always name the protocol: the service's own choice would be HTTPS and HEAD.
type gpOptions struct {
	Protocol string     `json:"protocol"`
	Port     uint16     `json:"port"`
	Packets  int        `json:"packets,omitempty"`
	Request  *gpRequest `json:"request,omitempty"`
}

type gpRequest struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// gpMeasurement is what became of it (GET /v1/measurements/ID). What is null there is zero here.
type gpMeasurement struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Status  string `json:"status"`
	Target  string `json:"target"`
	Results []struct {
		Probe  gpProbe  `json:"probe"`
		Result gpResult `json:"result"`
	} `json:"results"`
}

// gpProbe is where a probe stands. Its address is not told.
type gpProbe struct {
	Country string `json:"country"`
	City    string `json:"city"`
	ASN     int    `json:"asn"`
	Network string `json:"network"`
}

type gpResult struct {
	Status          string `json:"status"` // in-progress, finished, failed, offline
	FailureSource   string `json:"failureSource"`
	ResolvedAddress string `json:"resolvedAddress"`
	RawOutput       string `json:"rawOutput"`

	Stats *struct { // of a ping
		Total int `json:"total"`
		Rcv   int `json:"rcv"`
	} `json:"stats"`

	StatusCode int    `json:"statusCode"` // of http
	RawBody    string `json:"rawBody"`
	Truncated  bool   `json:"truncated"`
	TLS        *struct {
		Fingerprint256 string `json:"fingerprint256"`
	} `json:"tls"`
}

func gpPing(at netip.AddrPort, where any) gpQuestion {
	return gpQuestion{"ping", at.Addr().String(), where, gpOptions{Protocol: "TCP", Port: at.Port(), Packets: 3}}
}

// gpFetch asks for what Home Assistant shows to everybody.
func gpFetch(at netip.AddrPort, where any, protocol string) gpQuestion {
	request := &gpRequest{http.MethodGet, "/manifest.json"}
	return gpQuestion{"http", at.Addr().String(), where, gpOptions{Protocol: protocol, Port: at.Port(), Request: request}}
}

// gpPlaces are two probes on ordinary lines, in the home's country if it is known (some providers close a port towards the rest of
// the world only), and one in a datacenter, whose network lets everything out.
func gpPlaces(country string) []gpLocation {
	return []gpLocation{
		{Country: country, Tags: []string{"eyeball-network"}, Limit: gpProbes - 1},
		{Tags: []string{"datacenter-network"}, Limit: 1},
	}
}

var gpID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// measure asks for a measurement and waits for its end.
func (g *Globalping) measure(ctx context.Context, r health.Round, q gpQuestion) (gpMeasurement, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // the service itself gives up after half a minute
	defer cancel()
	h, err := g.service.ask(ctx, http.MethodPost, "/v1/measurements", q, nil)
	if err != nil {
		return gpMeasurement{}, err
	}
	switch h.status {
	case http.StatusAccepted:
	case http.StatusUnprocessableEntity: // no_probes_found
		return gpMeasurement{}, g.service.trouble(health.FewProbes)
	case http.StatusTooManyRequests:
		g.pace.leave(r.Now().Add(h.again()))
		return gpMeasurement{}, g.service.refused(h, r.Now())
	default:
		return gpMeasurement{}, g.service.refused(h, r.Now())
	}
	var made struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(h.body, &made) != nil || !gpID.MatchString(made.ID) {
		return gpMeasurement{}, g.service.trouble(health.VantageBroken)
	}
	m, err := g.await(ctx, r, made.ID)
	if err == nil && (m.ID != made.ID || m.Type != q.Type || !sameAddress(m.Target, q.Target)) {
		return gpMeasurement{}, g.service.trouble(health.VantageBroken)
	}
	return m, err
}

// await asks for the result, half a second after each answer, until it is there. Hiccups of the service are waited out.
func (g *Globalping) await(ctx context.Context, r health.Round, id string) (gpMeasurement, error) {
	header := http.Header{}
	pause := g.pause
	for hiccups := 0; hiccups < 3; {
		select {
		case <-ctx.Done():
			return gpMeasurement{}, g.service.trouble(health.VantageSilent)
		case <-time.After(pause):
		}
		pause = g.pause
		h, err := g.service.ask(ctx, http.MethodGet, "/v1/measurements/"+id, nil, header)
		switch {
		case err != nil:
			return gpMeasurement{}, err
		case h.status == http.StatusNotModified:
			continue
		case h.status == http.StatusTooManyRequests: // of asking for results, which says nothing of the next measurement
			hiccups, pause = hiccups+1, 4*g.pause
			continue
		case h.status >= 500:
			hiccups++
			continue
		case h.status != http.StatusOK:
			return gpMeasurement{}, g.service.refused(h, r.Now())
		}
		var m gpMeasurement
		if json.Unmarshal(h.body, &m) != nil || m.Status == "" {
			return gpMeasurement{}, g.service.trouble(health.VantageBroken)
		}
		if m.Status != "in-progress" {
			return m, nil
		}
		header.Set("If-None-Match", h.header.Get("ETag"))
	}
	return gpMeasurement{}, g.service.trouble(health.VantageSilent)
}

func sameAddress(a, b string) bool {
	x, err := netip.ParseAddr(strings.TrimSpace(a))
	y, err2 := netip.ParseAddr(b)
	return err == nil && err2 == nil && x == y
}
