package peers

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// What callers tell apart. Every refusal of the registry leaves the store as it
// was and says so.
var (
	// ErrNotFound: no peer has this identifier or name.
	ErrNotFound = errors.New("no such peer")
	// ErrNameTaken: another peer has a name that reads the same.
	ErrNameTaken = errors.New("name is taken")
	// ErrInvalid: the input itself is bad; the sentence quotes it and says what
	// was expected.
	ErrInvalid = errors.New("invalid input")
	// ErrNoAddress: every tunnel address is in use or resting.
	ErrNoAddress = errors.New("no free tunnel address")
	// ErrKeyTaken: a peer, or the server, already uses this public key.
	ErrKeyTaken = errors.New("public key is already in use")
	// ErrExpired: the peer's date has passed and the change needs a new one first.
	ErrExpired = errors.New("access has ended")
)

// An invalidError is ErrInvalid with a sentence of its own, so that a person
// reads the reason and not the category.
type invalidError struct{ reason string }

func (e *invalidError) Error() string { return e.reason }

func (e *invalidError) Is(target error) bool { return target == ErrInvalid }

func invalidf(format string, args ...any) error {
	return &invalidError{fmt.Sprintf(format, args...)}
}

// quote shows input in an error: escaped, so that it cannot break the line, and
// cut, so that a megabyte of it does not fill the screen.
func quote(s string) string {
	cut := 80 // bytes: more than it takes to recognise what one has typed
	if len(s) <= cut {
		return fmt.Sprintf("%q", s)
	}
	for cut > 80-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%q...", s[:cut])
}

// shown is a peer's name in a sentence. It has been checked, so that it is shown
// as it is: %q would take emoji apart at their joiners.
func shown(name string) string { return `"` + name + `"` }
