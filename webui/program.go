package webui

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/api"
)

// program hands a request for the API on, with word of who asks: a browser that is signed in, or whoever holds a token. A
// request that brings a token is judged by the token alone.
func (s *Server) program(v *visit) error {
	caller := api.Caller{}
	if v.signedIn {
		caller = api.SessionCaller(v.session.ID, s.cfg.Account.Fresh(v.session))
	}
	if secret, ok := bearer(v.Request()); ok {
		token, err := s.cfg.Account.Token(v.Request().Context(), secret, v.visitor())
		if wait, ok := errors.AsType[*account.Wait](err); ok {
			v.Response().Header().Set("Retry-After", strconv.Itoa(int(wait.Remaining.Seconds())+1))
			body, err := json.Marshal(api.Problem{
				Type: "urn:hearthgate:problem:wait", Title: "Too many wrong tokens", Status: http.StatusTooManyRequests, Detail: wait.Error(),
			})
			if err != nil {
				return err
			}
			return v.Blob(http.StatusTooManyRequests, "application/problem+json", body)
		}
		if err != nil && !errors.Is(err, account.ErrWrong) {
			return err
		}
		caller = api.Caller{}
		if err == nil {
			var scopes []api.Scope
			for _, scope := range token.Scopes {
				scopes = append(scopes, api.Scope(scope))
			}
			caller = api.TokenCaller(token.ID, scopes...)
		}
	}
	s.api.ServeHTTP(v.Response(), v.Request().WithContext(api.WithCaller(v.Request().Context(), caller)))
	return nil
}

// bearer is the token that a request brings (RFC 6750, section 2.1); the scheme's case does not matter (RFC 9110, 11.1).
func bearer(r *http.Request) (string, bool) {
	scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(secret), true
}
