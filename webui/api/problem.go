package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/peers"
)

// Problem is an error as the API sends it (RFC 9457). Its Detail is one line for a person.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// Error is the detail: the sentence that a person reads.
func (p *Problem) Error() string { return p.Detail }

// unchanged is what every refusal of a change says.
const unchanged = "nothing was changed"

const problemType = "application/problem+json"

// Kinds of refusal that other rooms' errors are turned into; match with errors.Is.
var (
	ErrInvalid  = errors.New("invalid request")
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
)

// kinds maps what the rooms return to a status and a stable type. The first match counts.
var kinds = []struct {
	err    error
	status int
	name   string
	title  string
}{
	{peers.ErrNotFound, http.StatusNotFound, "not-found", "No such phone"},
	{peers.ErrNameTaken, http.StatusConflict, "name-taken", "The name is taken"},
	{peers.ErrKeyTaken, http.StatusConflict, "key-taken", "The key is taken"},
	{peers.ErrNoAddress, http.StatusConflict, "no-address", "No free tunnel address"},
	{peers.ErrInvalid, http.StatusBadRequest, "invalid", "The request is not valid"},
	{ErrNotFound, http.StatusNotFound, "not-found", "Not found"},
	{ErrConflict, http.StatusConflict, "conflict", "Not possible as things stand"},
	{ErrInvalid, http.StatusBadRequest, "invalid", "The request is not valid"},
}

// refuse makes an error of a kind whose sentence is text.
func refuse(kind error, text string) error { return refusal{kind: kind, text: text} }

type refusal struct {
	kind error
	text string
}

func (r refusal) Error() string { return r.text }
func (r refusal) Unwrap() error { return r.kind }

// Refusal returns err as a refusal of the given kind; its sentence stays err's own.
func Refusal(kind, err error) error { return refusal{kind: kind, text: err.Error()} }

// problem turns any handler's error into what is sent.
func (s *Server) problem(err error) *Problem {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return &Problem{Type: "urn:hearthgate:problem:" + k.name, Title: k.title, Status: k.status, Detail: err.Error()}
		}
	}
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		p := &Problem{Type: "about:blank", Title: http.StatusText(he.Code), Status: he.Code, Detail: http.StatusText(he.Code)}
		if text, ok := he.Message.(string); ok {
			p.Detail = text
		}
		return p
	}
	p := &Problem{
		Type: "urn:hearthgate:problem:internal", Title: "Something failed inside Hearthgate",
		Status: http.StatusInternalServerError, Detail: "something failed inside Hearthgate; its log says what",
	}
	if s.cfg.Owner {
		p.Detail = err.Error()
	}
	return p
}

// handleError is echo's error handler.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := s.problem(err)
	if p.Status < http.StatusInternalServerError && c.Request().Method != http.MethodGet &&
		!strings.Contains(p.Detail, unchanged) {
		p.Detail += "; " + unchanged
	}
	if p.Status >= http.StatusInternalServerError {
		s.cfg.Log.Error("request failed", "method", c.Request().Method, "route", c.Path(), "error", err)
	}
	body, err := json.Marshal(p)
	if err == nil {
		err = c.Blob(p.Status, problemType, body)
	}
	if err != nil {
		s.cfg.Log.Debug("answer not sent", "route", c.Path(), "error", err)
	}
}
