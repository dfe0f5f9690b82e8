package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/account"
)

// Problem is an error as the API sends it (RFC 9457). Its Detail is one line for a person.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Reason string `json:"reason,omitempty"` // why a passphrase is weak, as a word
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
	ErrStranger = errors.New("nobody vouches for the caller")
	ErrScope    = errors.New("the caller may not do this")
	ErrConfirm  = errors.New("the passphrase is asked for again")
	ErrBusy     = errors.New("too much at once")
	ErrMismatch = errors.New("the key was used for another request")
	ErrStale    = errors.New("it has changed meanwhile")
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
	{peers.ErrExpired, http.StatusConflict, "expired", "Access has ended"},
	{peers.ErrInvalid, http.StatusBadRequest, "invalid", "The request is not valid"},
	{account.ErrNoSession, http.StatusNotFound, "not-found", "No such session"},
	{account.ErrNoToken, http.StatusNotFound, "not-found", "No such token"},
	{account.ErrExists, http.StatusConflict, "name-taken", "The name is taken"},
	{account.ErrFull, http.StatusConflict, "full", "There are too many"},
	{account.ErrInvalid, http.StatusBadRequest, "invalid", "The request is not valid"},
	{account.ErrWrong, http.StatusForbidden, "wrong", "It is not right"},
	{account.ErrBusy, http.StatusServiceUnavailable, "busy", "Too much at once"},
	{account.ErrUnclaimed, http.StatusConflict, "unclaimed", "The page has not been set up yet"},
	{account.ErrClock, http.StatusConflict, "clock", "The clock is not set"},
	{account.ErrNoOffer, http.StatusConflict, "no-offer", "The key no longer counts"},
	{account.ErrTwoStepOff, http.StatusConflict, "two-step-off", "Two-step sign-in is off"},
	{ErrNotFound, http.StatusNotFound, "not-found", "Not found"},
	{ErrConflict, http.StatusConflict, "conflict", "Not possible as things stand"},
	{ErrInvalid, http.StatusBadRequest, "invalid", "The request is not valid"},
	{ErrStranger, http.StatusUnauthorized, "unauthorized", "Nobody is signed in"},
	{ErrScope, http.StatusForbidden, "scope", "Not allowed"},
	{ErrConfirm, http.StatusForbidden, "confirm", "The passphrase is needed again"},
	{ErrBusy, http.StatusServiceUnavailable, "busy", "Too much at once"},
	{ErrMismatch, http.StatusUnprocessableEntity, "idempotency-key", "The Idempotency-Key was used for another request"},
	{ErrStale, http.StatusPreconditionFailed, "changed-meanwhile", "It has changed meanwhile"},
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

// problem turns any handler's error into what is sent. Only the machine's owner sees what failed inside.
func (s *Server) problem(err error, owner bool) *Problem {
	if weak, ok := errors.AsType[*account.Weak](err); ok {
		return &Problem{
			Type: "urn:hearthgate:problem:weak-passphrase", Title: "The passphrase is easy to guess", Status: http.StatusBadRequest,
			Detail: weakness(weak.Reason), Reason: string(weak.Reason),
		}
	}
	if wait, ok := errors.AsType[*account.Wait](err); ok {
		return &Problem{Type: "urn:hearthgate:problem:wait", Title: "Too many wrong tries", Status: http.StatusTooManyRequests, Detail: wait.Error()}
	}
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
	if owner {
		p.Detail = err.Error()
	}
	return p
}

// weakness says in a sentence why a passphrase cannot be taken.
func weakness(reason account.Reason) string {
	switch reason {
	case account.TooShort:
		return fmt.Sprintf("use at least %d characters, such as four random words", account.MinPassphrase)
	case account.TooLong:
		return fmt.Sprintf("use at most %d characters", account.MaxPassphrase)
	case account.NotText:
		return "the passphrase holds characters that cannot be typed"
	default:
		return "this passphrase is easy to guess; four random words are not"
	}
}

// hint says in headers what a program should do next.
func hint(h http.Header, err error) {
	if wait, ok := errors.AsType[*account.Wait](err); ok {
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(wait.Remaining.Seconds()))))
	}
	if errors.Is(err, account.ErrBusy) || errors.Is(err, ErrBusy) {
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(int(heartbeat.Seconds())))
	}
	if errors.Is(err, ErrStranger) {
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="hearthgate"`) // RFC 6750, section 3
	}
}

// handleError is echo's error handler.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := s.problem(err, s.caller(c).Owner)
	hint(c.Response().Header(), err)
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
