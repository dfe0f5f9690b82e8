package realha_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab/realha"
)

const base = "http://127.0.0.1:8123"

// within bounds everything that one test does with a running Home Assistant.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// visitor does not share connections with other tests, whose Home Assistant was another one.
func visitor(t *testing.T) *realha.Visitor {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &realha.Visitor{Client: &http.Client{Transport: transport}, Base: base}
}

// TestHousehold is what a household does with Home Assistant, from the first page to a restart.
func TestHousehold(t *testing.T) {
	isolated(t)
	h := realha.Start(t, realha.Options{Camera: true, Announce: true, Name: "Villa Kunterbunt"})
	ctx := within(t, 120*time.Second)
	v := visitor(t)

	page, err := v.Get(ctx, "/")
	if err != nil || !strings.Contains(string(page), "<title>Home Assistant</title>") {
		t.Fatalf("the page: %.200q, %v", page, err)
	}
	if version, err := v.Greeting(ctx); err != nil || version != h.Version {
		t.Errorf("the WebSocket greets with version %q, want %q: %v", version, h.Version, err)
	}
	if err := v.Onboard(ctx); err != nil {
		t.Fatal(err)
	}
	if err := v.Onboard(ctx); !isStatus(err, http.StatusForbidden) {
		t.Errorf("onboarding twice: %v, want 403", err)
	}
	if err := v.LogIn(ctx, realha.Owner, "wrong"); !errors.Is(err, realha.ErrWrongPassword) {
		t.Errorf("signing in with a wrong password: %v", err)
	}
	if err := v.LogIn(ctx, realha.Owner, realha.Password); err != nil {
		t.Fatal(err)
	}

	t.Run("session", func(t *testing.T) { session(ctx, t, v, h) })
	t.Run("camera", func(t *testing.T) { camera(ctx, t, v) })
	t.Run("backup", func(t *testing.T) { backup(ctx, t, v) })
	t.Run("mDNS", func(t *testing.T) { announced(ctx, t, h) })

	uuid := h.UUID()
	cut(ctx, t, v, h)
	if err := v.LogIn(ctx, realha.Owner, realha.Password); err != nil {
		t.Errorf("the account is gone after a restart: %v", err)
	}
	if after := h.UUID(); after != uuid || len(uuid) != 32 {
		t.Errorf("the UUID was %q and is %q after a restart", uuid, after)
	}
}

// cut ends Home Assistant under a session.
func cut(ctx context.Context, t *testing.T, v *realha.Visitor, h *realha.HomeAssistant) {
	s, err := v.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h.Kill()
	if err := s.Cut(ctx); err != nil {
		t.Errorf("the session goes on without Home Assistant: %v", err)
	}
	if _, err := v.Get(ctx, "/manifest.json"); err == nil {
		t.Error("it still answers after it was killed")
	}
	h.Restart()
	if s, err = v.Session(ctx); err != nil {
		t.Fatalf("the token is of no use after a restart: %v", err)
	}
	defer s.Close()
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if err := s.Cut(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a session that goes on: %v", err)
	}
}

