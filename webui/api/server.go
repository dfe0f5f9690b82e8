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

// Config is what a Server is made of. All fields are required.
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
	Owner         bool // whoever asks owns the machine: errors may show what failed inside
	Log           *slog.Logger
}

// Server holds the handlers. Its zero value is not usable; make it with New.
type Server struct {
	cfg     Config
	started time.Time
	echo    *echo.Echo
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
	e.Use(noStore)

	v1 := e.Group("/api/v1")
	v1.GET("/status", s.getStatus)
	v1.GET("/peers", s.listPeers)
	v1.POST("/peers", s.addPeer)
	v1.GET("/peers/:id", s.getPeer)
	v1.PATCH("/peers/:id", s.changePeer)
	v1.DELETE("/peers/:id", s.removePeer)
	v1.POST("/peers/:id/rekey", s.rekeyPeer)
	v1.GET("/services", s.listServices)
	v1.POST("/services", s.addService)
	v1.DELETE("/services/:name", s.removeService)
	v1.GET("/home-assistant", s.getHomeAssistant)
	v1.PUT("/home-assistant", s.useHomeAssistant)
	v1.POST("/server/rekey", s.rekeyServer)
	v1.GET("/journal", s.getJournal)
	v1.GET("/events", s.streamEvents)
	e.GET("/api/openapi.yaml", func(c echo.Context) error {
		return c.Blob(http.StatusOK, "application/yaml", openAPI)
	})
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
	media, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEApplicationJSON {
		return refuse(ErrInvalid, "the body must be JSON with Content-Type application/json; nothing was changed")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, bodyLimit))
	if err != nil {
		return refuse(ErrInvalid, fmt.Sprintf("the body could not be read, or is longer than %d bytes; nothing was changed", bodyLimit))
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return refuse(ErrInvalid, fmt.Sprintf("reading the JSON body: %v; nothing was changed", err))
	}
	if _, err := d.Token(); err != io.EOF {
		return refuse(ErrInvalid, "the body holds more than one JSON document; nothing was changed")
	}
	return nil
}
