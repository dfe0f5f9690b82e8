package webui

import (
	"errors"
	"net/http"
	"slices"

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
	slices.SortStableFunc(m.List, func(a, b page.SessionRow) int { return own(b) - own(a) })
	return s.turn(v, http.StatusOK, m)
}

// own puts this browser first.
func own(row page.SessionRow) int {
	if row.This {
		return 1
	}
	return 0
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
