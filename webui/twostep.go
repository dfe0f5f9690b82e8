package webui

import (
	"net/http"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/page"
)

func (s *Server) twoStep() (page.TwoStep, error) {
	now, err := s.cfg.Account.TwoStep()
	return page.TwoStep{On: now.On, Since: now.Since, RecoveryLeft: now.RecoveryLeft, ClockWrong: !s.cfg.Synchronised()}, err
}

func (s *Server) twoStepPage(v *visit) error {
	m, err := s.twoStep()
	if err != nil {
		return err
	}
	return s.turn(v, http.StatusOK, m)
}

// startTwoStep shows a key that does not hold yet: not before a code made with it has come back.
func (s *Server) startTwoStep(v *visit) error { return s.offerTwoStep(v, http.StatusOK, "") }

func (s *Server) offerTwoStep(v *visit, status int, problem string) error {
	m, err := s.twoStep()
	if err != nil {
		return err
	}
	offer, err := s.cfg.Account.OfferTwoStep(v.session)
	if err != nil {
		return err
	}
	return s.showOffer(v, status, m, offer, problem)
}

func (s *Server) showOffer(v *visit, status int, m page.TwoStep, offer account.Offer, problem string) error {
	code, err := peers.QRMatrix(offer.URI)
	if err != nil {
		return err
	}
	m.Key, m.Code, m.Problem = offer.Key, code, problem
	return s.turn(v, status, m)
}

func (s *Server) confirmTwoStep(v *visit) error {
	recovery, err := s.cfg.Account.ConfirmTwoStep(v.session, v.FormValue("code"))
	if err != nil {
		problem, _, status, err := refused(err, page.ProblemCode)
		if err != nil {
			return err
		}
		return s.offerTwoStep(v, status, problem)
	}
	return s.showRecovery(v, recovery)
}

func (s *Server) newRecoveryCodes(v *visit) error {
	recovery, err := s.cfg.Account.NewRecoveryCodes()
	if err != nil {
		return err
	}
	return s.showRecovery(v, recovery)
}

func (s *Server) showRecovery(v *visit, recovery []string) error {
	m, err := s.twoStep()
	if err != nil {
		return err
	}
	m.Recovery = recovery
	return s.turn(v, http.StatusOK, m)
}

func (s *Server) endTwoStep(v *visit) error {
	if err := s.cfg.Account.EndTwoStep(); err != nil {
		return err
	}
	v.aside("success", page.NoticeTwoStepOff)
	return v.then("/settings")
}
