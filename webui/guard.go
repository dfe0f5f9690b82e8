package webui

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/page"
)

// What a request may bring. The longest sensible form is a name and a list of services. Fields are bounded apart from bytes,
// because net/url makes some 300 bytes of each, and its own bound is 10,000: a few hundred connections with a form of the
// shortest fields would take as many megabytes.
const (
	bodyLimit  = 16 << 10 // bytes
	queryLimit = 2 << 10  // bytes
	mostFields = 128
)

// bounded reads a form whole, if it is small enough. The API reads its bodies itself, after it knows who asks.
func bounded(c echo.Context) error {
	r := c.Request()
	if len(r.URL.RawQuery) > queryLimit || strings.Count(r.URL.RawQuery, "&") >= mostFields {
		return echo.ErrBadRequest
	}
	if r.Method != post {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, bodyLimit))
	if err != nil {
		return badForm(err)
	}
	if bytes.Count(body, []byte{'&'}) >= mostFields {
		return echo.ErrStatusRequestEntityTooLarge
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// guard lets a request through to its route if the route's class admits whoever asks.
func (s *Server) guard(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		if r.class != program {
			if err := bounded(c); err != nil {
				return err
			}
		}
		v := s.visit(c)
		switch r.class {
		case open, program:
			return r.handle(v)
		case session, fresh:
			if !v.signedIn {
				return s.askWho(v)
			}
			if r.class == fresh && r.method == post {
				if ok, err := s.confirmed(v); !ok {
					return err
				}
			}
			return r.handle(v)
		default:
			return echo.ErrNotFound
		}
	}
}

// askWho sends whoever is not signed in to where that can be changed.
func (s *Server) askWho(v *visit) error {
	claim, err := s.cfg.Account.Claim()
	if err != nil {
		return err
	}
	if claim.State != account.ClaimDone {
		if v.Request().URL.Path == "/" {
			return s.setupPage(v) // the first page that a household sees comes without a detour
		}
		return v.then("/setup")
	}
	if v.Request().Method == post {
		return v.then("/signin")
	}
	target := v.Request().URL.RequestURI()
	if target == "/" {
		return v.then("/signin")
	}
	return v.then("/signin?next=" + url.QueryEscape(target))
}

// confirmField carries the passphrase on the page that asks for it again.
const confirmField = "confirm_passphrase"

// confirmed tells whether the passphrase was typed lately, in this very form if need be. If not, it has answered with the page
// that asks for it, which carries the form along so that nothing is lost.
func (s *Server) confirmed(v *visit) (bool, error) {
	form, err := v.FormParams()
	if err != nil {
		return false, badForm(err)
	}
	if s.cfg.Account.Fresh(v.session) {
		return true, nil
	}
	ask := page.Confirm{Action: v.Request().URL.Path, Fields: carried(form), Cancel: cameFrom(v.Request())}
	status := http.StatusForbidden
	if typed := form.Get(confirmField); typed != "" {
		err := s.cfg.Account.Confirm(v.Request().Context(), v.session, typed, v.visitor())
		if err == nil {
			return true, nil
		}
		if errors.Is(err, account.ErrNoSession) { // it was ended meanwhile
			return false, v.then("/signin")
		}
		if ask.Problem, ask.Wait, status, err = refused(err, page.ProblemPassphrase); err != nil {
			return false, err
		}
	}
	return false, v.hold(status, ask.Wait, ask)
}

// cameFrom is the page that sent the form: our Referrer-Policy lets browsers say it to us and to nobody else.
func cameFrom(r *http.Request) string {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host {
		return "/"
	}
	return local(from.Path)
}

func carried(form url.Values) (out []page.Field) {
	for name, values := range form {
		if name == confirmField {
			continue
		}
		for _, value := range values {
			out = append(out, page.Field{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(out, func(a, b page.Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// badForm says of a form that could not be read which it was: too long, or none.
func badForm(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return echo.ErrStatusRequestEntityTooLarge
	}
	return echo.ErrBadRequest
}

// handleError answers what went wrong with a page of its own. An internal error's text goes to the log only.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status := http.StatusInternalServerError
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = he.Code
	}
	key := failures[status]
	if key == "" {
		key = page.FailureInternal
	}
	if status >= http.StatusInternalServerError {
		s.cfg.Log.Error("page failed", "method", c.Request().Method, "route", c.Path(), "error", err)
	}
	if err := s.visit(c).show(status, page.Failure{Status: status, Key: key, Back: "/"}); err != nil {
		s.cfg.Log.Debug("answer not sent", "route", c.Path(), "error", err)
	}
}

// failures name the sentences for what a person may run into.
var failures = map[int]string{
	http.StatusBadRequest:            page.FailureForm,
	http.StatusNotFound:              page.FailureNotFound,
	http.StatusMethodNotAllowed:      page.FailureMethod,
	http.StatusRequestEntityTooLarge: page.FailureTooLarge,
	http.StatusServiceUnavailable:    page.FailureBusy,
}
