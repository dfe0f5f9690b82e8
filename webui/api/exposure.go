package api

import (
	"net/http"
	"net/netip"

	"github.com/labstack/echo/v4"
)

func (s *Server) getExposure(c echo.Context) error {
	return c.JSON(http.StatusOK, s.exposure())
}

// checkExposure asks for a look from outside now; what comes of it is told by the verdict, and by events.
func (s *Server) checkExposure(c echo.Context) error {
	checker, ok := s.cfg.Exposure.(ExposureChecker)
	if !ok {
		return refuse(ErrConflict, "nothing can look from outside yet")
	}
	checker.Check()
	return c.NoContent(http.StatusAccepted)
}

// exposure is the verdict. While nobody looks it is unverified, with the ports that somebody should look at.
func (s *Server) exposure() Exposure {
	var out Exposure
	if s.cfg.Exposure != nil {
		out = s.cfg.Exposure.Exposure()
	}
	if out.State != ExposureClosed && out.State != ExposureExposed {
		out.State = ExposureUnverified
	}
	if out.State == ExposureUnverified && len(out.Reasons) == 0 {
		out.Reasons = []string{"Nobody has looked from outside yet."}
	}
	if len(out.Ports) == 0 {
		for _, family := range []string{"ipv4", "ipv6"} {
			out.Ports = append(out.Ports, PortExposure{Port: s.homePort(), Family: family, State: "unknown"})
		}
	}
	out.CheckedAt, out.Reasons = out.CheckedAt.UTC(), append([]string{}, out.Reasons...)
	return out
}

// homePort is the port on which Home Assistant listens in the house.
func (s *Server) homePort() uint16 {
	if a, err := netip.ParseAddrPort(s.cfg.HomeAssistant.State().Addr); err == nil {
		return a.Port()
	}
	return HomeAssistantPort
}
