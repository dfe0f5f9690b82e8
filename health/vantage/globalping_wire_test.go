package vantage

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

// script is a service that answers by hand; it counts.
type script struct {
	mu    sync.Mutex
	posts int
	gets  int
	post  http.HandlerFunc
	get   func(w http.ResponseWriter, r *http.Request, n int)
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		s.posts++
		s.post(w, r)
		return
	}
	s.gets++
	s.get(w, r, s.gets)
}

func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func always(h http.HandlerFunc) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) { h(w, r) }
}

const (
	accepted = `{"id":"abc","probesCount":3}`
	finished = `{"id":"abc","type":"ping","status":"finished","target":"11.0.0.2","results":[]}`
)

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, strings.Repeat(" ", 64<<10)); err != nil {
			return
		}
	}
}

// What a service does instead of looking is never anything about the port.
func TestGlobalpingRefusals(t *testing.T) {
	t.Parallel()
	unasked := always(says(500, ""))
	for _, test := range []struct {
		name string
		post http.HandlerFunc
		get  func(http.ResponseWriter, *http.Request, int)
		why  health.Code
		args string // that they contain
	}{
		{"the address is on a blacklist", says(400, `{"error":{"type":"validation_error","message":"Parameter validation failed.",`+
			`"params":{"target":"\"target\" must not be a blacklisted IP"}},"links":{}}`), unasked, health.VantageRefused, "blacklisted"},
		{
			"we are on a blacklist", says(403, `{"error":{"type":"access_forbidden","message":"Access Forbidden."}}`), unasked,
			health.VantageRefused, "access_forbidden",
		},
		{
			"a complaint full of terminal commands", says(403, `{"error":{"message":"\u001b[2J\u0007`+strings.Repeat("x", 1000)+`"}}`), unasked,
			health.VantageRefused, "xxx…",
		},
		{
			"no probes", says(422, `{"error":{"type":"no_probes_found","message":"No matching IPv6 probes available."}}`), unasked,
			health.FewProbes, "",
		},
		{"too often", says(429, `{"error":{"type":"too_many_requests"}}`, "Retry-After", "1800"), unasked, health.VantageBusy, "T"},
		{"broken", says(500, "oops"), unasked, health.VantageSilent, ""},
		{"moved", says(302, "", "Location", "/v1/measurements/abc"), unasked, health.VantageBroken, ""},
		{"cut short", says(202, `{"id":"ab`), unasked, health.VantageBroken, ""},
		{"a wild id", says(202, `{"id":"../../etc/passwd"}`), unasked, health.VantageBroken, ""},
		{"without end", endless, unasked, health.VantageBroken, ""},
		{"the result is cut short", says(202, accepted), always(says(200, finished[:40])), health.VantageBroken, ""},
		{"the result is without end", says(202, accepted), always(endless), health.VantageBroken, ""},
		{"the result is broken", says(202, accepted), always(says(502, "")), health.VantageSilent, ""},
		{"the result is too often asked for", says(202, accepted), always(says(429, "")), health.VantageSilent, ""},
		{"the result is gone", says(202, accepted), always(says(404, `{"error":{"type":"not_found"}}`)), health.VantageRefused, "404"},
		{
			"the result is of another question", says(202, accepted), always(says(200, strings.Replace(finished, "abc", "abd", 1))),
			health.VantageBroken, "",
		},
		{
			"the result is of another address", says(202, accepted), always(says(200, strings.Replace(finished, "11.0.0.2", "11.0.0.3", 1))),
			health.VantageBroken, "",
		},
		{"nobody looked", says(202, accepted), always(says(200, finished)), health.FewProbes, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			server := httptest.NewServer(&script{post: test.post, get: test.get})
			t.Cleanup(server.Close)
			seen := b.lookAt(t, server.URL)
			if len(seen) != 1 || seen[0].State != health.Untested || seen[0].Why != test.why || seen[0].Controls != (health.Controls{}) {
				t.Fatalf("saw %+v", seen)
			}
			if text := fmt.Sprint(seen[0].Args); !strings.Contains(text, test.args) || strings.ContainsAny(text, "\x1b\x07") || len(text) > 500 {
				t.Errorf("it says %q", text)
			}
		})
	}
}

