package webui

import (
	"fmt"
	"io"
	"log/slog"
)

// configText is a phone's config, which holds its private key. It hides from every way of printing; reveal is the only way
// out, to the phone's own page and file.
type configText struct{ text *string }

func hide(text string) configText { return configText{&text} }

func (c configText) reveal() string {
	if c.text == nil {
		return ""
	}
	return *c.text
}

const hidden = "(hidden)"

// Format hides from fmt, whatever the verb.
func (c configText) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue hides from slog.
func (c configText) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON hides from JSON.
func (c configText) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
