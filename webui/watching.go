package webui

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// watchPath is the page of who looks from outside and who is told.
const watchPath = "/settings/watch"

// watchModel is the setup without its secrets.
func (s *Server) watchModel() (page.Watch, error) {
	if s.cfg.Health == nil {
		return page.Watch{}, echo.ErrNotFound
	}
	kept, err := s.cfg.Health.Settings.Get()
	if err != nil {
		return page.Watch{}, err
	}
	setup := api.SetupOf(kept)
	m := page.Watch{
		Full: len(setup.Witnesses) >= health.MaxWitnesses, Lone: len(setup.Witnesses) == 1 && !setup.Canary,
		Globalping: setup.Globalping, PortCheck: setup.PortCheck, InternetDB: setup.InternetDB, Canary: setup.Canary,
		Token: setup.HomeAssistantToken.Set, NotifyHome: setup.NotifyHomeAssistant,
		Webhook: page.Told{Set: setup.Webhook.Set, Host: setup.Webhook.Host}, MQTT: page.Told{Set: setup.MQTT.Set, Host: setup.MQTT.Host},
		Home: page.Told{Set: setup.NotifyHomeAssistant}, Names: strings.Join(setup.Names, ", "),
	}
	for _, w := range setup.Witnesses {
		m.Witnesses = append(m.Witnesses, w.Name)
	}
	if s.cfg.Health.Alerts != nil {
		for _, a := range s.cfg.Health.Alerts() {
			for name, told := range map[string]*page.Told{"webhook": &m.Webhook, "mqtt": &m.MQTT, "home_assistant": &m.Home} {
				if a.Name == name {
					told.At, told.Wrong = a.At, !a.OK
				}
			}
		}
	}
	return m, nil
}

// watching counts who looks from outside.
func watching(setup health.Setup) int {
	n := len(setup.Witnesses)
	for _, on := range []bool{setup.Globalping, setup.PortCheck, setup.InternetDB} {
		if on {
			n++
		}
	}
	return n
}

func (s *Server) watchPage(v *visit) error {
	m, err := s.watchModel()
	if err != nil {
		return err
	}
	return s.turn(v, http.StatusOK, m)
}

// refuseWatch shows the page once more, with what was wrong beside its form. Nothing secret that was typed comes back.
func (s *Server) refuseWatch(v *visit, form, problem, typed string) error {
	m, err := s.watchModel()
	if err != nil {
		return err
	}
	m.ProblemForm, m.Problem, m.Typed = form, problem, typed
	return s.turn(v, http.StatusBadRequest, m)
}

func (s *Server) addWitness(v *visit) error {
	m, err := s.watchModel()
	if err != nil {
		return err
	}
	name, err := s.cfg.Health.Settings.AddWitness(v.field("invite"))
	if _, ok := errors.AsType[health.ErrInvalid](err); ok {
		problem := page.ProblemInvite
		if m.Full {
			problem = page.ProblemWitnesses
		}
		return s.refuseWatch(v, "invite", problem, "")
	}
	if err != nil {
		return err
	}
	s.cfg.Health.Loop.Check()
	v.aside("success", page.NoticeWitnessAdded, "name", name)
	return v.then(watchBack(v))
}

// watchBack is where a form came from that stands on more than one page.
func watchBack(v *visit) string {
	switch back := v.field("back"); back {
	case "/", "/check":
		return "/check" // where one sees what comes of it
	default:
		return watchPath
	}
}

func (s *Server) removeWitness(v *visit) error {
	if s.cfg.Health == nil {
		return echo.ErrNotFound
	}
	name := v.FormValue("name")
	if err := s.cfg.Health.Settings.RemoveWitness(name); errors.Is(err, health.ErrNoWitness) {
		return v.then(watchPath) // somebody else was faster
	} else if err != nil {
		return err
	}
	v.aside("success", page.NoticeWitnessRemoved, "name", name)
	return v.then(watchPath)
}

// switchWatch turns one of those on or off that need nothing but a yes.
func (s *Server) switchWatch(v *visit) error {
	on := v.field("on") == "1"
	var change health.SetupChange
	switch v.field("what") {
	case "globalping":
		change.Globalping = &on
	case "port_check":
		change.PortCheck = &on
	case "internetdb":
		change.InternetDB = &on
	case "canary":
		change.Canary = &on
	case "notify_home":
		change.NotifyHome = &on
	default:
		return echo.ErrBadRequest
	}
	if done, err := s.changeWatch(v, change, "notify", page.ProblemNeedsToken, ""); !done {
		return err
	}
	if on && change.NotifyHome == nil {
		s.cfg.Health.Loop.Check()
	}
	return v.then(watchBack(v))
}

// changeWatch makes a change and tells whether it was made; if not, it has answered.
func (s *Server) changeWatch(v *visit, change health.SetupChange, form, problem, typed string) (bool, error) {
	if s.cfg.Health == nil {
		return false, echo.ErrNotFound
	}
	err := s.cfg.Health.Settings.Set(change)
	if _, ok := errors.AsType[health.ErrInvalid](err); ok {
		return false, s.refuseWatch(v, form, problem, typed)
	}
	if err != nil {
		return false, err
	}
	v.aside("success", page.NoticeWatchSaved)
	return true, nil
}

// setText keeps a text that stands in a field of its own; an empty one, or the button that says so, takes it away.
func (s *Server) setText(v *visit, form, problem string, change func(*string) health.SetupChange) error {
	typed := v.field(form)
	if v.field("off") == "1" {
		typed = ""
	} else if typed == "" {
		return s.refuseWatch(v, form, problem, "")
	}
	if done, err := s.changeWatch(v, change(&typed), form, problem, ""); !done {
		return err
	}
	return v.then(watchPath)
}

// setHomeToken keeps Home Assistant's token. Without one nobody can be told through Home Assistant, so that ends with it.
func (s *Server) setHomeToken(v *visit) error {
	return s.setText(v, "token", page.ProblemHomeToken, func(token *string) health.SetupChange {
		c := health.SetupChange{HomeToken: token}
		if *token == "" {
			c.NotifyHome = new(bool)
		}
		return c
	})
}

func (s *Server) setWebhook(v *visit) error {
	return s.setText(v, "webhook", page.ProblemWebhook, func(u *string) health.SetupChange { return health.SetupChange{Webhook: u} })
}

func (s *Server) setMQTT(v *visit) error {
	return s.setText(v, "mqtt", page.ProblemMQTT, func(u *string) health.SetupChange { return health.SetupChange{MQTT: u} })
}

// proxyName is a host name as it stands in a certificate or in a request.
var proxyName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}\.)*[a-z0-9-]{1,63}$`)

// setNames keeps the names by which a reverse proxy may know Home Assistant.
func (s *Server) setNames(v *visit) error {
	typed := v.field("names")
	names := strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
	for _, name := range names {
		if len(name) > 253 || !proxyName.MatchString(name) {
			return s.refuseWatch(v, "names", page.ProblemNames, typed)
		}
	}
	if done, err := s.changeWatch(v, health.SetupChange{Names: &names}, "names", page.ProblemNames, typed); !done {
		return err
	}
	return v.then(watchPath)
}
