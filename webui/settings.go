package webui

import (
	"net/http"

	"github.com/hearthgate/hearthgate/webui/page"
	"github.com/hearthgate/hearthgate/webui/words"
)

func (s *Server) settingsPage(v *visit) error {
	twoStep, err := s.cfg.Account.TwoStep()
	if err != nil {
		return err
	}
	sessions, err := s.cfg.Account.Sessions()
	if err != nil {
		return err
	}
	tokens, err := s.cfg.Account.Tokens()
	if err != nil {
		return err
	}
	services, err := s.cfg.Services.List()
	if err != nil {
		return err
	}
	m := page.Settings{
		TwoStep: twoStep.On, RecoveryLeft: twoStep.RecoveryLeft, Sessions: len(sessions), Tokens: len(tokens), Services: len(services),
		Theme: v.theme, ClockSynchronised: s.cfg.Synchronised(), StateDir: s.cfg.StateDir,
	}
	if s.cfg.Health != nil {
		m.Watch = true
		if setup, err := s.cfg.Health.Settings.Get(); err == nil {
			m.Watching = watching(setup)
		}
	}
	if e, err := s.cfg.Endpoint.Endpoint(); err == nil {
		m.Endpoint = e.Address
	}
	return s.turn(v, http.StatusOK, m)
}

func (s *Server) passphrasePage(v *visit) error {
	return s.turn(v, http.StatusOK, page.Passphrase{Suggested: words.Passphrase(v.language)})
}

func (s *Server) setPassphrase(v *visit) error {
	typed := v.FormValue("passphrase")
	if err := s.cfg.Account.ChangePassphrase(v.Request().Context(), v.session, typed); err != nil {
		problem, _, status, err := refused(err, page.ProblemRefused)
		if err != nil {
			return err
		}
		return s.turn(v, status, page.Passphrase{Suggested: typed, Problem: problem})
	}
	v.aside("success", page.NoticePassphraseSaved)
	return v.then("/settings")
}

func (s *Server) appearancePage(v *visit) error {
	return s.turn(v, http.StatusOK, page.Appearance{Theme: v.theme, Language: v.cookie(languageCookie)})
}

// setAppearance is kept by the browser, not by us: each person in the house reads their own language.
func (s *Server) setAppearance(v *visit) error {
	theme, language := v.FormValue("theme"), v.FormValue("language")
	switch theme {
	case "light", "dark":
		v.setCookie(themeCookie, theme, "/", forYears)
	default:
		v.setCookie(themeCookie, "", "/", -1)
	}
	v.setCookie(languageCookie, "", "/", -1)
	for _, l := range words.Languages() {
		if language == string(l) {
			v.setCookie(languageCookie, language, "/", forYears)
		}
	}
	v.aside("success", page.NoticeAppearanceSaved)
	return v.then("/settings")
}