func session(ctx context.Context, t *testing.T, v *realha.Visitor, h *realha.HomeAssistant) {
	s, err := v.Session(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var config struct {
		Version      string `json:"version"`
		LocationName string `json:"location_name"`
	}
	if err := s.Call(ctx, "get_config", nil, &config); err != nil {
		t.Fatal(err)
	}
	if config.Version != h.Version || config.LocationName != "Villa Kunterbunt" {
		t.Errorf("get_config says %+v", config)
	}
	if err := s.Ping(ctx); err != nil {
		t.Error(err)
	}
	if err := s.Call(ctx, "no_such_command", nil, nil); err == nil || !strings.Contains(err.Error(), "unknown_command") {
		t.Errorf("an unknown command: %v", err)
	}
	var http struct {
		Active string `json:"active_config_type"`
		Stable struct {
			Port int `json:"server_port"`
		} `json:"stable"`
	}
	err = s.Call(ctx, "http/config", nil, &http)
	older := err != nil && strings.Contains(err.Error(), "unknown_command") // a release before 2026.8
	if !older && (err != nil || http.Active != "stable" || http.Stable.Port != h.Port) {
		t.Errorf("http/config says %+v, %v: our settings must be in force, and not on trial", http, err)
	}
	stranger := *v
	stranger.Token = "nonsense"
	if _, err := stranger.Session(ctx); err == nil || !strings.Contains(err.Error(), "auth_invalid") {
		t.Errorf("a session with a nonsense token: %v", err)
	}
}

func camera(ctx context.Context, t *testing.T, v *realha.Visitor) {
	frames, err := v.Camera(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer frames.Close()
	var last []byte
	different := 0
	for range 6 {
		picture, err := frames.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(picture, []byte{0xff, 0xd8}) { // SOI, ITU-T T.81, table B.1
			t.Fatalf("not a JPEG: %.20q", picture)
		}
		if !bytes.Equal(picture, last) {
			different++
		}
		last = picture
	}
	if different < 3 {
		t.Errorf("%d of 6 pictures differ from the one before: this is no stream", different)
	}
}

// backup is the largest thing that a phone sends: 256 MiB up, and the same down again.
func backup(ctx context.Context, t *testing.T, v *realha.Visitor) {
	began := time.Now()
	up, err := v.Upload(ctx, 256<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("uploaded %d MiB in %.1f s", up.Size>>20, time.Since(began).Seconds())
	began = time.Now()
	down, err := v.Download(ctx, up.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("downloaded it in %.1f s", time.Since(began).Seconds())
	if up != down || up.Size < 256<<20 {
		t.Errorf("uploaded %+v, but downloaded %+v", up, down)
	}
}

// announced asks by mDNS from a port of its own, so that the answer comes to that port (RFC 6762, section 6.7).
func announced(ctx context.Context, t *testing.T, h *realha.HomeAssistant) {
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp4", "192.168.77.20:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	question := []byte("\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00" +
		"\x0f_home-assistant\x04_tcp\x05local\x00\x00\x0c\x00\x01") // one question: PTR, IN (RFC 1035, section 4.1)
	for {
		if _, err := conn.WriteTo(question, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 9000)
		n, _, err := conn.ReadFrom(answer)
		text := string(answer[:n])
		if err == nil && strings.Contains(text, "Villa Kunterbunt") && strings.Contains(text, "uuid="+h.UUID()) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("nobody announces this Home Assistant: %v, %q", err, answer[:n])
		}
	}
}

// TestTraps is the two ways in which a household's settings turn against a gate in front of Home Assistant.
func TestTraps(t *testing.T) {
	isolated(t)
	h := realha.Start(t, realha.Options{
		BanAfter:        2,
		TrustedNetworks: []netip.Prefix{netip.MustParsePrefix("192.168.77.0/24")},
	})
	ctx := within(t, 120*time.Second)
	v := visitor(t)
	if err := v.Onboard(ctx); err != nil {
		t.Fatal(err)
	}

	elsewhere := visitor(t)
	elsewhere.Base = "http://192.168.77.20:8123" // from the same address, which the network trusts
	for _, c := range []struct {
		who  *realha.Visitor
		want []string
	}{{v, []string{"homeassistant"}}, {elsewhere, []string{"homeassistant", "trusted_networks"}}} {
		if got, err := c.who.Providers(ctx); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("at %s one may sign in by %q, want %q: %v", c.who.Base, got, c.want, err)
		}
	}

	for range 3 { // more than it takes to be banned, if this counted
		if _, err := v.Greeting(ctx); err != nil {
			t.Errorf("greeting: %v", err)
		}
	}
	for range 2 {
		if err := v.LogIn(ctx, realha.Owner, "wrong"); !errors.Is(err, realha.ErrWrongPassword) {
			t.Errorf("signing in with a wrong password: %v", err)
		}
	}
	if _, err := v.Get(ctx, "/manifest.json"); !isStatus(err, http.StatusForbidden) {
		t.Errorf("after two wrong passwords: %v, want 403 to everything", err)
	}
	if _, err := elsewhere.Get(ctx, "/manifest.json"); err != nil {
		t.Errorf("another address is banned too: %v", err)
	}
	h.Forgive()
	if err := v.LogIn(ctx, realha.Owner, realha.Password); err != nil {
		t.Errorf("after the ban was forgotten: %v", err)
	}
}

// TestFresh starts two, one after the other: neither finds anything of the one before, and the folder, which other tests
// will use, is as it was.
func TestFresh(t *testing.T) {
	isolated(t)
	ctx := within(t, 200*time.Second)
	root := realha.Root(t)
	began := time.Now()
	for range 2 {
		t.Run("start", func(t *testing.T) {
			realha.Start(t, realha.Options{Port: 18123})
			v := visitor(t)
			v.Base = "http://[::1]:18123"
			if err := v.Onboard(ctx); err != nil {
				t.Errorf("not a fresh Home Assistant: %v", err)
			}
		})
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) {
			return nil // what this user may not even read, it has not changed
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.ModTime().After(began) {
			t.Errorf("%s has changed", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestKilled: when a test binary is killed it can clean up nothing, and yet Home Assistant must not stay.
func TestKilled(t *testing.T) {
	isolated(t)
	realha.Need(t)
	child := exec.CommandContext(within(t, 120*time.Second), os.Args[0], "-test.run=^TestHolder$")
	child.Env = append(os.Environ(), holderVar+"=yes", "TMPDIR="+t.TempDir())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanf(out, "pid %d\n", &pid); err != nil {
		t.Errorf("reading the process id: %v", err)
	}
	if err := syscall.Kill(pid, 0); pid == 0 || err != nil {
		t.Errorf("Home Assistant as process %d: %v", pid, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed, as it says
	for range 500 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || pid == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("Home Assistant is still there as process %d", pid)
}

// holderVar makes TestHolder be the test binary that is killed.
const holderVar = "HEARTHGATE_REALHA_HOLDER"

func TestHolder(t *testing.T) {
	if os.Getenv(holderVar) == "" {
		return
	}
	h := realha.Start(t, realha.Options{})
	fmt.Printf("pid %d\n", h.PID())
	<-t.Context().Done()
}

func isStatus(err error, status int) bool {
	e, ok := errors.AsType[*realha.StatusError](err)
	return ok && e.Status == status
}
