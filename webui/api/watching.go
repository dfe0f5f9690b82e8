package api

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/secret"
)

// ExposureSetup is who looks and who is told. What is secret in it is written and never shown.
type ExposureSetup struct {
	Witnesses  []WitnessView `json:"witnesses"`
	Globalping bool          `json:"globalping"`
	PortCheck  bool          `json:"port_check"`
	InternetDB bool          `json:"internetdb"`
	Canary     bool          `json:"canary"`
	Known      []uint16      `json:"known"` // ports of which the owner said that what answers there is not Home Assistant
	Names      []string      `json:"names"` // by which a reverse proxy may know Home Assistant

	HomeAssistantToken  SecretView `json:"home_assistant_token"`
	NotifyHomeAssistant bool       `json:"notify_home_assistant"`
	Webhook             SecretView `json:"webhook"`
	MQTT                SecretView `json:"mqtt"`
	Alerts              []Alert    `json:"alerts"` // how telling went last
}

// WitnessView is a witness that was invited.
type WitnessView struct {
	Name string `json:"name"`
}

// SecretView tells that there is one, and of an address to which host it leads.
type SecretView struct {
	Set  bool   `json:"set"`
	Host string `json:"host,omitempty"`
}

// PatchExposureSetup changes one thing; exactly one field must be set.
type PatchExposureSetup struct {
	Globalping          *bool     `json:"globalping,omitempty"`
	PortCheck           *bool     `json:"port_check,omitempty"`
	InternetDB          *bool     `json:"internetdb,omitempty"`
	Canary              *bool     `json:"canary,omitempty"`
	Known               *[]uint16 `json:"known,omitempty"`
	Names               *[]string `json:"names,omitempty"`
	HomeAssistantToken  *string   `json:"home_assistant_token,omitempty"` // empty takes it away; so below
	NotifyHomeAssistant *bool     `json:"notify_home_assistant,omitempty"`
	Webhook             *string   `json:"webhook,omitempty"`
	MQTT                *string   `json:"mqtt,omitempty"`
}

// AddWitness holds an invite, which is a secret.
type AddWitness struct {
	Invite string `json:"invite"`
}

// DeleteMapping names a mapping of the router.
type DeleteMapping struct {
	ID string `json:"id"`
}

func (in PatchExposureSetup) fields() (n int) {
	for _, is := range []bool{
		in.Globalping != nil, in.PortCheck != nil, in.InternetDB != nil, in.Canary != nil, in.Known != nil, in.Names != nil,
		in.HomeAssistantToken != nil, in.NotifyHomeAssistant != nil, in.Webhook != nil, in.MQTT != nil,
	} {
		if is {
			n++
		}
	}
	return n
}

func (in PatchExposureSetup) change() health.SetupChange {
	return health.SetupChange{
		Globalping: in.Globalping, PortCheck: in.PortCheck, InternetDB: in.InternetDB, Canary: in.Canary,
		Known: in.Known, Names: in.Names,
		HomeToken: in.HomeAssistantToken, NotifyHome: in.NotifyHomeAssistant, Webhook: in.Webhook, MQTT: in.MQTT,
	}
}

// withHealth answers that there is nothing where nobody looks.
func (s *Server) withHealth(answer echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.cfg.Health == nil {
			return errNotHere
		}
		return answer(c)
	}
}

func (s *Server) getExposureSetup(c echo.Context) error {
	setup, err := s.cfg.Health.Settings.Get()
	if err != nil {
		return err
	}
	out := SetupOf(setup)
	if s.cfg.Health.Alerts != nil {
		out.Alerts = append(out.Alerts, s.cfg.Health.Alerts()...)
	}
	return c.JSON(http.StatusOK, out)
}

// SetupOf is a setup without its secrets.
func SetupOf(setup health.Setup) ExposureSetup {
	out := ExposureSetup{
		Witnesses: []WitnessView{}, Globalping: setup.Globalping, PortCheck: setup.PortCheck, InternetDB: setup.InternetDB,
		Canary: setup.Canary, Known: append([]uint16{}, setup.Known...), Names: append([]string{}, setup.Names...),
		HomeAssistantToken:  SecretView{Set: setup.HomeToken.Reveal() != ""},
		NotifyHomeAssistant: setup.NotifyHome, Webhook: hostOf(setup.Webhook), MQTT: hostOf(setup.MQTT), Alerts: []Alert{},
	}
	for _, w := range setup.Witnesses {
		out.Witnesses = append(out.Witnesses, WitnessView{Name: w.Name})
	}
	return out
}

// hostOf shows of an address what is no secret: user, password, path and query may be.
func hostOf(address secret.Text) SecretView {
	text := address.Reveal()
	if text == "" {
		return SecretView{}
	}
	u, err := url.Parse(text)
	if err != nil {
		return SecretView{Set: true}
	}
	return SecretView{Set: true, Host: u.Host}
}

func (s *Server) patchExposureSetup(c echo.Context) error {
	var in PatchExposureSetup
	if err := read(c, &in); err != nil {
		return err
	}
	if in.fields() != 1 {
		return refuse(ErrInvalid, "set exactly one field")
	}
	if err := refusedSetup(s.cfg.Health.Settings.Set(in.change())); err != nil {
		return err
	}
	return s.getExposureSetup(c)
}

func (s *Server) addWitness(c echo.Context) error {
	var in AddWitness
	if err := read(c, &in); err != nil {
		return err
	}
	name, err := s.cfg.Health.Settings.AddWitness(in.Invite)
	if err := refusedSetup(err); err != nil {
		if in.Invite != "" && strings.Contains(err.Error(), strings.TrimSpace(in.Invite)) {
			return refuse(ErrInvalid, "that is not the invite of a witness") // it may have been nearly one, and holds a key
		}
		return err
	}
	return c.JSON(http.StatusCreated, WitnessView{Name: name})
}

func (s *Server) removeWitness(c echo.Context) error {
	name, err := url.PathUnescape(c.Param("name"))
	if err != nil {
		return refuse(ErrInvalid, "the name in the address cannot be read")
	}
	if err := refusedSetup(s.cfg.Health.Settings.RemoveWitness(name)); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// refusedSetup tells what the settings refuse from what failed.
func refusedSetup(err error) error {
	if errors.Is(err, health.ErrNoWitness) {
		return Refusal(ErrNotFound, err)
	}
	if _, ok := errors.AsType[health.ErrInvalid](err); ok {
		return Refusal(ErrInvalid, err)
	}
	return err
}

func (s *Server) listMappings(c echo.Context) error {
	return c.JSON(http.StatusOK, s.cfg.Health.Mappings())
}

func (s *Server) deleteMapping(c echo.Context) error {
	var in DeleteMapping
	if err := read(c, &in); err != nil {
		return err
	}
	out, err := s.cfg.Health.DeleteMapping(c.Request().Context(), s.cfg.Journal, in.ID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, out)
}
