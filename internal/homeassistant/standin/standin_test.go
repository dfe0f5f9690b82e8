package standin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
)

func start(t *testing.T, o standin.Options) (*standin.HomeAssistant, string) {
	t.Helper()
	h := standin.New(o)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return h, server.URL
}

// call makes a request and returns the status and the body; a body that is not empty is sent as JSON.
func call(t *testing.T, method, url, body, token string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

const beginLogin = `{"client_id":"http://10.1.2.1:8123/","handler":["homeassistant",null],"redirect_uri":"http://10.1.2.1:8123/"}`

// TestSignIn goes the way of the companion app: from the providers to a command over the WebSocket.
func TestSignIn(t *testing.T) {
	h, at := start(t, standin.Options{Name: "Villa", Version: "2026.8.2"})

	if status, body := call(t, "GET", at+"/manifest.json", "", ""); status != 200 || decode(t, body)["name"] != "Home Assistant" {
		t.Errorf("manifest: %d %s", status, body)
	}
	if status, body := call(t, "GET", at+"/", "", ""); status != 200 || !strings.Contains(body, "<title>Home Assistant</title>") {
		t.Errorf("front page: %d %s", status, body)
	}
	if _, body := call(t, "GET", at+"/auth/providers", "", ""); !strings.Contains(body, `"type":"homeassistant"`) {
		t.Errorf("providers: %s", body)
	}

	_, body := call(t, "POST", at+"/auth/login_flow", beginLogin, "")
	flow, _ := decode(t, body)["flow_id"].(string)
	if flow == "" {
		t.Fatalf("login flow: %s", body)
	}
	status, body := call(t, "POST", at+"/auth/login_flow/"+flow, `{"client_id":"x","username":"anna","password":"wrong"}`, "")
	if status != 200 || !strings.Contains(body, `"base":"invalid_auth"`) {
		t.Errorf("wrong password: %d %s, want the form again with invalid_auth and status 200", status, body)
	}
	if h.FailedLogins() != 1 {
		t.Errorf("%d failed sign-ins counted, want 1", h.FailedLogins())
	}
	_, body = call(t, "POST", at+"/auth/login_flow/"+flow,
		`{"client_id":"x","username":"Anna","password":"`+standin.Password+`"}`, "")
	code, _ := decode(t, body)["result"].(string)
	if code == "" {
		t.Fatalf("right password: %s", body)
	}

	token := exchange(t, at, code)
	if token == "" {
		t.Fatal("no token for a good code")
	}
	if again := exchange(t, at, code); again != "" {
		t.Error("a code was good twice")
	}
	if status, _ := call(t, "GET", at+"/api/", "", token); status != 200 {
		t.Errorf("with the token /api/ answers %d", status)
	}

	conn, _, err := websocket.Dial(t.Context(), at+"/api/websocket", nil) //nolint:bodyclose // taken over by the WebSocket
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	expect := func(want string) map[string]any {
		t.Helper()
		var v map[string]any
		if err := wsjson.Read(t.Context(), conn, &v); err != nil {
			t.Fatal(err)
		}
		if v["type"] != want {
			t.Fatalf("the WebSocket says %v, want %s", v, want)
		}
		return v
	}
	if v := expect("auth_required"); v["ha_version"] != "2026.8.2" {
		t.Errorf("greeting %v, want the version in it", v)
	}
	tell := func(v any) {
		t.Helper()
		if err := wsjson.Write(t.Context(), conn, v); err != nil {
			t.Fatal(err)
		}
	}
	tell(map[string]any{"type": "auth", "access_token": token})
	expect("auth_ok")
	tell(map[string]any{"id": 1, "type": "get_config"})
	if config, _ := expect("result")["result"].(map[string]any); config["location_name"] != "Villa" {
		t.Errorf("get_config says %v", config)
	}
	tell(map[string]any{"id": 2, "type": "ping"})
	expect("pong")
}

func exchange(t *testing.T, at, code string) string {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"http://10.1.2.1:8123/"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/auth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var v struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v.AccessToken
}

func TestWithoutAToken(t *testing.T) {
	h, at := start(t, standin.Options{})
	for _, path := range []string{"/api/", "/api/stream", "/api/states"} {
		if status, body := call(t, "GET", at+path, "", ""); status != 401 || body != "401: Unauthorized" {
			t.Errorf("GET %s: %d %q, want 401", path, status, body)
		}
	}
	if h.FailedLogins() != 3 {
		t.Errorf("%d failed sign-ins counted, want 3: Home Assistant counts each", h.FailedLogins())
	}
	if status, body := call(t, "GET", at+"/nothing", "", ""); status != 404 || body != "404: Not Found" {
		t.Errorf("GET /nothing: %d %q", status, body)
	}

	conn, _, err := websocket.Dial(t.Context(), at+"/api/websocket", nil) //nolint:bodyclose // taken over by the WebSocket
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	var v map[string]any
	_ = wsjson.Read(t.Context(), conn, &v)
	_ = wsjson.Write(t.Context(), conn, map[string]any{"type": "auth", "access_token": "guess"})
	if err := wsjson.Read(t.Context(), conn, &v); err != nil || v["type"] != "auth_invalid" {
		t.Errorf("a guessed token over the WebSocket: %v, %v, want auth_invalid", v, err)
	}
}

func TestTroubles(t *testing.T) {
	h, at := start(t, standin.Options{TrustedNetworks: true})
	if _, body := call(t, "GET", at+"/auth/providers", "", ""); !strings.Contains(body, `"trusted_networks"`) {
		t.Errorf("providers with trusted networks: %s", body)
	}
	h.Set(standin.Options{NotOnboarded: true})
	if status, body := call(t, "GET", at+"/auth/providers", "", ""); status != 400 || decode(t, body)["code"] != "onboarding_required" {
		t.Errorf("providers before the first steps: %d %s", status, body)
	}
	h.Set(standin.Options{MovedTo: 80})
	if status, _ := call(t, "GET", at+"/auth/providers", "", ""); status != 307 {
		t.Errorf("providers while the port moves: %d, want 307", status)
	}
	if status, _ := call(t, "GET", at+"/manifest.json", "", ""); status != 200 {
		t.Errorf("manifest while the port moves: %d, want 200", status)
	}
	h.Set(standin.Options{Banned: true})
	for _, path := range []string{"/", "/manifest.json", "/auth/providers", "/api/websocket"} {
		if status, body := call(t, "GET", at+path, "", ""); status != 403 || body != "403: Forbidden" {
			t.Errorf("GET %s while banned: %d %q, want 403", path, status, body)
		}
	}
}

func TestForwardedHeaderIsRefused(t *testing.T) {
	_, at := start(t, standin.Options{})
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/", nil)
	request.Header.Set("X-Forwarded-For", "10.1.2.3")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != 400 {
		t.Errorf("with X-Forwarded-For: %d, want 400", response.StatusCode)
	}
}

func TestUploadIsCountedAndHashed(t *testing.T) {
	h, at := start(t, standin.Options{})
	body := bytes.Repeat([]byte("backup "), 1<<17)
	status, text := call(t, "POST", at+"/api/backup/upload", string(body), h.Token())
	sum := sha256.Sum256(body)
	var got standin.Upload
	if err := json.Unmarshal([]byte(text), &got); err != nil || status != 201 {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	if got.Bytes != int64(len(body)) || got.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("upload = %+v, want %d bytes, %x", got, len(body), sum)
	}
}

func TestStreamComesAtOnceAndDoesNotEnd(t *testing.T) {
	h, at := start(t, standin.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, at+"/api/camera_proxy_stream/camera.door", nil)
	request.Header.Set("Authorization", "Bearer "+h.Token())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	line := make([]byte, len("frame 1\nframe 2\nframe 3\n"))
	if _, err := io.ReadFull(response.Body, line); err != nil || string(line) != "frame 1\nframe 2\nframe 3\n" {
		t.Errorf("stream gave %q, %v", line, err)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := standin.New(standin.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, l) }()

	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/api/stream", nil)
	request.Header.Set("Authorization", "Bearer "+h.Token())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Serve did not end while a stream was open")
	}
}
