package webui

import (
	"net/http"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/page"
)

// stolenPage says what to do when the appliance, or its card, is in other hands, in the order in which it helps.
func (s *Server) stolenPage(v *visit) error {
	m, err := s.stolenModel()
	if err != nil {
		return err
	}
	return s.turn(v, http.StatusOK, m)
}

func (s *Server) stolenModel() (page.Stolen, error) {
	tokens, err := s.cfg.Account.Tokens()
	if err != nil {
		return page.Stolen{}, err
	}
	list, err := s.cfg.Peers.List()
	if err != nil {
		return page.Stolen{}, err
	}
	twoStep, err := s.cfg.Account.TwoStep()
	if err != nil {
		return page.Stolen{}, err
	}
	m := page.Stolen{Tokens: len(tokens), TwoStep: twoStep.On}
	if s.cfg.Health != nil {
		setup, err := s.cfg.Health.Settings.Get()
		if err != nil {
			return page.Stolen{}, err
		}
		m.HomeToken = !setup.HomeToken.IsZero()
		m.Watch = len(setup.Witnesses) > 0 || !setup.Webhook.IsZero() || !setup.MQTT.IsZero()
	}
	for _, t := range tokens {
		m.Names = append(m.Names, t.Name)
	}
	for _, p := range byName(list) {
		if p.NeedsEnrolment {
			m.Phones = append(m.Phones, s.row(*p))
		}
	}
	return m, nil
}

// stolen makes a new server key: whoever holds the old one can no longer pass for this appliance, and no phone comes in
// until it has scanned a new code.
func (s *Server) stolen(v *visit) error {
	if v.FormValue("sure") == "" {
		m, err := s.stolenModel()
		if err != nil {
			return err
		}
		m.Problem = page.ProblemSure
		return s.turn(v, http.StatusBadRequest, m)
	}
	_, list, err := s.cfg.Peers.RekeyServer()
	if err != nil {
		return err
	}
	s.inForce(v)
	m, err := s.stolenModel()
	if err != nil {
		return err
	}
	m.Done = true
	s.forgetCodes(list)
	return s.turn(v, http.StatusOK, m)
}

// forgetCodes takes away every code that was made for the old key.
func (s *Server) forgetCodes(list []peers.Peer) {
	for _, p := range list {
		s.desk.forgetPeer(p.ID)
		s.links.forgetPeer(p.ID)
	}
}
