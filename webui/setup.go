package webui

import (
	"errors"
	"net/http"

	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/page"
	"github.com/hearthgate/hearthgate/webui/words"
)

// setupPage is where an appliance that nobody has claimed sends everybody.
func (s *Server) setupPage(v *visit) error {
	claim, err := s.cfg.Account.Claim()
	if err != nil {
		return err
	}
	switch claim.State {
	case account.ClaimDone:
		return s.alreadySetUp(v, claim)
	case account.ClaimShut:
		return v.show(http.StatusOK, page.SetupShut{})
	default:
		return v.show(http.StatusOK, page.Setup{
			NeedsCode: claim.State == account.NeedsCode, Code: v.QueryParam("code"),
			Passphrase: words.Passphrase(v.language), Until: claim.Until,
		})
	}
}

func (s *Server) alreadySetUp(v *visit, claim account.Claim) error {
	if v.signedIn {
		return v.then("/")
	}
	return v.show(http.StatusOK, page.AlreadySetUp{At: claim.At, From: claim.From})
}

// setup claims the appliance. Whoever does is signed in at once, also on days to come: it is their own browser.
func (s *Server) setup(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return badForm(err)
	}
	if claim, err := s.cfg.Account.Claim(); err != nil {
		return err
	} else if claim.State == account.ClaimDone || claim.State == account.ClaimShut {
		return s.setupPage(v)
	}
	in, err := s.cfg.Account.TakeClaim(v.Request().Context(), account.Claiming{
		Code: form.Get("code"), Passphrase: form.Get("passphrase"), Visitor: v.visitor(), Keep: true,
	})
	if err == nil {
		s.welcome(v, in)
		if s.endpointKnown() {
			return v.then("/")
		}
		return v.then("/setup/address")
	}
	claim, claimErr := s.cfg.Account.Claim()
	if claimErr != nil {
		return claimErr
	}
	switch {
	case errors.Is(err, account.ErrClaimed):
		return s.alreadySetUp(v, claim)
	case errors.Is(err, account.ErrShut):
		return v.show(http.StatusForbidden, page.SetupShut{})
	}
	again := page.Setup{
		NeedsCode: claim.State == account.NeedsCode, Code: form.Get("code"), Passphrase: form.Get("passphrase"), Until: claim.Until,
	}
	var status int
	if again.Problem, again.Wait, status, err = refused(err, page.ProblemSetupCode); err != nil {
		return err
	}
	return v.hold(status, again.Wait, again)
}

// welcome hands a browser that has signed in its cookies. Both are new at each sign-in: what a browser brought along is
// never taken over.
func (s *Server) welcome(v *visit, in account.SignedIn) {
	age := 0
	if in.Session.Keep {
		age = forYears
	}
	v.setCookie(sessionCookie, in.Cookie, "/", age)
	if in.Device != "" {
		v.setCookie(deviceCookie, in.Device, "/", forYears)
	}
	v.session, v.signedIn = in.Session, true
}
