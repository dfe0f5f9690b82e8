package api

import (
	"bytes"
	"context"
	_ "embed" // the description of the API is part of the binary
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/account"
)

// Tunnel is what the API asks of the WireGuard server.
type Tunnel interface {
	// Live is what is seen of each peer now, by peer id.
	Live() map[string]Live
	ListenPort() uint16
	Socket() string
	// Sync returns when every change that was made before it is in force, or when ctx ends.
	Sync(ctx context.Context)
}

// Services is the list of what can be reached inside the tunnel.
type Services interface {
	List() ([]Service, error)
	Add(AddService) (Service, error)
	Remove(name string) error
}

// EndpointSource says how phones find the tunnel.
type EndpointSource interface {
	Endpoint() (Endpoint, error)
}

// Config is what a Server is made of.
type Config struct {
	Peers         *peers.Registry
	Services      Services
	Tunnel        Tunnel
	Endpoint      EndpointSource
	HomeAssistant *homeassistant.Finder
	Journal       *journal.Journal
	Now           func() time.Time // the time that expiry is compared with
	Synchronised  func() bool      // whether the clock is known to be right
	Version       string
	StateDir      string
	Log           *slog.Logger
	// Owner is that whoever asks owns the machine: they may do everything, and errors may show what failed inside. Without
	// it the caller stands in the request's context (WithCaller).
	Owner bool

	// What follows may be nil.

	Account  *account.Account
	Usage    Usage
	Settings Settings
	Links    Links
	Desk     Desk
	Health   *Health
	Web      Web
	// LoginFailures counts refused sign-ins since the start.
	LoginFailures func() uint64
	Interface     string // the WireGuard interface's name in metrics; empty: hearthgate
}

// Server holds the handlers. Its zero value is not usable; make it with New.
type Server struct {
	cfg     Config
	started time.Time
	echo    *echo.Echo
	streams streams
	replays replays
}

// bodyLimit bounds a request, in bytes: the longest sensible one is a name, a key and a list of services.
const bodyLimit = 64 << 10

//go:embed openapi.yaml
var openAPI []byte

// New returns the API as an http.Handler.
func New(cfg Config) *Server {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	s := &Server{cfg: cfg, started: time.Now(), echo: e}
	e.HTTPErrorHandler = s.handleError
	table := s.routes()
	e.Use(noStore, s.guard(table))
	for _, r := range table {
		e.Add(r.method, r.path, r.answer)
	}
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Routes lists every route as "METHOD /path", for tests that walk them.
func (s *Server) Routes() []string {
	var out []string
	for _, r := range s.echo.Routes() {
		out = append(out, r.Method+" "+r.Path)
	}
	return out
}

// noStore keeps answers, some of which hold a private key, out of every cache.
func noStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		return next(c)
	}
}

// patience bounds how long an answer waits for its change to be in force.
const patience = 3 * time.Second

// inForce answers a change once it is in force: who is told that a phone is cut off may rely on it.
func (s *Server) inForce(c echo.Context) {
	ctx, cancel := context.WithTimeout(c.Request().Context(), patience)
	defer cancel()
	s.cfg.Tunnel.Sync(ctx)
}

// read takes a JSON body whole: the right type, no unknown field, nothing after it.
func read(c echo.Context, into any) error {
	raw, err := body(c)
	if err != nil {
		return err
	}
	return decode(raw, into)
}

// body is the whole body of a request that says that it is JSON. A form of another site cannot say that.
func body(c echo.Context) ([]byte, error) {
	media, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEApplicationJSON {
		return nil, refuse(ErrInvalid, "the body must be JSON with Content-Type application/json; nothing was changed")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, bodyLimit))
	if err != nil {
		return nil, refuse(ErrInvalid, fmt.Sprintf("the body could not be read, or is longer than %d bytes; nothing was changed", bodyLimit))
	}
	return raw, nil
}

func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return refuse(ErrInvalid, fmt.Sprintf("reading the JSON body: %v; nothing was changed", err))
	}
	if _, err := d.Token(); err != io.EOF {
		return refuse(ErrInvalid, "the body holds more than one JSON document; nothing was changed")
	}
	return nil
}
