package witness

import (
	"errors"
	"fmt"
	"time"
)

// Refusal is why a witness does not look, in its own signed words.
type Refusal struct {
	Code  Code
	Text  string    // a sentence's end: "the witness refuses: " goes before it
	Port  uint16    // of BadPort
	Again time.Time // when to ask again; zero: it would not help
}

func (r *Refusal) Error() string { return "the witness refuses: " + r.Text }

func refuse(code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}

// What can be wrong with a witness that was asked.
var (
	ErrSilent   = errors.New("the witness did not answer")
	ErrNoRoute  = errors.New("the witness cannot be asked over this address family")
	ErrUnsigned = errors.New("the answer is not signed with the key of the invite")
	ErrReplayed = errors.New("the answer belongs to another question")
	ErrStale    = errors.New("the answer is from another time")
	ErrBroken   = errors.New("the answer makes no sense")
)
