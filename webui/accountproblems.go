package webui

import (
	"errors"
	"net/http"
	"time"

	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/page"
)

// wrongCode is what is said of a code that is not right: which kind is asked for depends on the clock.
func (s *Server) wrongCode() string {
	if s.cfg.Synchronised() {
		return page.ProblemCode
	}
	return page.ProblemRecovery
}

// refused is the sentence for what the account did not take, how long nothing more is taken, and the status; wrong is what is
// said of a guess, and no more than that. An error that is nobody's mistake comes back.
func refused(err error, wrong string) (problem string, wait time.Duration, status int, internal error) {
	if w, ok := errors.AsType[*account.Wait](err); ok {
		return page.ProblemWait, w.Remaining, http.StatusTooManyRequests, nil
	}
	if w, ok := errors.AsType[*account.Weak](err); ok {
		return weakness(w.Reason), 0, http.StatusBadRequest, nil
	}
	switch {
	case errors.Is(err, account.ErrWrong):
		return wrong, 0, http.StatusForbidden, nil
	case errors.Is(err, account.ErrBusy):
		return page.ProblemBusy, 0, http.StatusServiceUnavailable, nil
	case errors.Is(err, account.ErrClock):
		return page.ProblemClock, 0, http.StatusForbidden, nil
	case errors.Is(err, account.ErrNoOffer):
		return page.ProblemTwoStepGone, 0, http.StatusConflict, nil
	default:
		return "", 0, 0, err
	}
}

func weakness(r account.Reason) string {
	switch r {
	case account.TooShort:
		return page.ProblemTooShort
	case account.TooLong:
		return page.ProblemTooLong
	case account.NotText:
		return page.ProblemUnreadable
	case account.GuessableName:
		return page.ProblemProduct
	case account.GuessableRepeated:
		return page.ProblemRepeated
	case account.GuessableSequence:
		return page.ProblemSequence
	case account.GuessableCommon:
		return page.ProblemObvious
	default:
		return page.ProblemObvious
	}
}
