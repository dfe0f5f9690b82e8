package alert

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/secret"
)

func TestWebhook(t *testing.T) {
	t.Parallel()
	got := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || user+password != "annageheim" {
			t.Errorf("%s %q %q, %v", r.Method, r.Header, user, err)
		}
		w.WriteHeader(http.StatusNoContent)
		got <- string(body)
	}))
	t.Cleanup(server.Close)

	w := newWorld(t, openStore(t))
	w.set(func(s *health.Setup) {
		s.Webhook = secret.Of(strings.Replace(server.URL, "://", "://anna:geheim@", 1) + "/hook")
	})
	w.run(t)
	w.judged(health.Exposed, health.Reason{Code: health.SeenOpen, Args: health.Args{"from": "Anna's phone", "address": "198.51.100.7", "port": "8123"}})
	body := <-got
	var n map[string]any
	if err := json.Unmarshal([]byte(body), &n); err != nil {
		t.Fatal(err)
	}
	if n["event"] != "exposed" || n["verdict"] != "exposed" || n["home"] != "Villa" || n["since"] == nil || n["next"] == "" {
		t.Errorf("body %s", body)
	}
	if !strings.Contains(body, `{"code":"seen_open","text":"Somebody outside reached`) || strings.Contains(body, "Anna") {
		t.Errorf("body %s", body)
	}
	w.judged(health.Closed)
	if body := <-got; !strings.Contains(body, `"event":"over","verdict":"closed"`) {
		t.Errorf("body %s", body)
	}
	w.set(func(s *health.Setup) { s.Webhook = secret.Text{} })
}

// TestHostileWebhooks: what answers there may do what it likes; it costs little, and its address is in no error.
func TestHostileWebhooks(t *testing.T) {
	t.Parallel()
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	t.Cleanup(thief.Close)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		ok      bool
	}{
		"an error":                   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, false},
		"a redirect to another host": {http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect).ServeHTTP, false},
		"a redirect that drops it":   {http.RedirectHandler("/new", http.StatusFound).ServeHTTP, false},
		"a loop":                     {http.RedirectHandler("/again", http.StatusPermanentRedirect).ServeHTTP, false},
		"a redirect to another path": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/new" {
				http.Redirect(w, r, "/new", http.StatusPermanentRedirect)
				return
			}
			if body, err := io.ReadAll(r.Body); err != nil || !strings.Contains(string(body), "exposed") {
				t.Errorf("after the redirect: %q, %v", body, err)
			}
		}, true},
		"an endless answer": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
					return
				}
			}
		}, true},
		"a hang-up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false},
	} {
		server := httptest.NewServer(c.handler)
		began := time.Now()
		err := post(t.Context(), secret.Of(server.URL+"/geheim"), notice{Event: Exposed})
		if (err == nil) != c.ok || err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		server.CloseClientConnections()
		server.Close()
	}
	if stolen.Load() != 0 {
		t.Error("another host was told")
	}
	if err := post(t.Context(), secret.Of("http://geheim.invalid:1/x"), notice{}); err == nil || strings.Contains(err.Error(), "/x") {
		t.Errorf("%v", err)
	}
}
