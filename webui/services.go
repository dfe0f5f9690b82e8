package webui

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

func (s *Server) services() (page.Services, error) {
	list, err := s.cfg.Services.List()
	if err != nil {
		return page.Services{}, err
	}
	having, err := s.phonesByService()
	if err != nil {
		return page.Services{}, err
	}
	var m page.Services
	for _, one := range list {
		m.List = append(m.List, page.ServiceRow{
			Name: one.Name, Target: one.Target, Protocol: one.Protocol, State: one.State, Port: one.Port, Builtin: one.Builtin,
			Phones: having[one.Name],
		})
	}
	return m, nil
}

// phonesByService counts the phones that have each service.
func (s *Server) phonesByService() (map[string]int, error) {
	list, err := s.cfg.Peers.List()
	if err != nil {
		return nil, err
	}
	out := make(map[string]int)
	for _, p := range list {
		for _, name := range p.Services {
			out[name]++
		}
	}
	return out, nil
}

func (s *Server) servicesPage(v *visit) error {
	m, err := s.services()
	if err != nil {
		return err
	}
	return s.turn(v, http.StatusOK, m)
}

func (s *Server) addService(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return badForm(err)
	}
	in, problem := serviceForm(form)
	if problem == "" {
		if _, err = s.cfg.Services.Add(in); err == nil {
			s.inForce(v)
			v.aside("success", page.NoticeServiceAdded, "name", in.Name)
			return v.then("/settings/services")
		}
	}
	m, listErr := s.services()
	if listErr != nil {
		return listErr
	}
	status := http.StatusBadRequest
	switch {
	case problem != "":
		m.Problem = problem
	case errors.Is(err, api.ErrConflict):
		m.Problem, status = taken(m.List, in.Name), http.StatusConflict
	case errors.Is(err, api.ErrInvalid):
		m.Problem = page.ProblemServiceTarget
	default:
		return err
	}
	m.ProblemArgs = []any{"name", in.Name}
	m.Name, m.Target, m.Port, m.Protocol = form.Get("name"), form.Get("target"), form.Get("port"), form.Get("protocol")
	return s.turn(v, status, m)
}

var serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// serviceForm reads the form. What it lets through, the room that keeps services looks at once more.
func serviceForm(form url.Values) (in api.AddService, problem string) {
	in = api.AddService{
		Name: strings.ToLower(strings.TrimSpace(form.Get("name"))), Target: strings.TrimSpace(form.Get("target")), Protocol: form.Get("protocol"),
	}
	if !serviceName.MatchString(in.Name) {
		return in, page.ProblemServiceName
	}
	if _, _, err := net.SplitHostPort(in.Target); err != nil {
		return in, page.ProblemServiceTarget
	}
	if text := strings.TrimSpace(form.Get("port")); text != "" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return in, page.ProblemServicePort
		}
		in.Port = uint16(port)
	}
	return in, ""
}

// taken says what of a new service is taken: its name, or else its port.
func taken(list []page.ServiceRow, name string) string {
	if slices.ContainsFunc(list, func(r page.ServiceRow) bool { return r.Name == name }) {
		return page.ProblemServiceTaken
	}
	return page.ProblemPortTaken
}

func (s *Server) removeServicePage(v *visit) error {
	m, err := s.services()
	if err != nil {
		return err
	}
	for _, row := range m.List {
		if row.Name == v.Param("name") && !row.Builtin {
			return s.turn(v, http.StatusOK, page.ServiceRemove{Name: row.Name, Phones: row.Phones})
		}
	}
	return echo.ErrNotFound
}

func (s *Server) removeService(v *visit) error {
	name := v.Param("name")
	switch err := s.cfg.Services.Remove(name); {
	case errors.Is(err, api.ErrNotFound), errors.Is(err, api.ErrConflict):
		return echo.ErrNotFound
	case err != nil:
		return err
	}
	s.inForce(v)
	v.aside("success", page.NoticeServiceRemoved, "name", name)
	return v.then("/settings/services")
}
