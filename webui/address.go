package webui

import (
	"errors"
	"net/http"
	"strings"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// endpointKnown tells whether the household has said how phones find home, on the page or elsewhere.
func (s *Server) endpointKnown() bool {
	e, err := s.cfg.Endpoint.Endpoint()
	return err == nil && e.Scope != scopeLAN
}

// scopeLAN is the scope of an endpoint that works at home only.
const scopeLAN = "lan"

// address fills in what is known of how phones find home.
func (s *Server) address() (page.Address, error) {
	value, overridden, err := s.cfg.Endpoint.Setting()
	if err != nil {
		return page.Address{}, err
	}
	m := page.Address{Value: value, ByFlag: overridden, ListenPort: s.cfg.Tunnel.ListenPort()}
	if e, err := s.cfg.Endpoint.Endpoint(); err == nil {
		m.Current, m.AtHomeOnly = e.Address, e.Scope == scopeLAN
	}
	if addr, err := s.cfg.LANAddress(); err == nil && addr.IsValid() {
		m.LANAddress = addr.String()
	}
	return m, nil
}

func (s *Server) showAddress(v *visit, setup bool) error {
	m, err := s.address()
	if err != nil {
		return err
	}
	m.Setup = setup
	return s.turn(v, http.StatusOK, m)
}

func (s *Server) setupAddressPage(v *visit) error {
	if s.endpointKnown() {
		return v.then("/")
	}
	return s.showAddress(v, true)
}

func (s *Server) addressPage(v *visit) error { return s.showAddress(v, false) }

func (s *Server) setupAddress(v *visit) error {
	if v.FormValue("action") == "skip" {
		return v.then("/")
	}
	return s.saveAddress(v, true, "/")
}

func (s *Server) setAddress(v *visit) error { return s.saveAddress(v, false, "/settings") }

func (s *Server) saveAddress(v *visit, setup bool, next string) error {
	value := v.FormValue("endpoint")
	if err := s.setEndpoint(value); err != nil {
		m, addressErr := s.address()
		if addressErr != nil {
			return addressErr
		}
		m.Setup, m.Value = setup, value
		var status int
		if m.Problem, status, err = endpointProblem(err); err != nil {
			return err
		}
		return s.turn(v, status, m)
	}
	v.aside("success", page.NoticeAddressSaved)
	return v.then(next)
}

// setEndpoint keeps an address that a code can hold.
func (s *Server) setEndpoint(value string) error {
	if len(strings.TrimSpace(value)) > longestEndpoint-len(":65535") {
		return conflict(page.ProblemEndpointLong)
	}
	return s.cfg.Endpoint.Set(value)
}

func endpointProblem(err error) (key string, status int, internal error) {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.key, p.status, nil
	}
	switch {
	case errors.Is(err, peers.ErrInvalid):
		return page.ProblemEndpoint, http.StatusBadRequest, nil
	case errors.Is(err, api.ErrConflict):
		return page.ProblemRefused, http.StatusConflict, nil
	default:
		return "", 0, err
	}
}
