package webui

import (
	"slices"

	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// choices are the services that a phone may have, those chosen that are named. A name that no service has any more is left
// out: it opens nothing.
func (s *Server) choices(chosen []string) ([]page.ServiceChoice, error) {
	list, err := s.cfg.Services.List()
	if err != nil {
		return nil, err
	}
	out := make([]page.ServiceChoice, 0, len(list))
	for _, one := range list {
		out = append(out, page.ServiceChoice{
			Name: one.Name, Target: one.Target, Builtin: one.Builtin, Chosen: slices.Contains(chosen, one.Name),
		})
	}
	return out, nil
}

// checkChosen refuses what cannot be a phone's services: none at all, which nobody means who adds a phone or changes one
// (to shut it out there is "pause"), or one that is gone since the form was made.
func (s *Server) checkChosen(chosen []string) error {
	list, err := s.cfg.Services.List()
	if err != nil {
		return err
	}
	for _, name := range chosen {
		if !slices.ContainsFunc(list, func(one api.Service) bool { return one.Name == name }) {
			return invalid(page.ProblemNoService)
		}
	}
	if len(chosen) == 0 {
		return invalid(page.ProblemNoChoice)
	}
	return nil
}

// days are what a phone has carried, the oldest day first.
func (s *Server) days(peer string) ([]page.Day, error) {
	list, err := s.cfg.Usage.Days(peer)
	if err != nil {
		return nil, err
	}
	out := make([]page.Day, 0, len(list))
	for _, day := range list {
		out = append(out, page.Day{Date: day.Date, Received: day.Received, Sent: day.Sent})
	}
	return out, nil
}
