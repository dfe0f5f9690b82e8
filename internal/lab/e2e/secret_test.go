package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestThePhonesPrivateKeyIsKeptNowhere looks for it in every file that the appliance has, in its log at the most talkative,
// in every answer that it gives afterwards, and in its process's environment and arguments.
func TestThePhonesPrivateKeyIsKeptNowhere(t *testing.T) {
	h := standinHome(t, "--log-level", "debug")
	var keys []string
	for _, args := range [][]string{{"peer", "add", "Anna", "--conf"}, {"peer", "rekey", "Anna", "--conf"}, {"peer", "rekey", "Anna", "--now", "--conf"}} {
		config := h.do(t, args...)
		_, rest, ok := strings.Cut(config, "PrivateKey=")
		if !ok {
			t.Fatalf("no private key in:\n%s", config)
		}
		key, _, _ := strings.Cut(rest, "\n")
		keys = append(keys, key)
	}
	places := map[string][]byte{"the log": []byte(h.daemon.Output())}
	err := filepath.WalkDir(filepath.Dir(h.state), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		places[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(places) < 3 {
		t.Fatalf("only %d places to look", len(places))
	}
	for _, path := range []string{"status", "peers", "peers?name=Anna", "services", "home-assistant", "journal"} {
		places["/api/v1/"+path] = h.get(t, "/api/v1/"+path)
	}
	for _, file := range []string{"environ", "cmdline"} {
		if places[file], err = os.ReadFile("/proc/" + strconv.Itoa(h.daemon.PID()) + "/" + file); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range keys {
		raw, err := base64.StdEncoding.DecodeString(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range [][]byte{[]byte(key), raw, []byte(hex.EncodeToString(raw)), []byte(strings.TrimRight(key, "="))} {
			for place, content := range places {
				if bytes.Contains(content, form) {
					t.Errorf("a phone's private key is in %s", place)
				}
			}
		}
	}
}

// get asks the control socket as curl would.
func (h *home) get(t testing.TB, path string) []byte {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", h.socket)
	}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://hearthgate" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
	return body
}
