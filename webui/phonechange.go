package webui

import (
	"net/http"
	"strings"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/page"
)

// change is one form of a phone's page: what it does, and what is said of it.
type change struct {
	form   string // as the page calls it; empty: it has nothing to fill in, and what was wrong stands at the top
	typed  string
	chosen []string // services; nil: the form has none
	do     func() (peers.Peer, error)
	notice string
}

// apply makes a change and goes back to the phone's page, or shows it again with what was wrong at the form that was sent.
func (s *Server) apply(v *visit, p peers.Peer, c change) error {
	changed, err := c.do()
	if err != nil {
		return s.refuse(v, p, c, err)
	}
	s.inForce(v)
	v.aside("success", c.notice, "name", changed.Name)
	return v.then(phonePath(changed, ""))
}

func (s *Server) refuse(v *visit, p peers.Peer, c change, err error) error {
	refusal, err := phoneProblem(err, c.typed)
	if err != nil {
		return err
	}
	m, err := s.phoneModel(v, p)
	if err != nil {
		return err
	}
	if c.form == "" {
		v.aside("error", refusal.key, refusal.args...)
		return s.turn(v, refusal.status, m)
	}
	m.Problem, m.ProblemArgs, m.ProblemForm, m.Typed = refusal.key, refusal.args, c.form, c.typed
	if c.chosen != nil {
		if m.Services, err = s.choices(c.chosen); err != nil {
			return err
		}
	}
	return s.turn(v, refusal.status, m)
}

func (s *Server) renamePhone(v *visit, p peers.Peer) error {
	name := v.field("name")
	return s.apply(v, p, change{
		form: "rename", typed: name, notice: page.NoticePhoneRenamed,
		do: func() (peers.Peer, error) { return s.cfg.Peers.Rename(p.ID, name) },
	})
}

func (s *Server) pausePhone(v *visit, p peers.Peer) error {
	return s.apply(v, p, change{
		notice: page.NoticePhonePaused,
		do:     func() (peers.Peer, error) { return s.cfg.Peers.SetDisabled(p.ID, true) },
	})
}

func (s *Server) resumePhone(v *visit, p peers.Peer) error {
	return s.apply(v, p, change{
		form: "resume", notice: page.NoticePhoneResumed,
		do: func() (peers.Peer, error) { return s.cfg.Peers.SetDisabled(p.ID, false) },
	})
}

func (s *Server) setPhoneExpiry(v *visit, p peers.Peer) error {
	typed := strings.TrimSpace(v.field("expires"))
	return s.apply(v, p, change{
		form: "expiry", typed: typed, notice: page.NoticeExpirySaved,
		do: func() (peers.Peer, error) {
			at, err := readExpiry(typed, s.cfg.Now())
			if err != nil {
				return peers.Peer{}, err
			}
			changed, err := s.cfg.Peers.SetExpiry(p.ID, at)
			return changed, orElse(err, page.ProblemExpiryPast) // the moment passed between the two
		},
	})
}

func (s *Server) setPhoneServices(v *visit, p peers.Peer) error {
	chosen := v.fields("service")
	return s.apply(v, p, change{
		form: "services", chosen: chosen, notice: page.NoticeServicesSaved,
		do: func() (peers.Peer, error) {
			if err := s.checkChosen(chosen); err != nil {
				return peers.Peer{}, err
			}
			changed, err := s.cfg.Peers.SetServices(p.ID, chosen)
			return changed, orElse(err, page.ProblemNoService) // it went between the two
		},
	})
}

// rekeyPhone makes a new code. The old one works until the new one is used; one that nobody has ever used goes at once.
func (s *Server) rekeyPhone(v *visit, p peers.Peer) error {
	_, _, err := s.enrol(v, v.session.ID, func() (peers.Enrolment, error) {
		return s.cfg.Peers.Rekey(p.ID, nil, p.FirstHandshake.IsZero())
	})
	if err != nil {
		return s.refuse(v, p, change{}, err)
	}
	return v.then(phonePath(p, "/scan"))
}

func (s *Server) removePhonePage(v *visit, p peers.Peer) error {
	return s.turn(v, http.StatusOK, page.PhoneRemove{ID: p.ID, Name: p.Name})
}

// removePhone takes a phone's access away; when the answer comes, it is out.
func (s *Server) removePhone(v *visit, p peers.Peer) error {
	if err := s.cfg.Peers.Remove(p.ID); err != nil {
		return err
	}
	s.desk.forgetPeer(p.ID)
	s.links.forgetPeer(p.ID)
	s.inForce(v)
	v.aside("success", page.NoticePhoneRemoved, "name", p.Name)
	return v.then("/")
}
