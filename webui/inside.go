package webui

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/webui/account"
)

// Inside answers for the page inside the tunnel, where a phone with the service admin opens it from anywhere in the world. It is the
// same page, but for what is meant for people at home: one-time links are not spent there, and nobody claims it from there.
func (s *Server) Inside() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.forHome(r) {
			s.handleError(echo.ErrNotFound, s.echo.NewContext(r, w))
			return
		}
		s.echo.ServeHTTP(w, r)
	})
}

func (s *Server) forHome(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Path, linkCookiePath) {
		return true
	}
	claim, err := s.cfg.Account.Claim()
	return err != nil || claim.State != account.ClaimDone && !strings.HasPrefix(r.URL.Path, "/assets/")
}