func TestGlobalpingLeavesABusyServiceAlone(t *testing.T) {
	t.Parallel()
	s := &script{post: says(429, "", "Retry-After", "1800"), get: always(says(500, ""))}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	b := newBench(t)
	now := time.Now()
	r := b.round()
	r.Now = func() time.Time { return now }
	g := NewGlobalping(Public{Setup: func() (health.Setup, error) { return b.setup, nil }, URL: server.URL}, nil)
	for _, step := range []struct {
		after time.Duration
		posts int
	}{{0, 1}, {time.Minute, 1}, {29 * time.Minute, 2}} {
		now = now.Add(step.after)
		seen := g.Look(t.Context(), r)
		if len(seen) != 1 || seen[0].Why != health.VantageBusy || s.posts != step.posts {
			t.Errorf("after %s: %d questions, saw %+v", step.after, s.posts, seen)
		}
	}
}

func TestGlobalpingWaitsForTheResult(t *testing.T) {
	t.Parallel()
	s := &script{post: says(202, accepted), get: func(w http.ResponseWriter, r *http.Request, n int) {
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, min(n, 2)))
		switch {
		case n == 1 || n == 2:
			_, _ = io.WriteString(w, strings.Replace(finished, `"finished"`, `"in-progress"`, 1))
		case n == 3 && r.Header.Get("If-None-Match") == `"2"`:
			w.WriteHeader(http.StatusNotModified)
		case n == 4:
			w.WriteHeader(http.StatusBadGateway)
		default:
			_, _ = io.WriteString(w, finished)
		}
	}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	b := newBench(t)
	b.setup.Canary = false
	seen := b.lookAt(t, server.URL)
	if len(seen) != 1 || seen[0].Why != health.FewProbes || s.gets < 5 {
		t.Errorf("after %d questions: %+v", s.gets, seen)
	}
}

// The words of the probes, as they were recorded, and what each pair means.
func TestReadingPairs(t *testing.T) {
	t.Parallel()
	ping := func(rcv int) string {
		return fmt.Sprintf(`{"status":"finished","rawOutput":"PING","resolvedHostname":"11.0.0.2","resolvedAddress":"11.0.0.2","timings":[],`+
			`"stats":{"min":null,"max":null,"avg":null,"total":3,"loss":0,"rcv":%d,"drop":0}}`, rcv)
	}
	failed := func(source, text string) string {
		return fmt.Sprintf(`{"status":"failed","failureSource":%q,"resolvedAddress":null,"headers":{},"rawHeaders":null,"rawBody":null,`+
			`"truncated":false,"statusCode":null,"statusCodeName":null,"tls":null,"rawOutput":%q}`, source, text)
	}
	answer := func(status int, at string) string {
		return fmt.Sprintf(`{"status":"finished","resolvedAddress":%q,"statusCode":%d,"rawBody":"x","truncated":false,"tls":null}`, at, status)
	}
	const offline = `{"status":"offline","rawOutput":"This probe is currently offline. Please try again later."}`
	none, some := ping(0), ping(1)
	for _, test := range []struct {
		ping, fetch string
		want        gpSight
	}{
		{none, failed("target", "connect ECONNREFUSED 11.0.0.2:8123"), gpRefused},
		{none, failed("target", "connect EHOSTUNREACH 11.0.0.2:8123 - Local (192.0.2.1:4)"), gpRejected},
		{none, failed("target", "connect ENETUNREACH 11.0.0.2:8123"), gpRejected},
		{none, failed("target", "connect EACCES 11.0.0.2:8123"), gpRejected},
		{none, failed("target", "connect ETIMEDOUT 11.0.0.2:8123"), gpSilent},
		{none, failed("target", "Request timeout."), gpSilent},
		{some, failed("target", "Request timeout."), gpOpen},
		{some, failed("target", "connect ECONNREFUSED 11.0.0.2:8123"), gpOpen},
		{some, offline, gpOpen},
		{some, failed("internal", "anything"), gpOpen},
		{none, failed("target", "Response does not match the HTTP/1.1 protocol (Expected HTTP/)"), gpOpen},
		{none, failed("target", "read ECONNRESET"), gpOpen},
		{none, failed("target", "other side closed"), gpOpen},
		{none, failed("target", "Client network socket disconnected before secure TLS connection was established"), gpOpen},
		{none, answer(200, "11.0.0.2"), gpOpen},
		{none, answer(403, "11.0.0.2"), gpOpen},
		{none, answer(200, "11.0.0.3"), gpGone},
		{none, failed("internal", "connect ECONNREFUSED 11.0.0.2:8123"), gpGone},
		{none, failed("internal", "connect EACCES 11.0.0.2:8123"), gpGone},
		{none, failed("resolver", "Request timeout."), gpGone},
		{none, failed("target", "Private IP ranges are not allowed."), gpGone},
		{none, failed("target", "words that nobody has seen yet"), gpGone},
		{none, offline, gpGone},
		{none, `{"status":"in-progress","rawOutput":""}`, gpGone},
		{none, `{}`, gpGone},
		{offline, failed("target", "connect ECONNREFUSED 11.0.0.2:8123"), gpGone},
		{strings.Replace(none, `"resolvedAddress":"11.0.0.2"`, `"resolvedAddress":"11.0.0.3"`, 1), failed("target", "Request timeout."), gpGone},
		{strings.Replace(some, `"resolvedAddress":"11.0.0.2"`, `"resolvedAddress":"11.0.0.3"`, 1), failed("target", "Request timeout."), gpGone},
		{strings.Replace(none, `"total":3`, `"total":0`, 1), failed("target", "Request timeout."), gpGone},
		{`{"status":"finished","resolvedAddress":"11.0.0.2"}`, failed("target", "Request timeout."), gpGone},
		{`{"status":"failed","failureSource":"internal","rawOutput":""}`, failed("target", "connect ECONNREFUSED"), gpGone},
	} {
		var p, f gpResult
		if err := json.Unmarshal([]byte(test.ping), &p); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(test.fetch), &f); err != nil {
			t.Fatal(err)
		}
		fetched, _ := f.readFetch(gpHome)
		if got := p.readPing(gpHome).both(fetched); got != test.want {
			t.Errorf("%s\n%s\nread as %d, want %d", test.ping, test.fetch, got, test.want)
		}
	}
}

