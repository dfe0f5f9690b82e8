package webui

import (
	"errors"
	"net/http"

	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/page"
)

func (s *Server) signInPage(v *visit) error {
	claim, err := s.cfg.Account.Claim()
	switch {
	case err != nil:
		return err
	case claim.State != account.ClaimDone:
		return v.then("/setup")
	case v.signedIn:
		return v.then(local(v.QueryParam("next")))
	}
	return v.show(http.StatusOK, page.SignIn{Next: local(v.QueryParam("next")), Keep: true})
}

func (s *Server) signIn(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return badForm(err)
	}
	next, keep := local(form.Get("next")), form.Get("keep") != ""
	in, err := s.cfg.Account.SignIn(v.Request().Context(), form.Get("passphrase"), keep, v.visitor())
	switch {
	case errors.Is(err, account.ErrUnclaimed):
		return v.then("/setup")
	case err != nil:
		again := page.SignIn{Next: next, Keep: keep}
		var status int
		if again.Problem, again.Wait, status, err = refused(err, page.ProblemPassphrase); err != nil {
			return err
		}
		return v.hold(status, again.Wait, again)
	case in.NeedsCode:
		return v.show(http.StatusOK, page.SignInCode{Pending: in.Pending, Next: next, Keep: keep, RecoveryOnly: in.RecoveryOnly})
	}
	if err := s.instead(v, in); err != nil {
		return err
	}
	return v.then(next)
}

// signInCodePage is for whoever reloads the second step: only the answer to the first one has what it needs.
func (s *Server) signInCodePage(v *visit) error { return v.then("/signin") }

func (s *Server) signInCode(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return badForm(err)
	}
	next, pending := local(form.Get("next")), form.Get("pending")
	in, err := s.cfg.Account.SignInCode(v.Request().Context(), pending, form.Get("code"), v.visitor())
	switch {
	case errors.Is(err, account.ErrPending):
		return v.show(http.StatusForbidden, page.SignIn{Next: next, Keep: true, Problem: page.ProblemPending})
	case err != nil:
		again := page.SignInCode{Pending: pending, Next: next, Keep: form.Get("keep") != "", RecoveryOnly: !s.cfg.Synchronised()}
		var status int
		if again.Problem, again.Wait, status, err = refused(err, s.wrongCode()); err != nil {
			return err
		}
		return v.hold(status, again.Wait, again)
	}
	if err := s.instead(v, in); err != nil {
		return err
	}
	if two, err := s.cfg.Account.TwoStep(); err == nil && two.On && two.RecoveryLeft < fewCodes {
		v.aside("warning", page.NoticeRecoveryLow, "count", two.RecoveryLeft)
	}
	return v.then(next)
}

// instead hands over a new session in place of the one that this browser had, if any: who signs in again may do it because
// somebody else could have the old one's cookie.
func (s *Server) instead(v *visit, in account.SignedIn) error {
	if v.signedIn {
		if err := s.cfg.Account.SignOut(v.session); err != nil {
			return err
		}
		s.desk.forget(v.session.ID)
	}
	s.welcome(v, in)
	return nil
}

// fewCodes is how many recovery codes are worth a word of warning: of ten, somebody who has spent seven will spend more.
const fewCodes = 4

func (s *Server) signOut(v *visit) error {
	if err := s.cfg.Account.SignOut(v.session); err != nil {
		return err
	}
	s.desk.forget(v.session.ID)
	v.setCookie(sessionCookie, "", "/", -1)
	return v.then("/signin")
}
