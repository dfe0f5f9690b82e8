package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/peers"
)

// anyPort stands in for the listen port where only an endpoint's form is looked at.
const anyPort = 51820

func (s *Server) getSettings(c echo.Context) error {
	if s.cfg.Settings == nil {
		return errNotHere
	}
	endpoint, overridden, err := s.cfg.Settings.Setting()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, SettingsView{Endpoint: endpoint, EndpointOverridden: overridden})
}

func (s *Server) putSettings(c echo.Context) error {
	var in PutSettings
	if err := read(c, &in); err != nil {
		return err
	}
	switch {
	case s.cfg.Settings == nil:
		return errNotHere
	case in.Endpoint == nil:
		return refuse(ErrInvalid, "set endpoint: a HOST[:PORT], or an empty text for what is found by itself")
	}
	if *in.Endpoint != "" {
		if _, err := peers.ParseEndpoint(*in.Endpoint, anyPort); err != nil {
			return Refusal(ErrInvalid, err)
		}
	}
	if err := s.cfg.Settings.Set(*in.Endpoint); err != nil {
		return err
	}
	return s.getSettings(c)
}
