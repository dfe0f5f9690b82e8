package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

func (s *Server) getUsage(c echo.Context) error {
	p, err := s.cfg.Peers.Get(c.Param("id"))
	if err != nil {
		return err
	}
	days := []UsageDay{}
	if s.cfg.Usage != nil {
		counted, err := s.cfg.Usage.Days(p.ID)
		if err != nil {
			return err
		}
		for _, d := range counted {
			days = append(days, UsageDay{Date: d.Date.Format(time.DateOnly), ReceivedBytes: d.Received, SentBytes: d.Sent})
		}
	}
	return c.JSON(http.StatusOK, days)
}
