package webui

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// pastPerPage bounds a page of the check's history.
const pastPerPage = 30

// checkRoutes are the routes of the check from outside, and of who looks and who is told.
func (s *Server) checkRoutes() []route {
	return []route{
		{get, "/check", session, s.checkPage},
		{post, "/check", session, s.checkExposure},
		{post, "/check/known", fresh, s.sayKnown},
		{get, "/check/mapping", session, s.deleteMappingPage},
		{post, "/check/mapping", fresh, s.deleteMapping},

		{get, "/settings/watch", session, s.watchPage},
		{post, "/settings/watch/witness", fresh, s.addWitness},
		{post, "/settings/watch/witness/remove", fresh, s.removeWitness},
		{post, "/settings/watch/switch", fresh, s.switchWatch},
		{post, "/settings/watch/token", fresh, s.setHomeToken},
		{post, "/settings/watch/webhook", fresh, s.setWebhook},
		{post, "/settings/watch/mqtt", fresh, s.setMQTT},
		{post, "/settings/watch/names", fresh, s.setNames},
	}
}

// exposure is the health room's verdict. Where there is no such room nobody has looked, and that is what is said.
func (s *Server) exposure(home homeassistant.State, whole bool) page.Exposure {
	e := page.Exposure{Whole: whole}
	if at, err := netip.ParseAddrPort(home.Addr); err == nil {
		e.Port = at.Port()
	}
	if s.cfg.Health == nil {
		e.Report.Reasons = []health.Reason{{Code: health.NoVantage}}
		return e
	}
	e.Report, e.Running, e.Check = s.cfg.Health.Loop.Report(), s.cfg.Health.Loop.Progress().Running, true
	if setup, err := s.cfg.Health.Settings.Get(); err == nil {
		e.Offer = len(setup.Witnesses) == 0 && !setup.Globalping
	}
	return e
}

// checkPage shows everything that is known of the home's exposure.
func (s *Server) checkPage(v *visit) error {
	m, err := s.checkModel(v)
	if err != nil {
		return err
	}
	return s.turn(v, http.StatusOK, m)
}

func (s *Server) checkModel(v *visit) (page.Check, error) {
	m := page.Check{Exposure: s.exposure(s.cfg.HomeAssistant.State(), true)}
	if s.cfg.Health == nil {
		return m, nil
	}
	before, err := readSeq(v.QueryParam("before"))
	if err != nil {
		return m, err
	}
	m.Progress, m.Seen = s.cfg.Health.Loop.Progress(), s.cfg.Health.Loop.Seen()
	if m.Past, err = s.cfg.Health.Loop.History(before, pastPerPage+1); err != nil {
		return m, err
	}
	if len(m.Past) > pastPerPage {
		m.Past = m.Past[:pastPerPage]
		m.Older = m.Past[pastPerPage-1].Seq
	}
	for _, one := range s.cfg.Health.Mappings() {
		m.Mappings = append(m.Mappings, mappingRow(one))
	}
	return m, nil
}

func mappingRow(m api.Mapping) page.MappingRow {
	return page.MappingRow{
		ID: m.ID, Protocol: m.Protocol, External: m.External, Internal: m.Internal, Description: m.Description,
		HomeAssistant: m.HomeAssistant, Ours: m.Ours, Off: !m.Enabled, ExpiresAt: m.ExpiresAt,
	}
}

// checkExposure asks for a look from outside, and does not wait for it.
func (s *Server) checkExposure(v *visit) error {
	if s.cfg.Health == nil {
		v.aside("info", page.NoticeCheckNone)
		return v.then("/")
	}
	s.cfg.Health.Loop.Check()
	v.aside("info", page.NoticeCheckStarted)
	return v.then("/check")
}

// sayKnown takes the owner's word that what answers at a port is not Home Assistant, or takes that back.
func (s *Server) sayKnown(v *visit) error {
	port, err := strconv.ParseUint(v.field("port"), 10, 16)
	if err != nil || port == 0 || s.cfg.Health == nil {
		return echo.ErrBadRequest
	}
	setup, err := s.cfg.Health.Settings.Get()
	if err != nil {
		return err
	}
	known := slices.DeleteFunc(slices.Clone(setup.Known), func(p uint16) bool { return p == uint16(port) })
	notice := page.NoticeKnownTaken
	if v.field("is") == "1" {
		known, notice = append(known, uint16(port)), page.NoticeKnownSaved
	}
	slices.Sort(known)
	if err := s.cfg.Health.Settings.Set(health.SetupChange{Known: &known}); err != nil {
		return err
	}
	v.aside("success", notice, "port", port)
	return v.then("/check")
}

func (s *Server) deleteMappingPage(v *visit) error {
	m, ok := s.cfg.Health.Mapping(v.QueryParam("id"))
	if !ok {
		return s.noMapping(v)
	}
	return s.turn(v, http.StatusOK, page.MappingDelete{Mapping: mappingRow(m)})
}

func (s *Server) noMapping(v *visit) error {
	return v.show(http.StatusNotFound, page.Failure{Status: http.StatusNotFound, Key: page.FailureNoMapping, Back: "/check"})
}

// deleteMapping has the router delete a mapping, and says what it has afterwards: a router may say yes and do nothing.
func (s *Server) deleteMapping(v *visit) error {
	id := v.field("id")
	m, ok := s.cfg.Health.Mapping(id)
	if !ok {
		return s.noMapping(v)
	}
	out, err := s.cfg.Health.DeleteMapping(v.Request().Context(), s.cfg.Journal, id)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return s.noMapping(v)
	case errors.Is(err, api.ErrConflict):
		s.cfg.Log.Info("mapping not deleted", "error", err)
		return s.turn(v, http.StatusConflict, page.MappingDelete{Mapping: mappingRow(m), Problem: page.ProblemMapping})
	case err != nil:
		return err
	case out.Gone:
		v.aside("success", page.NoticeMappingGone)
	default:
		v.aside("warning", page.NoticeMappingStays)
	}
	return v.then("/check")
}