func TestOnlyAWholeManifestIsAFingerprint(t *testing.T) {
	t.Parallel()
	whole := gpResult{Status: "finished", ResolvedAddress: "11.0.0.2", StatusCode: 200, RawBody: ourManifest}
	if _, fp := whole.readFetch(gpHome); !fp.IsHome() {
		t.Errorf("a whole manifest shows %+v", fp)
	}
	cut, short, stranger, banned := whole, whole, whole, whole
	cut.Truncated = true
	short.RawBody = ourManifest[:40]
	stranger.RawBody = `{"name":"Another"}`
	banned.StatusCode = 403
	for _, o := range []gpResult{cut, short, stranger, banned} {
		if sight, fp := o.readFetch(gpHome); fp.IsHome() || sight != gpOpen || identify([]homeassistant.Fingerprint{fp}, fp) != health.Something {
			t.Errorf("%+v shows %+v", o, fp)
		}
	}
}

// Whatever a service answers, a look ends, and finds nothing closed by a canary that was not opened.
func FuzzGlobalpingResult(f *testing.F) {
	f.Add([]byte(finished))
	f.Add([]byte(`{"results":[{"probe":{"asn":1,"country":"DE"},"result":{"status":"finished","resolvedAddress":"11.0.0.2","stats":{"total":3,"rcv":0}}}]}`))
	f.Add([]byte(`{"results":[{"result":{"status":"finished","resolvedAddress":"11.0.0.2","statusCode":200,"rawBody":"{}","tls":{"fingerprint256":"AA:BB"}}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var m gpMeasurement
		if json.Unmarshal(body, &m) != nil {
			return
		}
		l := &gpLook{g: NewGlobalping(Public{}, nil), family: health.IPv4, target: gpHome}
		l.r = health.Round{Now: time.Now}
		found := gpFound{gpDoor: gpDoor{port: 8123}}
		for _, r := range m.Results {
			l.probes = append(l.probes, r.Probe)
			fetched, fp := r.Result.readFetch(gpHome)
			found.sights = append(found.sights, r.Result.readPing(gpHome).both(fetched))
			found.shown = append(found.shown, fp)
		}
		o := l.observation(found)
		if o.State != health.Untested && o.State != health.PortOpen && (o.Why != health.PathInferred || o.Controls.Canary != health.NotTried) {
			t.Errorf("%+v", o)
		}
		if o.Identity == health.OurHome {
			t.Errorf("what nobody knows at home was recognised: %+v", o)
		}
	})
}
