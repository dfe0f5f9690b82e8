package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/lab/realha"
)

// BenchmarkFigures measures what docs/figures.md tells, in the lab, on the real Home Assistant. It is no test: machines
// differ. `make figures` runs it.
func BenchmarkFigures(b *testing.B) {
	realha.Need(b)
	figures := []string{b.Name()}
	note := func(what, format string, args ...any) {
		figures = append(figures, fmt.Sprintf("%-44s %s", what, fmt.Sprintf(format, args...)))
	}
	h := newHome(b)
	home := realha.Start(b, realha.Options{Command: h.HomeAssistant.Command})
	note("Home Assistant", "%s", home.Version)
	sizes(b, note)

	h.args = []string{"--endpoint", h.WAN4.String(), "--home-assistant", h.homeAssistantURL()}
	h.start(b)
	mib := func(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
	settle := func() memory { time.Sleep(30 * time.Second); return h.memory(b) }
	note("resident memory, idle, no phone", "%s", mib(settle().resident))

	inside := h.status(b).Tunnel.IPv4
	var phones []*lab.Host
	var open []net.Conn
	for i := range 5 {
		on, _ := h.phone(b, fmt.Sprintf("phone%d", i), fmt.Sprintf("Phone %d", i), lab.Allowed)
		phones = append(phones, on)
		for range 4 {
			open = append(open, openConnection(b, on, inside))
		}
	}
	note("resident memory, 5 phones with 20 connections", "%s", mib(settle().resident))
	for i := range 195 {
		h.do(b, "peer", "add", fmt.Sprintf("Guest %d", i), "--conf")
	}
	m := settle()
	note("resident memory, 200 peers, 5 of them phones", "%s", mib(m.resident))
	note("peak resident memory until here", "%s", mib(m.peak))
	for _, c := range open {
		c.Close()
	}

	var told, cuts, stops []time.Duration
	for i, on := range phones {
		c := openConnection(b, on, inside)
		began, cut := time.Now(), make(chan time.Duration, 1)
		go func() {
			_, _ = io.Copy(io.Discard, c) // how it ends does not matter
			cut <- time.Since(began)
		}()
		h.do(b, "peer", "remove", fmt.Sprintf("Phone %d", i))
		told = append(told, time.Since(began))
		cuts = append(cuts, <-cut)
	}
	note("from starting `peer remove` to its answer", "%s", spread(told))
	note("from starting `peer remove` to the cut", "%s", spread(cuts))
	for range 5 {
		began := time.Now()
		h.daemon.Stop(b)
		stops = append(stops, time.Since(began))
		h.start(b)
	}
	note("from SIGTERM to exit, 195 peers", "%s", spread(stops))
	fmt.Println("\n" + strings.Join(figures[1:], "\n"))
}

func spread(d []time.Duration) string {
	slices.Sort(d)
	return fmt.Sprintf("median %d ms, worst %d ms of %d", d[len(d)/2].Milliseconds(), d[len(d)-1].Milliseconds(), len(d))
}

// sizes builds the product for two small machines and runs its demo.
func sizes(b *testing.B, note func(what, format string, args ...any)) {
	b.Helper()
	for _, target := range [][]string{{"arm64"}, {"mipsle", "GOMIPS=softfloat"}} {
		out := filepath.Join(b.TempDir(), "hearthgate")
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "../../../cmd/hearthgate")
		cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+target[0]), target[1:]...)
		if text, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("building for %s: %v\n%s", target[0], err, text)
		}
		info, err := os.Stat(out)
		if err != nil {
			b.Fatal(err)
		}
		note("binary for "+target[0], "%.1f MiB", float64(info.Size())/(1<<20))
	}
	binary, err := product()
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if out, err := exec.Command(binary, "demo").CombinedOutput(); err != nil {
		b.Fatalf("demo: %v\n%s", err, out)
	}
	note("hearthgate demo", "%.1f s", time.Since(began).Seconds())
}
