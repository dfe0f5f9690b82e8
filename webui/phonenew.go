package webui

import (
	"net/http"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/page"
)

// newPhonePage is the form that adds a phone.
func (s *Server) newPhonePage(v *visit) error {
	services, err := s.choices([]string{peers.DefaultService})
	if err != nil {
		return err
	}
	return s.turn(v, http.StatusOK, page.PhoneNew{Services: services})
}

// addPhone adds a phone and goes on to its code, or to a link that will make one. A refused form comes back as it was sent.
func (s *Server) addPhone(v *visit) error {
	typed := page.PhoneNew{Name: v.field("name"), Expires: v.field("expires")}
	chosen := v.fields("service")
	request, err := s.asked(typed, chosen)
	if err == nil && v.field("how") == "link" {
		err = s.addForLink(v, request)
	} else if err == nil {
		err = s.addForCode(v, request)
	}
	if err == nil {
		return nil
	}
	refusal, err := phoneProblem(err, typed.Name)
	if err != nil {
		return err
	}
	typed.Problem, typed.ProblemArgs = refusal.key, refusal.args
	if typed.Services, err = s.choices(chosen); err != nil {
		return err
	}
	return s.turn(v, refusal.status, typed)
}

// asked reads the form. The name is the peers room's to judge.
func (s *Server) asked(typed page.PhoneNew, chosen []string) (peers.AddRequest, error) {
	if err := s.checkChosen(chosen); err != nil {
		return peers.AddRequest{}, err
	}
	expires, err := readExpiry(typed.Expires, s.cfg.Now())
	return peers.AddRequest{Name: typed.Name, ExpiresAt: expires, Services: chosen}, err
}

func (s *Server) addForCode(v *visit, request peers.AddRequest) error {
	p, _, err := s.enrol(v, v.session.ID, func() (peers.Enrolment, error) { return s.cfg.Peers.Add(request) })
	if err != nil {
		return err
	}
	return v.then(phonePath(p, "/scan"))
}

// addForLink adds the phone and lets go of the key that was made for it: the one that it will have is made when the link is
// spent.
func (s *Server) addForLink(v *visit, request peers.AddRequest) error {
	if _, err := s.endpoint(); err != nil {
		return err
	}
	e, err := s.cfg.Peers.Add(request)
	if err != nil {
		return err
	}
	s.inForce(v)
	return s.showNewLink(v, e.Peer)
}
