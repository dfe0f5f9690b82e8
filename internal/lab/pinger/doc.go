// Package pinger is a stand-in for Globalping, for tests: it speaks api.globalping.io's format, and its probes really connect,
// each through a dial function of its own, so that in the lab they stand on hosts of the internet.
//
// It keeps true what the vantage depends on: which probes are chosen and that an id chooses them again, in progress before
// finished, the words of Node and undici for each way in which a connection fails, and that everything that says why a ping got no
// answer is lost (globalping-probe at f86c41c, facts/exposure.md A1).
//
// Its nouns are Globalping's. It knows no limits, no tokens and no streams, and nothing of its measurements is forgotten before
// Close.
package pinger

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Probe is where a connection is made from.
type Probe struct {
	Continent string
	Country   string // two letters
	City      string
	ASN       int
	Network   string
	Tags      []string // eyeball-network, datacenter-network
	// Dial connects from there; nil: from here. With network "tcp4" or "tcp6".
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Offline makes it vanish after it was chosen: its results say so.
	Offline bool
}

// Pinger is the service, an http.Handler. The zero value is not ready; see New.
type Pinger struct {
	// Timeout is how long a probe tries; zero: ten seconds, as the real one.
	Timeout time.Duration
	// Interval is between the packets of a ping; zero: half a second, as the real one.
	Interval time.Duration
	// Refuse, where it is not nil, may answer a question for a measurement in the service's place, and says so.
	Refuse func(w http.ResponseWriter, r *http.Request) bool

	probes []Probe
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	made     map[string]*measurement
	asked    []Question
	lifetime int
}

// New makes a service with probes. Close ends it.
func New(probes ...Probe) *Pinger {
	p := &Pinger{probes: probes, made: make(map[string]*measurement)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// Close stops the probes and waits for them.
func (p *Pinger) Close() {
	p.cancel()
	p.wg.Wait()
}

// Asked are the questions so far.
func (p *Pinger) Asked() []Question {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// Question is a measurement that was asked for.
type Question struct {
	Type      string          `json:"type"`
	Target    string          `json:"target"`
	Locations json.RawMessage `json:"locations"`
	Options   struct {
		Protocol string `json:"protocol"`
		Port     uint16 `json:"port"`
		Packets  int    `json:"packets"`
		Request  struct {
			Method string `json:"method"`
			Path   string `json:"path"`
		} `json:"request"`
	} `json:"measurementOptions"`
}

type measurement struct {
	question Question
	probes   []Probe
	results  []map[string]any // nil: in progress
}

// ServeHTTP answers POST /v1/measurements and GET /v1/measurements/ID.
func (p *Pinger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, one := strings.CutPrefix(r.URL.Path, "/v1/measurements/")
	switch {
	case one && r.Method == http.MethodGet:
		p.show(w, r, id)
	case r.URL.Path == "/v1/measurements" && r.Method == http.MethodPost:
		if p.Refuse == nil || !p.Refuse(w, r) {
			p.create(w, r)
		}
	default:
		complain(w, http.StatusNotFound, "not_found", "Not Found.", nil)
	}
}

func (p *Pinger) create(w http.ResponseWriter, r *http.Request) {
	var q Question
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&q); err != nil {
		complain(w, http.StatusBadRequest, "validation_error", "Parameter validation failed.", nil)
		return
	}
	target, err := netip.ParseAddr(q.Target)
	if err != nil || !target.IsGlobalUnicast() || target.IsPrivate() {
		complain(w, http.StatusBadRequest, "validation_error", "Parameter validation failed.",
			map[string]any{"target": `"target" must not be a private hostname`})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, q)
	probes := p.choose(q.Locations)
	if len(probes) == 0 {
		complain(w, http.StatusUnprocessableEntity, "no_probes_found", "No suitable probes found.", nil)
		return
	}
	p.lifetime++
	id := fmt.Sprintf("lab%021d", p.lifetime)
	m := &measurement{question: q, probes: probes}
	p.made[id] = m
	p.wg.Go(func() { p.run(m, target) })
	w.Header().Set("Location", "/v1/measurements/"+id)
	write(w, http.StatusAccepted, map[string]any{"id": id, "probesCount": len(probes)})
}

// choose takes the probes of an earlier measurement, or those that fit the places, none twice.
func (p *Pinger) choose(locations json.RawMessage) (chosen []Probe) {
	var id string
	if json.Unmarshal(locations, &id) == nil {
		if m := p.made[id]; m != nil {
			return m.probes
		}
		return nil
	}
	var places []struct {
		Country string   `json:"country"`
		Tags    []string `json:"tags"`
		Limit   int      `json:"limit"`
	}
	if json.Unmarshal(locations, &places) != nil {
		return nil
	}
	taken := make([]bool, len(p.probes))
	for _, place := range places {
		left := max(place.Limit, 1)
		for i, probe := range p.probes {
			fits := (place.Country == "" || place.Country == probe.Country) &&
				!slices.ContainsFunc(place.Tags, func(t string) bool { return !slices.Contains(probe.Tags, t) })
			if fits && !taken[i] && left > 0 {
				taken[i] = true
				left--
				chosen = append(chosen, probe)
			}
		}
	}
	return chosen
}

func (p *Pinger) show(w http.ResponseWriter, r *http.Request, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.made[id]
	if m == nil {
		complain(w, http.StatusNotFound, "not_found", "Couldn't find the requested measurement.", nil)
		return
	}
	status, tag := "finished", `W/"`+id+`-1"`
	if m.results == nil {
		status, tag = "in-progress", `W/"`+id+`-0"`
	}
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	results := []any{}
	for i, probe := range m.probes {
		result := map[string]any{"status": "in-progress", "rawOutput": ""}
		if m.results != nil {
			result = m.results[i]
		}
		results = append(results, map[string]any{"probe": probe.shown(), "result": result})
	}
	write(w, http.StatusOK, map[string]any{
		"id": id, "type": m.question.Type, "status": status, "target": m.question.Target, "probesCount": len(m.probes),
		"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z", "results": results,
	})
}

func (p Probe) shown() map[string]any {
	return map[string]any{
		"continent": p.Continent, "country": p.Country, "city": p.City, "state": nil, "asn": p.ASN, "network": p.Network,
		"tags": p.Tags, "resolvers": []string{"private"}, "longitude": 0, "latitude": 0,
	}
}

func complain(w http.ResponseWriter, status int, kind, message string, params map[string]any) {
	e := map[string]any{"type": kind, "message": message}
	if params != nil {
		e["params"] = params
	}
	write(w, status, map[string]any{"error": e, "links": map[string]any{}})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
