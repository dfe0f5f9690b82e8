package account

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

// Scope says what a token may be used for.
type Scope string

// The scopes.
const (
	Read    Scope = "read"
	Manage  Scope = "manage" // includes Read
	Metrics Scope = "metrics"
)

// Token is an API token, without its secret.
type Token struct {
	ID         string
	Name       string
	Scopes     []Scope // sorted, at least one
	CreatedAt  time.Time
	LastUsedAt time.Time // to an hour; zero if never
}

// May says whether the token has the scope, or one that includes it.
func (t Token) May(s Scope) bool {
	return slices.Contains(t.Scopes, s) || s == Read && slices.Contains(t.Scopes, Manage)
}

const (
	tokenBucket  = "tokens"
	tokenPrefix  = "hg_" // so that a token in the wrong place is found by those who look for tokens
	mostTokens   = 64
	maxTokenName = 64
	tokenTouch   = time.Hour // between two writings of its last use: a program asks every few seconds
)

// tokenRecord is kept under the fingerprint of the secret.
type tokenRecord struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Scopes     []Scope   `json:"scopes"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
}

func (r tokenRecord) token() Token { return Token(r) }

// Token finds the token of a secret. A right one is always found: nobody guesses 256 bits, and so a program with an old
// token must not keep its neighbours out. A wrong one is ErrWrong, and *Wait when there were too many.
func (a *Account) Token(ctx context.Context, secret string, v Visitor) (Token, error) {
	if err := ctx.Err(); err != nil {
		return Token{}, err
	}
	r, err := a.findToken(secret)
	if err != nil {
		return Token{}, err
	}
	if r == nil {
		if err := a.guard.charge(sourceLane(tokenGuess, v)); err != nil {
			return Token{}, err
		}
		a.tellRefused(tokenGuess, v)
		return Token{}, ErrWrong
	}
	return r.token(), nil
}

// findToken gives nil when there is none.
func (a *Account) findToken(secret string) (*tokenRecord, error) {
	if len(secret) != len(tokenPrefix)+cookieLength || !strings.HasPrefix(secret, tokenPrefix) {
		return nil, nil
	}
	key, now := fingerprint(secret), a.config.Now()
	var r tokenRecord
	var ok bool
	err := a.config.Store.View(func(tx *store.Tx) (err error) {
		r, ok, err = store.Get[tokenRecord](tx, tokenBucket, key)
		return err
	})
	if err != nil || !ok {
		return nil, err
	}
	if now.Sub(r.LastUsedAt).Abs() < tokenTouch {
		return &r, nil
	}
	return a.touchToken(key, r, now)
}

// touchToken notes the use on the disk. A card that is full or broken stops no program.
func (a *Account) touchToken(key string, r tokenRecord, now time.Time) (*tokenRecord, error) {
	r.LastUsedAt = kept(now)
	removed := false
	err := a.config.Store.Update(func(tx *store.Tx) error {
		if _, ok, err := store.Get[tokenRecord](tx, tokenBucket, key); err != nil || !ok {
			removed = err == nil
			return err
		}
		return store.Put(tx, tokenBucket, key, r)
	})
	if err != nil {
		a.config.Log.Error("last use of a token not written", "error", err)
	}
	if removed {
		return nil, nil
	}
	return &r, nil
}
