package homeassistant

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
)

func targetOf(t *testing.T, server *httptest.Server) Target {
	t.Helper()
	targets, err := ParseAddress(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return targets[0]
}

func serve(t *testing.T, h http.Handler) Target {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return targetOf(t, server)
}

func TestLookKnowsHomeAssistant(t *testing.T) {
	h := standin.New(standin.Options{})
	s := newEyes().look(t.Context(), serve(t, h))
	if s.answer != itself || s.from != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("look = %+v, want itself, seen from 127.0.0.1", s)
	}
	h.Set(standin.Options{Banned: true})
	if s := newEyes().look(t.Context(), serve(t, h)); s.answer != banned {
		t.Errorf("look while banned = %+v, want banned", s)
	}

	server := httptest.NewUnstartedServer(standin.New(standin.Options{}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about the look by http
	server.StartTLS()
	t.Cleanup(server.Close)
	tls := targetOf(t, server)
	if s := newEyes().look(t.Context(), tls); s.answer != itself {
		t.Errorf("look over TLS with a certificate that nobody knows = %+v, want itself", s)
	}
	tls.Scheme = "http"
	if s := newEyes().look(t.Context(), tls); s.answer == itself {
		t.Errorf("look by http at a TLS port = %+v", s)
	}
}

// What answers on the LAN may be anything. None of it is Home Assistant, and none of it costs us more than patience.
func TestLookIsNotFooled(t *testing.T) {
	text := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	var followed bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed = true
		standin.New(standin.Options{}).ServeHTTP(w, r)
	}))
	t.Cleanup(other.Close)

	for name, handler := range map[string]http.HandlerFunc{
		"another name":       text(200, `{"name":"Home Assistant Supervisor"}`),
		"no JSON":            text(200, `<html>Home Assistant</html>`),
		"a list":             text(200, `[{"name":"Home Assistant"}]`),
		"a deep one":         text(200, strings.Repeat("[", mostBytes)),
		"cut":                text(200, `{"name":"Home Assistant"`),
		"longer than we ask": text(200, `{"name":"Home Assistant","pad":"`+strings.Repeat("x", mostBytes)+`"}`),
		"an error":           text(500, `{"name":"Home Assistant"}`),
		"empty":              text(200, ``),
		"another's 403":      text(403, `<html>Forbidden</html>`),
		"a login page":       text(401, ``),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusFound)
		},
	} {
		if s := newEyes().look(t.Context(), serve(t, handler)); s.answer != stranger || s.detail == "" {
			t.Errorf("%s: look = %+v, want a stranger and why", name, s)
		}
	}
	if followed {
		t.Error("a redirect to another host was followed")
	}
}

func TestLookAtNothing(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(l.Addr().String())
	target := Target{"http", at.Addr().String(), at.Port()}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1024))
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.2\r\n")
			_ = conn.Close()
		}
	}()
	if s := newEyes().look(t.Context(), target); s.answer != silent || s.detail != "it does not speak HTTP" {
		t.Errorf("look at an SSH server = %+v, want silent: it does not speak HTTP", s)
	}
	_ = l.Close()
	if s := newEyes().look(t.Context(), target); s.answer != silent || s.detail != "nothing listens there" {
		t.Errorf("look at a closed port = %+v, want silent: nothing listens there", s)
	}
	if s := newEyes().look(t.Context(), Target{"http", "no-such-host.invalid", 80}); s.answer != silent || s.detail == "" {
		t.Errorf("look at a name that does not exist = %+v, want silent and why", s)
	}
}

// TestLookHasPatience: a server that never ends its headers is silent, and it does not take forever to say so.
func TestLookHasPatience(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	target := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer close(release)
	began := time.Now()
	s := newEyes().look(t.Context(), target)
	if took := time.Since(began); s.answer != silent || took > 2*patience {
		t.Errorf("look at a server that says nothing = %+v after %v", s, took)
	}
}

// TestLooksAreHarmless: whatever we ask, Home Assistant must not count it as a failed sign-in, or it would ban us.
func TestLooksAreHarmless(t *testing.T) {
	h := standin.New(standin.Options{TrustedNetworks: true})
	target, eyes := serve(t, h), newEyes()
	eyes.look(t.Context(), target)
	eyes.inspect(t.Context(), target)
	eyes.version(t.Context(), target)
	if h.FailedLogins() != 0 {
		t.Errorf("our looks count as %d failed sign-ins", h.FailedLogins())
	}
}

