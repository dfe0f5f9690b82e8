package account

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hearthgate/hearthgate/internal/store"
)

// Tokens lists the API tokens by name.
func (a *Account) Tokens() ([]Token, error) {
	var all []Token
	err := a.config.Store.View(func(tx *store.Tx) error {
		return store.Each(tx, tokenBucket, func(_ string, r tokenRecord) error {
			all = append(all, r.token())
			return nil
		})
	})
	slices.SortFunc(all, func(x, y Token) int { return strings.Compare(x.Name, y.Name) })
	return all, err
}

// AddToken makes a token. The secret is in the answer and nowhere else. Its errors are ErrInvalid, ErrExists and ErrFull.
func (a *Account) AddToken(name string, scopes []Scope) (Token, string, error) {
	name, err := cleanTokenName(name)
	if err != nil {
		return Token{}, "", err
	}
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	if len(scopes) == 0 || slices.ContainsFunc(scopes, func(s Scope) bool { return s != Read && s != Manage && s != Metrics }) {
		return Token{}, "", fmt.Errorf("adding a token: scopes %q are %w: expected read, manage or metrics; nothing was changed", scopes, ErrInvalid)
	}
	secret := tokenPrefix + randomCookie()
	r := tokenRecord{ID: randomID(), Name: name, Scopes: scopes, CreatedAt: kept(a.config.Now())}
	err = a.config.Store.Update(func(tx *store.Tx) error {
		if err := admitToken(tx, name); err != nil {
			return fmt.Errorf("adding token %q: %w; nothing was changed", name, err)
		}
		if err := store.Put(tx, tokenBucket, fingerprint(secret), r); err != nil {
			return err
		}
		return a.config.Journal.RecordTx(tx, event(EventTokenAdded, fmt.Sprintf("token %q was added", name), "token_id", r.ID, "name", name, "scopes", joinScopes(scopes)))
	})
	if err != nil {
		return Token{}, "", err
	}
	return r.token(), secret, nil
}

func admitToken(tx *store.Tx, name string) error {
	n := 0
	err := store.Each(tx, tokenBucket, func(_ string, r tokenRecord) error {
		if n++; strings.EqualFold(r.Name, name) {
			return ErrExists
		}
		return nil
	})
	if err == nil && n >= mostTokens {
		err = ErrFull
	}
	return err
}

func cleanTokenName(typed string) (string, error) {
	name := strings.TrimFunc(norm.NFC.String(typed), isSpace)
	n := utf8.RuneCountInString(name)
	if n == 0 || n > maxTokenName || !utf8.ValidString(typed) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) }) {
		return "", fmt.Errorf("adding a token: name %q is %w: expected 1 to %d visible characters; nothing was changed", cutAgent(typed), ErrInvalid, maxTokenName)
	}
	return name, nil
}

func joinScopes(scopes []Scope) string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = string(s)
	}
	return strings.Join(words, " ")
}

// RemoveToken removes a token; ErrNoToken when it is not there.
func (a *Account) RemoveToken(id string) error {
	return a.config.Store.Update(func(tx *store.Tx) error {
		removed := ErrNoToken
		err := store.Each(tx, tokenBucket, func(key string, r tokenRecord) error {
			if r.ID != id {
				return nil
			}
			removed = a.config.Journal.RecordTx(tx, event(EventTokenRemoved, fmt.Sprintf("token %q was removed", r.Name), "token_id", r.ID, "name", r.Name))
			return store.Delete(tx, tokenBucket, key)
		})
		return errorOr(err, removed)
	})
}
