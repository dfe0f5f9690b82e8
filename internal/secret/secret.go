// Package secret holds short secret texts that are no keys of ours: tokens, passwords, addresses with a password in them.
//
// It keeps true that such a text is printed by nothing: not by fmt, not by slog, not by encoding/json. Reveal is the one
// way out, and easily found.
package secret

import (
	"fmt"
	"log/slog"
	"unique"
)

const hidden = "(hidden)"

// Text is a secret text. The zero value is none. It is a handle and not a string for the reason that key.Secret names: fmt
// prints what lies in somebody else's unexported field without asking any method.
type Text struct{ text unique.Handle[string] }

// Of hides a text.
func Of(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{unique.Make(s)}
}

// Reveal is the text itself.
func (t Text) Reveal() string {
	if t.IsZero() {
		return ""
	}
	return t.text.Value()
}

// IsZero says that there is none.
func (t Text) IsZero() bool { return t == Text{} }

// String hides it.
func (Text) String() string { return hidden }

// GoString hides it.
func (Text) GoString() string { return hidden }

// Format hides it, whatever the verb.
func (Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides it.
func (Text) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides it, in JSON and everywhere else.
func (Text) MarshalText() ([]byte, error) { return []byte(hidden), nil }
