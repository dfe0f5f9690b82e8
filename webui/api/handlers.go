package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

func (s *Server) getStatus(c echo.Context) error {
	server, err := s.cfg.Peers.Server()
	if err != nil {
		return err
	}
	list, err := s.cfg.Peers.List()
	if err != nil {
		return err
	}
	services, err := s.cfg.Services.List()
	if err != nil {
		return err
	}
	endpoint, err := s.cfg.Endpoint.Endpoint()
	if err != nil {
		endpoint = Endpoint{Scope: "none", Note: err.Error()}
	}
	counts := PeerCounts{Total: len(list)}
	live := s.cfg.Tunnel.Live()
	for _, p := range list {
		if s.view(p, live[p.ID]).State == StateActive {
			counts.Active++
		}
	}
	owner, exposure := s.caller(c).Owner, s.exposure()
	status := Status{
		Version: s.cfg.Version, StartedAt: s.started.UTC(), ClockSynced: s.cfg.Synchronised(),
		HomeAssistant: s.cfg.HomeAssistant.State(), Web: s.web(owner),
		Tunnel: TunnelStatus{
			ListenPort: s.cfg.Tunnel.ListenPort(), PublicKey: server.PublicKey.String(),
			IPv4: server.Address4.String(), IPv6: server.Address6.String(), URL: InsideURL(server, s.cfg.HomeAssistant.State()),
		},
		Endpoint: endpoint, Services: services, Peers: counts,
		Exposure: ExposureStatus{State: exposure.State, CheckedAt: exposure.CheckedAt},
	}
	if owner {
		status.StateDir, status.Tunnel.UAPISocket = s.cfg.StateDir, s.cfg.Tunnel.Socket()
	}
	return c.JSON(http.StatusOK, status)
}

// web is how the page stands; its setup code is for whoever owns the machine.
func (s *Server) web(owner bool) *WebStatus {
	if s.cfg.Web == nil {
		return nil
	}
	out := s.cfg.Web.Web()
	out.URLs = append([]string{}, out.URLs...)
	if !owner || out.Claimed {
		out.SetupCode = ""
	}
	return &out
}

func (s *Server) listServices(c echo.Context) error {
	list, err := s.cfg.Services.List()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, list)
}

func (s *Server) addService(c echo.Context) error {
	var in AddService
	if err := read(c, &in); err != nil {
		return err
	}
	added, err := s.cfg.Services.Add(in)
	if err != nil {
		return err
	}
	s.inForce(c)
	return c.JSON(http.StatusCreated, added)
}

func (s *Server) removeService(c echo.Context) error {
	if err := s.cfg.Services.Remove(c.Param("name")); err != nil {
		return err
	}
	s.inForce(c)
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) getHomeAssistant(c echo.Context) error {
	return c.JSON(http.StatusOK, s.cfg.HomeAssistant.State())
}

func (s *Server) useHomeAssistant(c echo.Context) error {
	var in UseHomeAssistant
	if err := read(c, &in); err != nil {
		return err
	}
	if err := s.cfg.HomeAssistant.Use(c.Request().Context(), in.Address); err != nil {
		return Refusal(ErrInvalid, err)
	}
	return s.getHomeAssistant(c)
}
