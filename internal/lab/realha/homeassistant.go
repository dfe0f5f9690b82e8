package realha

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Options says what kind of Home Assistant a test wants. The zero value is one on this process's own network.
type Options struct {
	// Command prepares a program on the host where Home Assistant is to run, as root there; nil is exec.CommandContext.
	Command func(ctx context.Context, name string, args ...string) *exec.Cmd

	Port     int    // on all addresses of both families; 0 is 8123
	Name     string // of the home, as mDNS tells it; empty is "Test Home"
	Announce bool   // switches on zeroconf: mDNS, on every link that does multicast
	Camera   bool   // switches on the demo integration, and with it the camera that [Visitor.Camera] opens

	TrustedNetworks []netip.Prefix // whoever comes from there is offered a sign-in without a password
	BanAfter        int            // failed sign-ins from an address until it is banned; 0 bans nobody
}

// A HomeAssistant is one running Home Assistant and its configuration directory.
type HomeAssistant struct {
	Version string // such as 2026.11.0
	Port    int

	t       testing.TB
	folder  folder
	command func(ctx context.Context, name string, args ...string) *exec.Cmd
	dir     string // the test's own: config, tmp, root (an empty place to mount the folder on) and console.log
	running *process
}

const (
	startTime = 120 * time.Second // it takes 4 s on an idle machine with two cores, and 25 s on a crowded one
	stopTime  = 40 * time.Second  // 2 and 6 s, and 10 s more where streams are still open
)

// Start starts a fresh Home Assistant, waits until it answers and has set up everything, and ends it with the test.
// Where there is no real Home Assistant the test is left out, as by [Need].
func Start(t testing.TB, opt Options) *HomeAssistant {
	t.Helper()
	f := need(t)
	if opt.Command == nil {
		opt.Command = exec.CommandContext
	}
	if opt.Port == 0 {
		opt.Port = 8123
	}
	if opt.Name == "" {
		opt.Name = "Test Home"
	}
	h := &HomeAssistant{Version: f.version, Port: opt.Port, t: t, folder: f, command: opt.Command, dir: t.TempDir()}
	if err := h.furnish(opt); err != nil {
		t.Fatalf("starting Home Assistant: %v", err)
	}
	t.Cleanup(h.leave)
	h.start()
	return h
}

// furnish makes what the process mounts. Its config directory must be root's on the host, which it is by being ours.
func (h *HomeAssistant) furnish(opt Options) error {
	for _, name := range []string{"root", "config", "tmp"} {
		if err := os.Mkdir(filepath.Join(h.dir, name), 0o700); err != nil {
			return err
		}
	}
	return opt.configure(h.config(), h.Version)
}

func (h *HomeAssistant) config() string  { return filepath.Join(h.dir, "config") }
func (h *HomeAssistant) console() string { return filepath.Join(h.dir, "console.log") }

// start runs the process and returns when it answers.
func (h *HomeAssistant) start() {
	h.t.Helper()
	began := time.Now()
	p, err := h.launch()
	if err != nil {
		h.t.Fatalf("starting Home Assistant: %v", err)
	}
	h.running = p
	h.t.Logf("Home Assistant %s is starting on port %d", h.Version, h.Port)
	if err := h.ready(p); err != nil {
		h.t.Fatalf("starting Home Assistant: %v; it said:\n%s", err, h.Said())
	}
	h.t.Logf("Home Assistant has started after %.1f s", time.Since(began).Seconds())
}

// Stop ends Home Assistant by SIGTERM and waits for it. It fails the test when it had to be killed.
func (h *HomeAssistant) Stop() {
	h.t.Helper()
	if h.running == nil {
		return
	}
	began := time.Now()
	err := h.running.stop(stopTime)
	h.running = nil
	if err != nil {
		h.t.Errorf("stopping Home Assistant: %v; it said:\n%s", err, h.Said())
		return
	}
	h.t.Logf("Home Assistant stopped after %.1f s", time.Since(began).Seconds())
}

// Restart starts it again with the same configuration directory, after a Stop or instead of a running one: the accounts
// and the UUID stay, and so do bans.
func (h *HomeAssistant) Restart() {
	h.t.Helper()
	h.Stop()
	h.start()
}

// Kill ends Home Assistant as a power cut would.
func (h *HomeAssistant) Kill() {
	if h.running != nil {
		h.running.kill()
		h.running = nil
	}
}

// Forgive forgets all bans, as a household does by removing the file, and restarts.
func (h *HomeAssistant) Forgive() {
	h.t.Helper()
	h.Stop()
	if err := os.Remove(filepath.Join(h.config(), "ip_bans.yaml")); err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Fatalf("forgetting bans: %v", err)
	}
	h.start()
}

// UUID is the instance's id, as mDNS announces it: 32 hexadecimal digits.
func (h *HomeAssistant) UUID() string {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.config(), ".storage", "core.uuid"))
	if err != nil {
		h.t.Fatalf("reading Home Assistant's UUID: %v", err)
	}
	var saved struct {
		Data struct {
			UUID string `json:"uuid"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &saved); err != nil {
		h.t.Fatalf("reading Home Assistant's UUID: %v", err)
	}
	return saved.Data.UUID
}

// PID is Home Assistant's process id, 0 when it does not run.
func (h *HomeAssistant) PID() int {
	if h.running == nil {
		return 0
	}
	return h.running.cmd.Process.Pid
}

// leave ends it without ceremony, for nobody wants what it would save; it tells a failed test what Home Assistant said,
// and notices an end that nobody asked for.
func (h *HomeAssistant) leave() {
	if h.running != nil && h.running.over() {
		h.t.Errorf("Home Assistant ended by itself: %v", h.running.err)
	}
	h.Kill()
	if h.t.Failed() {
		h.t.Logf("Home Assistant said:\n%s", h.Said())
	}
}

// Said is the last of what Home Assistant wrote.
func (h *HomeAssistant) Said() string {
	text, err := os.ReadFile(h.console())
	if err != nil {
		return err.Error()
	}
	const most = 8 << 10
	if len(text) > most {
		_, text, _ = bytes.Cut(text[len(text)-most:], []byte("\n"))
	}
	return string(text)
}
