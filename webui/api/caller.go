package api

import (
	"context"
	"slices"

	"github.com/hearthgate/hearthgate/webui/account"
)

// Caller is who asks, as whoever mounts the API has found out, and what they may. Its zero value is a stranger.
type Caller struct {
	Owner     bool   // of the machine: it may do everything
	SessionID string // signed in on the page; names the session for its streams and its enrolments, and is no secret
	TokenID   string // a program with an API token; the token's name among others, and no secret

	Read    bool // may see phones, services, the journal, the settings
	Manage  bool // may change them; a session that is not Fresh is asked for the passphrase first
	Metrics bool // may read /metrics
	Fresh   bool // the session gave the passphrase a moment ago
}

// SessionCaller is a person who is signed in on the page.
func SessionCaller(id string, fresh bool) Caller {
	return Caller{SessionID: id, Read: true, Manage: true, Metrics: true, Fresh: fresh}
}

// Scope is what an API token was made for. Manage includes read.
type Scope = account.Scope

// TokenCaller is a program with an API token.
func TokenCaller(id string, scopes ...Scope) Caller {
	manage := slices.Contains(scopes, account.Manage)
	return Caller{
		TokenID: id, Manage: manage, Read: manage || slices.Contains(scopes, account.Read),
		Metrics: slices.Contains(scopes, account.Metrics),
	}
}

type callerKey struct{}

// WithCaller says who asks; whoever mounts the API calls it for every request whose caller is known.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf is who asks; a stranger when nobody said.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// known tells whether anybody vouched for the caller at all.
func (c Caller) known() bool { return c.Owner || c.SessionID != "" || c.TokenID != "" }

// name is by what a caller is told from others, for what is bounded or kept for each of them.
func (c Caller) name() string {
	switch {
	case c.SessionID != "":
		return "session " + c.SessionID
	case c.TokenID != "":
		return "token " + c.TokenID
	default:
		return "owner"
	}
}
