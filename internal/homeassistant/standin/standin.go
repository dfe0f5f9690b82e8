// Package standin is a small stand-in for Home Assistant: an http.Handler that answers the way Home Assistant does, for
// the demo and for quick tests. The real one runs in the lab.
//
// What it keeps true: whatever it answers has the status, the content type and the shape of Home Assistant's answer, as
// far as a phone's app, Hearthgate itself or a test looks at it; and what Home Assistant refuses, it refuses the same way.
//
// Its nouns: [Options] are the settings of the household's Home Assistant that make a difference to a gate. They can be
// changed while it runs, as a household changes them.
//
// It never stores anything, controls anything or talks to anybody; its one user and password are public.
package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// The one who can sign in.
const (
	Username = "anna"
	Password = "correct horse battery staple"
)

// Options say how this Home Assistant is set up. The zero value is one that is set up and has nothing wrong with it.
type Options struct {
	Name    string // location_name; "Home" when empty
	Version string // "2026.9.1" when empty

	TrustedNetworks bool // everybody who asks may sign in without a password
	Banned          bool // everybody who asks is banned: 403 to everything
	NotOnboarded    bool // nobody is its owner yet
	MovedTo         int  // during first steps: everything but the manifest is redirected to this port; 0 for none
	NotAdmin        bool // the tokens are not an administrator's

	External, Cloud string   // URLs at which it is reached from outside; empty for none
	Addresses       []string // of its network adapter
}

// HomeAssistant is the stand-in.
type HomeAssistant struct {
	options atomic.Pointer[Options]
	mux     *http.ServeMux

	mu     sync.Mutex
	flows  map[string]bool // sign-ins under way
	codes  map[string]bool // authorization codes that were given out and not used
	tokens map[string]bool // access tokens
	notes  map[string]Note // by id

	requests atomic.Int64
	failures atomic.Int64
}

// New makes one.
func New(o Options) *HomeAssistant {
	h := &HomeAssistant{
		mux:   http.NewServeMux(),
		flows: map[string]bool{}, codes: map[string]bool{}, tokens: map[string]bool{}, notes: map[string]Note{},
	}
	h.Set(o)
	h.mux.HandleFunc("GET /manifest.json", h.manifest)
	h.mux.HandleFunc("GET /{$}", h.frontPage)
	h.mux.HandleFunc("GET /auth/providers", h.providers)
	h.mux.HandleFunc("POST /auth/login_flow", h.startLogin)
	h.mux.HandleFunc("POST /auth/login_flow/{id}", h.continueLogin)
	h.mux.HandleFunc("DELETE /auth/login_flow/{id}", h.abortLogin)
	h.mux.HandleFunc("POST /auth/token", h.token)
	h.mux.HandleFunc("GET /api/websocket", h.websocket)
	h.mux.HandleFunc("GET /api/{$}", h.signedIn(h.running))
	h.mux.HandleFunc("GET /api/stream", h.signedIn(h.stream))
	h.mux.HandleFunc("GET /api/camera_proxy_stream/{entity}", h.signedIn(h.stream))
	h.mux.HandleFunc("POST /api/backup/upload", h.signedIn(h.upload))
	h.mux.HandleFunc("POST /api/services/persistent_notification/create", h.signedIn(h.create))
	h.mux.HandleFunc("POST /api/services/persistent_notification/dismiss", h.signedIn(h.dismiss))
	h.mux.HandleFunc("/api/", h.signedIn(h.missing))
	h.mux.HandleFunc("/", h.missing)
	return h
}

// Set changes the options, for the requests that come from now on.
func (h *HomeAssistant) Set(o Options) {
	if o.Name == "" {
		o.Name = "Home"
	}
	if o.Version == "" {
		o.Version = "2026.9.1"
	}
	h.options.Store(&o)
}

// Requests is how many requests came in so far.
func (h *HomeAssistant) Requests() int64 { return h.requests.Load() }

// FailedLogins is how many of them Home Assistant would have counted against the address that they came from.
func (h *HomeAssistant) FailedLogins() int64 { return h.failures.Load() }

func (h *HomeAssistant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.requests.Add(1)
	for key, value := range map[string]string{
		"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "SAMEORIGIN", "Server": "",
	} {
		w.Header().Set(key, value)
	}
	o := h.options.Load()
	switch {
	case o.Banned:
		say(w, http.StatusForbidden)
	case r.Header.Get("X-Forwarded-For") != "":
		say(w, http.StatusBadRequest) // it was not told to trust anybody
	case o.MovedTo != 0 && r.URL.Path != "/manifest.json":
		http.Redirect(w, r, movedURL(r, o.MovedTo), http.StatusTemporaryRedirect)
	default:
		h.mux.ServeHTTP(w, r)
	}
}

func movedURL(r *http.Request, port int) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(port)) + r.URL.RequestURI()
}

// Serve answers on l until the context ends, then closes l and every connection at once.
func (h *HomeAssistant) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the stand-in on %s: %w", l.Addr(), err)
	}
	return nil
}

// say answers with a status and its name, as aiohttp does.
func say(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "%d: %s", status, http.StatusText(status))
}

func (h *HomeAssistant) missing(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 64<<10))
	say(w, http.StatusNotFound)
}
