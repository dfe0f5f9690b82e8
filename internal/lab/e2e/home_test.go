package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
	"github.com/hearthgate/hearthgate/internal/lab"
)

func TestMain(m *testing.M) {
	actSynchronised()
	// Most of these tests wait most of the time: for silence, for a browser, for a clock. Two at once, which is what two processors would
	// mean, leave both idle. -parallel on the command line stands above this.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	lab.Main(m)
}

// product builds the binary once, as for a release.
var product = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hearthgate-e2e-")
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "hearthgate")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "../../../cmd/hearthgate")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the product: %w\n%s", err, text)
	}
	return out, nil
})

// A home is a lab with the appliance in it.
type home struct {
	*lab.Lab
	binary string // as everybody may run it
	state  string
	socket string
	args   []string // of run, besides the state and the socket
	env    []string // of run
	daemon *lab.Process

	stopHome func() // stops the Home Assistant of the tests of health
}

// newHome prepares a home whose appliance does not run yet.
func newHome(t testing.TB, args ...string) *home {
	t.Helper()
	built, err := product()
	if err != nil {
		t.Fatal(err)
	}
	l := lab.New(t)
	dir := l.Appliance.Dir(t)
	return &home{
		Lab: l, binary: lab.Share(t, built), state: filepath.Join(dir, "state"), socket: filepath.Join(dir, "s"), args: args,
	}
}

// start runs the appliance as a user without any privilege and waits until it serves.
func (h *home) start(t testing.TB) {
	t.Helper()
	args := append([]string{"run", "--state-dir", h.state, "--socket", h.socket}, h.args...)
	cmd := h.Appliance.Unprivileged(t.Context(), h.binary, args...)
	cmd.Env = append(cmd.Env, h.env...)
	h.daemon = lab.Start(t, cmd)
	h.daemon.WaitFor(t, "  Next  ", 30*time.Second)
}

// ask runs a subcommand on the appliance, as its owner, and returns what it printed and how it ended.
func (h *home) ask(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	cmd := h.Appliance.Unprivileged(ctx, h.binary, args...)
	cmd.Env = append(cmd.Env, "HEARTHGATE_SOCKET="+h.socket)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// do is ask where the answer must be good.
func (h *home) do(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, errs, err := h.ask(ctx, args...)
	if err != nil {
		t.Fatalf("hearthgate %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	return out
}

// status is what these tests read of `status --json`.
type status struct {
	HomeAssistant struct {
		Phase, Address, Version, Source, Reason string
		Warnings                                []struct{ Code, Text string }
	} `json:"home_assistant"`
	Tunnel struct {
		IPv4, IPv6, URL string
		ListenPort      int `json:"listen_port"`
	}
	Endpoint struct{ Address, Scope string }
	Services []struct{ Name, State string }
	Peers    struct{ Total, Active int }
}

func (h *home) status(t testing.TB) (s status) {
	t.Helper()
	h.decode(t, &s, "status", "--json")
	return s
}

// peer is what these tests read of a peer.
type peer struct {
	ID, Name, State, IPv4, IPv6 string
	PublicKey                   string `json:"public_key"`
	Services                    []string
}

func (h *home) decode(t testing.TB, into any, args ...string) {
	t.Helper()
	if err := json.Unmarshal([]byte(h.do(t, args...)), into); err != nil {
		t.Fatalf("hearthgate %s: %v", strings.Join(args, " "), err)
	}
}

// phone enrols a phone and brings its tunnel up.
func (h *home) phone(t testing.TB, host, name string, reach lab.Reach) (*lab.Host, *lab.Tunnel) {
	t.Helper()
	config := h.do(t, "peer", "add", name, "--conf")
	on := h.AddPhone(t, host)
	tunnel := on.WireGuard(t, config, reach)
	if !tunnel.Handshake(t, 15*time.Second) {
		t.Fatalf("%s: no handshake\n%s", name, h.daemon.Output())
	}
	return on, tunnel
}

// eventually waits until ok, and fails the test with what when it does not become so within limit.
func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			t.Fatalf("waited %v for: %s", limit, what)
		}
		time.Sleep(20 * time.Millisecond) // real processes, real time
	}
	return time.Since(began)
}

// serveStandin puts the small stand-in for Home Assistant on the LAN's homeassistant host.
func (h *home) serveStandin(t testing.TB, options standin.Options) {
	t.Helper()
	l, err := h.HomeAssistant.Listen(t.Context(), "tcp", fmt.Sprintf("%s:8123", h.HomeAssistant.Addr4))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- standin.New(options).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stand-in: %v", err)
		}
	})
}

func (h *home) homeAssistantURL() string {
	return "http://" + net.JoinHostPort(h.HomeAssistant.Addr4.String(), "8123")
}

// standinHome is a started home with the stand-in, reached from the internet by the router's WAN address.
func standinHome(t testing.TB, args ...string) *home {
	t.Helper()
	h := newHome(t, args...)
	h.serveStandin(t, standin.Options{})
	h.args = append(h.args, "--home-assistant", h.homeAssistantURL(), "--endpoint", h.WAN4.String())
	h.start(t)
	return h
}

// fetch gets a page from a host of the lab.
func fetch(ctx context.Context, from *lab.Host, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	client := from.HTTPClient()
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}
