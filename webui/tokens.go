package webui

import (
	"errors"
	"net/http"

	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/page"
)

func (s *Server) tokens() (page.Tokens, error) {
	list, err := s.cfg.Account.Tokens()
	if err != nil {
		return page.Tokens{}, err
	}
	var m page.Tokens
	for _, t := range list {
		row := page.TokenRow{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt, LastUsed: t.LastUsedAt}
		for _, scope := range t.Scopes {
			row.Scopes = append(row.Scopes, string(scope))
		}
		m.List = append(m.List, row)
	}
	return m, nil
}

func (s *Server) tokensPage(v *visit) error {
	m, err := s.tokens()
	if err != nil {
		return err
	}
	return s.turn(v, http.StatusOK, m)
}

// addToken shows the secret in its answer, and it is never shown again.
func (s *Server) addToken(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return badForm(err)
	}
	var scopes []account.Scope
	for _, scope := range form["scope"] {
		scopes = append(scopes, account.Scope(scope))
	}
	name, status := form.Get("name"), http.StatusOK
	token, secret, err := s.cfg.Account.AddToken(name, scopes)
	var problem string
	switch {
	case err == nil:
	case len(scopes) == 0:
		problem, status = page.ProblemTokenScope, http.StatusBadRequest
	case errors.Is(err, account.ErrInvalid):
		problem, status = page.ProblemTokenName, http.StatusBadRequest
	case errors.Is(err, account.ErrExists):
		problem, status = page.ProblemTokenTaken, http.StatusConflict
	case errors.Is(err, account.ErrFull):
		problem, status = page.ProblemTokenMany, http.StatusConflict
	default:
		return err
	}
	m, err := s.tokens()
	if err != nil {
		return err
	}
	m.Problem, m.Secret, m.Made = problem, secret, token.Name
	if problem != "" {
		m.Name = name
	}
	return s.turn(v, status, m)
}

func (s *Server) removeToken(v *visit) error {
	id := v.FormValue("id")
	name := ""
	list, err := s.cfg.Account.Tokens()
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.ID == id {
			name = t.Name
		}
	}
	if err := s.cfg.Account.RemoveToken(id); err != nil && !errors.Is(err, account.ErrNoToken) {
		return err
	}
	if name != "" {
		v.aside("success", page.NoticeTokenRemoved, "name", name)
	}
	return v.then("/settings/tokens")
}
