package webui

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/page"
)

// problem is a refusal that a person can act on, in the catalogues' words: what was wrong with a form. It is an error, so
// that a check returns it like any other; its text is for tests and never for people.
type problem struct {
	status int
	key    string // in the catalogues
	args   []any  // name, value pairs for the key's placeholders
}

func (p *problem) Error() string { return p.key }

func invalid(key string) error { return &problem{status: http.StatusBadRequest, key: key} }

func conflict(key string, args ...any) error {
	return &problem{status: http.StatusConflict, key: key, args: args}
}

// phoneProblem says what a person is told of an error of the peers room. What is no refusal comes back as it was: it is a failure
// of ours, whose text goes to the log. name is the name that was typed, where there was one.
func phoneProblem(err error, name string) (*problem, error) {
	if p, ok := errors.AsType[*problem](err); ok {
		return p, nil
	}
	var known error
	switch {
	case errors.Is(err, peers.ErrNameTaken):
		known = conflict(page.ProblemNameTaken, "name", strings.TrimFunc(name, isSpace))
	case errors.Is(err, peers.ErrNoAddress):
		known = conflict(page.ProblemNoAddress)
	case errors.Is(err, peers.ErrExpired):
		known = conflict(page.ProblemExpired)
	case errors.Is(err, peers.ErrInvalid):
		known = invalid(nameProblem(name))
	default:
		return nil, err
	}
	return phoneProblem(known, name)
}

// nameProblem says what the peers room has against a name. It refuses more than is told apart here; the rest is what
// cannot be seen or turns the reading direction.
func nameProblem(name string) string {
	switch n := utf8.RuneCountInString(norm.NFC.String(strings.TrimFunc(name, isSpace))); {
	case !utf8.ValidString(name):
		return page.ProblemNameInvalid
	case n == 0:
		return page.ProblemNameEmpty
	case n > peers.MaxName:
		return page.ProblemNameTooLong
	}
	return page.ProblemNameInvalid
}

func isSpace(r rune) bool { return unicode.Is(unicode.Zs, r) }

// readExpiry reads when access ends, as people choose or type it: nothing for never, what peers.ParseExpiry reads, or a
// day, which access lasts to the end of, by this machine's time zone.
func readExpiry(typed string, now time.Time) (time.Time, error) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, typed, time.Local)
	if err == nil {
		typed = day.AddDate(0, 0, 1).Format(time.RFC3339)
	}
	at, err := peers.ParseExpiry(typed, now)
	if err == nil {
		return at, nil
	}
	if t, parsing := time.Parse(time.RFC3339, typed); parsing == nil && !t.After(now) {
		return time.Time{}, invalid(page.ProblemExpiryPast)
	}
	return time.Time{}, invalid(page.ProblemExpiry)
}

// orElse gives a refusal of bad input the key that says what it must be about.
func orElse(err error, key string) error {
	if errors.Is(err, peers.ErrInvalid) {
		return invalid(key)
	}
	return err
}
