package store

import (
	"errors"
	"fmt"
)

// What a caller may want to tell apart. The errors that carry them say more.
var (
	// ErrInUse: another process has the state open.
	ErrInUse = errors.New("state is in use")
	// ErrNewer: the state was written by a Hearthgate that is newer than this one.
	ErrNewer = errors.New("state is of a newer format")
	// ErrDamaged: the file is not what we wrote. Nothing was changed.
	ErrDamaged = errors.New("state is damaged")
	// ErrClosed: the store has been closed.
	ErrClosed = errors.New("state is closed")
)

// refusal is a sentence for the user that is also one of the sentinels.
type refusal struct {
	kind error
	text string
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

func refuse(kind error, format string, args ...any) error {
	return &refusal{kind: kind, text: fmt.Sprintf(format, args...)}
}

// damage is what a look at the file found wrong, before it is known which file it was.
type damage string

func (d damage) Error() string { return string(d) }

func damagef(format string, args ...any) error { return damage(fmt.Sprintf(format, args...)) }

// damagedFile turns a finding into the sentence for the user.
func damagedFile(path string, found error) error {
	return refuse(ErrDamaged, "%q is damaged: %v; nothing was changed; move the file away to start anew, or put back a copy of it",
		path, found)
}
