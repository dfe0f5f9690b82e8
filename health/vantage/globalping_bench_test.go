package vantage

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/lab/pinger"
)

var (
	gpHome  = netip.MustParseAddr("11.0.0.2")
	gpHome6 = netip.MustParseAddr("2a77:db8:77::20")
)

const gpCanaryPort = 50123

// dialer is how a port behaves for a probe.
type dialer func(ctx context.Context) (net.Conn, error)

// gpWorld is the internet around one home: what a probe finds at each port. What is not in it is silent.
type gpWorld struct {
	mu    sync.Mutex
	ports map[uint16]dialer
	every dialer                       // of all other ports; nil: silent
	only  map[string]map[uint16]dialer // what one probe finds, by its city
	seen  atomic.Int32                 // who came to the canary
}

func (w *gpWorld) probe(country, city string, asn int, tag string) pinger.Probe {
	return pinger.Probe{
		Continent: "EU", Country: country, City: city, ASN: asn, Network: "Net " + city, Tags: []string{tag},
		Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
			at := netip.MustParseAddrPort(address)
			w.mu.Lock()
			behave, own := w.only[city][at.Port()]
			if !own {
				behave = w.ports[at.Port()]
			}
			if behave == nil {
				behave = w.every
			}
			w.mu.Unlock()
			if at.Addr() != gpHome && at.Addr() != gpHome6 || behave == nil {
				behave = silent
			}
			return behave(ctx)
		},
	}
}

func silent(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func fails(errno syscall.Errno) dialer {
	return func(context.Context) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", errno)}
	}
}

// leads passes on to a real listener.
func leads(address string) dialer {
	return func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", address) }
}

// listens is a real listener with a manner of its own.
func listens(t *testing.T, manner func(net.Conn)) dialer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); manner(conn) }()
		}
	}()
	return leads(l.Addr().String())
}

func manifests(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/manifest.json" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/manifest+json")
		_, _ = io.WriteString(w, text)
	})
}

const (
	ourManifest   = `{"name":"Home Assistant","short_name":"Home Assistant","start_url":"/?homescreen=1","icons":[1]}`
	theirManifest = `{"name":"Home Assistant","short_name":"Home Assistant","start_url":"/?homescreen=1","icons":[2]}`
)

// gpBench is one vantage in one world.
type gpBench struct {
	world  *gpWorld
	probes []pinger.Probe
	setup  health.Setup
	facts  health.Facts
	home   homeassistant.Fingerprint
	sure   bool // of the canary
	doors  bool
	server *pinger.Pinger
}

func newBench(t *testing.T) *gpBench {
	t.Helper()
	w := &gpWorld{ports: map[uint16]dialer{}, only: map[string]map[uint16]dialer{}}
	b := &gpBench{world: w, setup: health.Setup{Globalping: true, Canary: true}, sure: true}
	b.probes = []pinger.Probe{
		w.probe("DE", "Mainz", 101, "eyeball-network"), w.probe("DE", "Jena", 102, "eyeball-network"),
		w.probe("US", "Reno", 103, "datacenter-network"),
	}
	b.facts = health.Facts{
		Home:   health.Home{Found: true, Port: 8123, IPv6: health.Absent},
		Public: map[health.Family]health.Public{health.IPv4: {Standing: health.Known, Address: gpHome}},
	}
	canary := listens(t, func(c net.Conn) { w.seen.Add(1); _, _ = io.WriteString(c, "hearthgate canary\n") })
	w.ports[gpCanaryPort] = canary
	return b
}

func (b *gpBench) look(t *testing.T) []health.Observation {
	t.Helper()
	b.server = pinger.New(b.probes...)
	b.server.Timeout, b.server.Interval = 200*time.Millisecond, time.Millisecond
	web := httptest.NewServer(b.server)
	t.Cleanup(web.Close)
	t.Cleanup(b.server.Close)
	return b.lookAt(t, web.URL)
}

func (b *gpBench) lookAt(t *testing.T, url string) []health.Observation {
	t.Helper()
	g := NewGlobalping(Public{
		Setup: func() (health.Setup, error) { return b.setup, nil }, Version: "test", URL: url,
		Country: func() string { return "DE" },
	}, func(context.Context, health.Family) (OpenPort, error) {
		return OpenPort{
			At: netip.AddrPortFrom(gpHome6, gpCanaryPort), Sure: b.sure,
			Seen: func() int { return int(b.world.seen.Load()) }, Close: func() {},
		}, nil
	})
	g.pause, g.Doors = time.Millisecond, b.doors
	return g.Look(t.Context(), b.round())
}

func (b *gpBench) round() health.Round {
	return health.Round{
		ID: "r1", Began: time.Now(), Facts: b.facts, Home: b.home, Ports: b.facts.Ports(),
		Tell: func(health.Kind, string) {}, Now: time.Now,
	}
}

func (b *gpBench) one(t *testing.T) health.Observation {
	t.Helper()
	seen := b.look(t)
	if len(seen) != 1 {
		t.Fatalf("%d observations, want one: %+v", len(seen), seen)
	}
	return seen[0]
}

// learnHome takes the fingerprint at home as the loop does.
func (b *gpBench) learnHome(t *testing.T, address string) {
	t.Helper()
	fp, err := homeassistant.TakeFingerprint(t.Context(), new(net.Dialer).DialContext, address, "")
	if err != nil || !fp.IsHome() {
		t.Fatalf("taking the fingerprint at home: %+v, %v", fp, err)
	}
	b.home = fp
}
