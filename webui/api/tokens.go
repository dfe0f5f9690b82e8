package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/webui/account"
)

// Token is an API token, without its secret.
type Token struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Scopes     []account.Scope `json:"scopes"`
	CreatedAt  time.Time       `json:"created_at"`
	LastUsedAt time.Time       `json:"last_used_at,omitzero"` // to an hour
}

// AddToken asks for a new token.
type AddToken struct {
	Name   string          `json:"name"`
	Scopes []account.Scope `json:"scopes"`
}

// AddedToken has the secret, which is shown here and nowhere else.
type AddedToken struct {
	Token  Token  `json:"token"`
	Secret string `json:"secret"` // for Authorization: Bearer
}

func tokenView(t account.Token) Token {
	return Token{
		ID: t.ID, Name: t.Name, Scopes: append([]account.Scope{}, t.Scopes...),
		CreatedAt: t.CreatedAt.UTC(), LastUsedAt: t.LastUsedAt.UTC(),
	}
}

func (s *Server) listTokens(c echo.Context) error {
	list, err := s.cfg.Account.Tokens()
	if err != nil {
		return err
	}
	out := make([]Token, 0, len(list))
	for _, t := range list {
		out = append(out, tokenView(t))
	}
	return c.JSON(http.StatusOK, out)
}

func (s *Server) addToken(c echo.Context) error {
	var in AddToken
	if err := read(c, &in); err != nil {
		return err
	}
	t, secret, err := s.cfg.Account.AddToken(in.Name, in.Scopes)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, AddedToken{Token: tokenView(t), Secret: secret})
}

func (s *Server) removeToken(c echo.Context) error {
	if err := s.cfg.Account.RemoveToken(c.Param("id")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
