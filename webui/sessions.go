package webui

import (
	"errors"
	"net/http"

	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/page"
)

func (s *Server) sessionsPage(v *visit) error {
	list, err := s.cfg.Account.Sessions()
	if err != nil {
		return err
	}
	var m page.Sessions
	for _, one := range list {
		m.List = append(m.List, page.SessionRow{
			ID: one.ID, From: one.From, Agent: one.Agent, CreatedAt: one.CreatedAt, SeenAt: one.SeenAt, This: one.ID == v.session.ID,
		})
	}
	return s.turn(v, http.StatusOK, m)
}

// endSession ends one session, or all but this one.
func (s *Server) endSession(v *visit) error {
	if v.FormValue("all") != "" {
		if _, err := s.cfg.Account.EndOtherSessions(v.session.ID); err != nil {
			return err
		}
		v.aside("success", page.NoticeSessionsEnded)
		return v.then("/settings/sessions")
	}
	id := v.FormValue("id")
	// One that is gone already is as it should be.
	if err := s.cfg.Account.EndSession(id); err != nil && !errors.Is(err, account.ErrNoSession) {
		return err
	}
	s.desk.forget(id)
	v.aside("success", page.NoticeSessionEnded)
	return v.then("/settings/sessions")
}
