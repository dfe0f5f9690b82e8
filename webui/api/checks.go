package api

import (
	"maps"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/health"
)

// ExposureChecks is how the round stands that runs, or how the last one ended, and what every vantage saw last.
type ExposureChecks struct {
	Running bool           `json:"running"`
	Round   string         `json:"round,omitempty"`
	BeganAt time.Time      `json:"began_at,omitzero"`
	EndedAt time.Time      `json:"ended_at,omitzero"`
	Steps   []ExposureStep `json:"steps"`
	Seen    []Sighting     `json:"seen"` // the newest first
}

// ExposureStep is what one vantage is doing.
type ExposureStep struct {
	Vantage health.Kind `json:"vantage"`
	Text    string      `json:"text"` // English
	Done    bool        `json:"done"`
}

// Sighting is what one vantage saw of one port at one address.
type Sighting struct {
	Round    string          `json:"round"`
	Vantage  health.Kind     `json:"vantage"`
	Seat     string          `json:"seat"` // which of its kind
	From     string          `json:"from"` // where it looked from
	Family   health.Family   `json:"family"`
	Address  netip.Addr      `json:"address,omitzero"`
	Port     uint16          `json:"port"` // 0: no single one
	State    health.State    `json:"state"`
	Why      health.Code     `json:"why,omitempty"`
	Args     health.Args     `json:"args,omitempty"`
	Text     string          `json:"text,omitempty"` // why, as a sentence
	Identity health.Identity `json:"identity"`
	Controls health.Controls `json:"controls"`
	BeganAt  time.Time       `json:"began_at,omitzero"`
	At       time.Time       `json:"at"`
}

// ExposureEntry is one line of history: what a vantage saw, as long as it saw the same, or a change of the verdict.
type ExposureEntry struct {
	Seq     uint64           `json:"seq"`
	FirstAt time.Time        `json:"first_at"`
	LastAt  time.Time        `json:"last_at"`
	Times   int              `json:"times"`
	Vantage health.Kind      `json:"vantage,omitempty"` // empty: the verdict changed
	State   ExposureState    `json:"state"`             // afterwards
	Reasons []ExposureReason `json:"reasons"`
	Seen    []Sighting       `json:"seen"`
}

const (
	mostEntries    = 200
	defaultEntries = 30
)

// checkExposure asks for a look now; what comes of it is told by the verdict, and by events.
func (s *Server) checkExposure(c echo.Context) error {
	if s.cfg.Health == nil {
		return refuse(ErrConflict, "nothing can look from outside yet")
	}
	s.cfg.Health.Loop.Check()
	return c.NoContent(http.StatusAccepted)
}

func (s *Server) getExposureChecks(c echo.Context) error {
	out := ExposureChecks{Steps: []ExposureStep{}, Seen: []Sighting{}}
	if s.cfg.Health == nil {
		return c.JSON(http.StatusOK, out)
	}
	p := s.cfg.Health.Loop.Progress()
	out.Running, out.Round, out.BeganAt, out.EndedAt = p.Running, p.Round, p.Began.UTC(), p.Ended.UTC()
	for _, w := range p.Steps {
		out.Steps = append(out.Steps, ExposureStep{Vantage: w.Kind, Text: w.Text, Done: w.Done})
	}
	out.Seen = sightings(s.cfg.Health.Loop.Seen())
	return c.JSON(http.StatusOK, out)
}

func sightings(list []health.Observation) []Sighting {
	out := make([]Sighting, 0, len(list))
	for _, o := range list {
		out = append(out, Sighting{
			Round: o.Round, Vantage: o.Kind, Seat: o.Seat, From: o.From, Family: o.Family, Address: o.Address, Port: o.Port,
			State: o.State, Why: o.Why, Args: o.Args, Text: SaidOf(o).Text(), Identity: o.Identity, Controls: o.Controls,
			BeganAt: o.Began.UTC(), At: o.At.UTC(),
		})
	}
	return out
}

// SaidOf is why an observation is what it is, with what the observation itself tells filled in.
func SaidOf(o health.Observation) health.Reason {
	args := health.Args{"from": o.From, "port": strconv.Itoa(int(o.Port)), "seat": o.Seat}
	if o.Address.IsValid() {
		args["address"] = o.Address.String()
	}
	maps.Copy(args, o.Args)
	return health.Reason{Code: o.Why, Args: args}
}

func (s *Server) getExposureHistory(c echo.Context) error {
	before, err := number(c, "before", 0)
	if err != nil {
		return err
	}
	limit, err := number(c, "limit", defaultEntries)
	if err != nil {
		return err
	}
	if limit == 0 || limit > mostEntries {
		return refuse(ErrInvalid, "limit is a number from 1 to 200")
	}
	out := []ExposureEntry{}
	if s.cfg.Health == nil {
		return c.JSON(http.StatusOK, out)
	}
	list, err := s.cfg.Health.Loop.History(before, int(limit))
	if err != nil {
		return err
	}
	for _, e := range list {
		out = append(out, ExposureEntry{
			Seq: e.Seq, FirstAt: e.First.UTC(), LastAt: e.Last.UTC(), Times: e.Times, Vantage: e.Kind, State: stateOf(e.Verdict),
			Reasons: reasonsOf(e.Reasons), Seen: sightings(e.Seen),
		})
	}
	return c.JSON(http.StatusOK, out)
}
