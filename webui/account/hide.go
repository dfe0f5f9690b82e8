package account

import (
	"fmt"
	"log/slog"
)

// What holds a secret in an exported field hides as a whole from fmt and slog. The field is the one way out.

const hidden = "(hidden)"

// Format hides the cookies from every verb of fmt.
func (SignedIn) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the cookies from slog.
func (SignedIn) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format hides the passphrase from every verb of fmt.
func (Claiming) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the passphrase from slog.
func (Claiming) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format hides the key from every verb of fmt.
func (Offer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue hides the key from slog.
func (Offer) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format hides the device cookie from every verb of fmt, and shows the rest.
func (v Visitor) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%s %q", v.Addr, v.Agent) }

// LogValue hides the device cookie from slog.
func (v Visitor) LogValue() slog.Value { return slog.StringValue(v.Addr.String()) }