func TestInspect(t *testing.T) {
	text := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	for name, c := range map[string]struct {
		handler http.Handler
		known   bool
		warning string
		words   []string
	}{
		"all well": {standin.New(standin.Options{}), true, "", nil},
		"trusted networks": {
			standin.New(standin.Options{TrustedNetworks: true}), true, TrustedNetworks,
			[]string{"without a password", "127.0.0.1", "configuration.yaml"},
		},
		"trusted networks, before 2023.11": {text(200, `[{"name":"T","id":null,"type":"trusted_networks"}]`), true, TrustedNetworks, nil},
		"all well, before 2023.11":         {text(200, `[{"name":"H","id":null,"type":"homeassistant"}]`), true, "", nil},
		"no owner": {
			standin.New(standin.Options{NotOnboarded: true}), true, NotOnboarded,
			[]string{"whoever opens it first becomes the owner"},
		},
		"banned":               {standin.New(standin.Options{Banned: true}), true, Banned, []string{"127.0.0.1", "ip_bans.yaml"}},
		"another 400":          {text(400, `400: Bad Request`), false, "", nil},
		"something else":       {text(200, `{"message":"hello"}`), false, "", nil},
		"nothing":              {text(200, `null`), false, "", nil},
		"a missing page":       {text(404, `404: Not Found`), false, "", nil},
		"a hostile list":       {text(200, `{"providers":{"type":"trusted_networks"}}`), false, "", nil},
		"a list of other JSON": {text(200, `[1,2,3]`), false, "", nil},
	} {
		in := newEyes().inspect(t.Context(), serve(t, c.handler))
		if in.known != c.known {
			t.Errorf("%s: known = %v, want %v", name, in.known, c.known)
		}
		if c.warning == "" && len(in.warnings) > 0 || c.warning != "" && !has(in.warnings, c.warning) {
			t.Errorf("%s: warnings %v, want %q", name, in.warnings, c.warning)
		}
		for _, word := range c.words {
			if len(in.warnings) == 1 && !strings.Contains(in.warnings[0].Text, word) {
				t.Errorf("%s: %q does not say %q", name, in.warnings[0].Text, word)
			}
		}
	}
}

func TestInspectFollowsThePortOnly(t *testing.T) {
	target := serve(t, standin.New(standin.Options{MovedTo: 8099}))
	want := Target{"http", "127.0.0.1", 8099}
	if in := newEyes().inspect(t.Context(), target); in.moved != want {
		t.Errorf("inspect = %+v, want moved to %v", in, want)
	}
	here := Target{"http", "192.168.1.5", 8123}
	for location, want := range map[string]Target{
		"http://192.168.1.5/auth/providers":   {"http", "192.168.1.5", 80},
		"https://192.168.1.5/x":               {"https", "192.168.1.5", 443},
		"http://192.168.1.5:8123/elsewhere":   {},
		"http://192.168.1.6/auth/providers":   {},
		"http://example.org/":                 {},
		"http://anna@192.168.1.5/":            {},
		"javascript://192.168.1.5/":           {},
		"/relative":                           {},
		"":                                    {},
		"http://192.168.1.5:99999/":           {},
		"http://192.168.1.5:0/":               {},
		"http://%zz/":                         {},
		"http://192.168.1.5.example.org:80/x": {},
	} {
		if got := otherPort(here, location); got != want {
			t.Errorf("otherPort(%q) = %v, want %v", location, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	target := serve(t, standin.New(standin.Options{Version: "2026.11.0b3"}))
	if got := newEyes().version(t.Context(), target); got != "2026.11.0b3" {
		t.Errorf("version = %q, want 2026.11.0b3", got)
	}
	for name, h := range map[string]http.Handler{
		"no WebSocket":     http.NotFoundHandler(),
		"a redirect":       http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound),
		"a hostile number": standin.New(standin.Options{Version: "1\x1b[31m"}),
		"a long number":    standin.New(standin.Options{Version: strings.Repeat("1", 100)}),
	} {
		if got := newEyes().version(t.Context(), serve(t, h)); got != "" {
			t.Errorf("%s: version = %q, want none", name, got)
		}
	}
}

// TestNoProxy: a proxy in the environment must not see where we look, nor answer for Home Assistant.
func TestNoProxy(t *testing.T) {
	transport, ok := newEyes().client.Transport.(*http.Transport)
	if !ok || transport.Proxy != nil {
		t.Error("looks go through whatever proxy the environment names")
	}
}
