package webui

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/peers/usage"
	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// Endpoint is where phones find the tunnel, and the part of it that can be set here.
type Endpoint interface {
	api.EndpointSource
	// Setting is what was set on the page, HOST[:PORT] or empty, and whether a flag or the settings file overrides it.
	Setting() (value string, overridden bool, err error)
	// Set checks and keeps it; empty takes it away.
	Set(value string) error
}

// Usage says what phones have carried.
type Usage interface {
	Days(peerID string) ([]usage.Day, error)
}

// Config is what a Server is made of. All fields but Health and PhoneCheck are required.
type Config struct {
	Account       *account.Account
	Peers         *peers.Registry
	Services      api.Services
	Tunnel        api.Tunnel
	Endpoint      Endpoint
	HomeAssistant *homeassistant.Finder
	Usage         Usage
	Health        *api.Health // nil: nobody looks from outside
	PhoneCheck    PhoneCheck  // nil: phones do not look
	Journal       *journal.Journal

	// AtHome tells whether an address is on the home's own network: a phone that comes from there is on the home's Wi-Fi.
	AtHome func(netip.Addr) bool
	// LANAddress is this machine's own address at home.
	LANAddress func() (netip.Addr, error)
	// URLs are the addresses under which the page can be asked for, best first.
	URLs func() []string

	Now          func() time.Time
	Synchronised func() bool
	Version      string
	StateDir     string
	// Reset is the command that makes a new passphrase, as it is typed on this machine.
	Reset string
	Log   *slog.Logger
}

// Server makes the handlers of the page and of the portal.
type Server struct {
	cfg    Config
	pages  *page.Renderer
	desk   *desk
	links  *links
	asides *asides
	table  []route
	echo   *echo.Echo
	api    http.Handler
}

// New makes a server. It listens nowhere; Handler and Portal are mounted by whoever does.
func New(cfg Config) (*Server, error) {
	renderer, err := page.New()
	if err != nil {
		return nil, fmt.Errorf("preparing the pages: %w", err)
	}
	s := &Server{cfg: cfg, pages: renderer, desk: newDesk(), links: newLinks(), asides: newAsides()}
	s.table = s.routes()
	s.echo = echo.New()
	s.echo.HideBanner, s.echo.HidePort = true, true
	// Echo would believe X-Forwarded-For from anybody.
	s.echo.IPExtractor = echo.ExtractIPDirect()
	s.echo.HTTPErrorHandler = s.handleError
	for _, r := range s.table {
		s.echo.Add(r.method, r.path, s.guard(r))
		if r.method == http.MethodGet {
			s.echo.Add(http.MethodHead, r.path, s.guard(r))
		}
	}
	return s, nil
}

// Mount sets what answers under /api/ and /metrics; it is told who asks by api.WithCaller. It is called once, before the first
// request.
func (s *Server) Mount(h http.Handler) { s.api = h }

// Handler answers the LAN page's requests. Host, origin and headers are looked at before it (package access).
func (s *Server) Handler() http.Handler { return s.echo }
