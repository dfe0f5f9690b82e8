package page

import (
	"time"
)

// Trouble is the sentence for a form's problem; empty if there is none.
func (v *view) Trouble(key string, wait time.Duration, args ...any) string {
	if key == "" && wait > 0 {
		key = ProblemWait
	}
	if key == "" {
		return ""
	}
	if wait > 0 {
		args = append(args, "wait", v.Wait(wait))
	}
	return v.T(key, args...)
}

// Told is the sentence for a problem with the arguments as a model has them; empty if there is none.
func (v *view) Told(problem string, args []any) string { return v.Trouble(problem, 0, args...) }

// Where says at which field of the form for a new phone a problem stands.
func (v *view) Where(problem string) string {
	switch problem {
	case "":
		return ""
	case ProblemNameEmpty, ProblemNameTaken, ProblemNameTooLong, ProblemNameInvalid:
		return "name"
	case ProblemExpiry, ProblemExpiryPast:
		return "expires"
	case ProblemNoChoice, ProblemNoService:
		return "services"
	}
	return "form"
}

// OfEither is the problem with a code at the sign-in, where it may be the app's or a recovery code and what was typed does
// not say which it was meant to be.
func (v *view) OfEither(problem string) string {
	if problem == ProblemCode {
		return ProblemEitherCode
	}
	return problem
}

// OfCode tells whether a problem of the setup is the code's, and not the passphrase's.
func (v *view) OfCode(problem string) bool { return problem == ProblemSetupCode }

// WhereService says at which field of the form for a new service a problem stands.
func (v *view) WhereService(problem string) string {
	switch problem {
	case "":
		return ""
	case ProblemServiceName, ProblemServiceTaken, ProblemNameEmpty:
		return "name"
	case ProblemServiceTarget, ProblemServiceOwn:
		return "target"
	case ProblemServicePort, ProblemPortTaken:
		return "port"
	}
	return "form"
}
