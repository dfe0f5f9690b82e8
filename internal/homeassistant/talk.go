package homeassistant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hearthgate/hearthgate/internal/secret"
	"github.com/hearthgate/hearthgate/internal/store"
)

// This file is the rule for the household's token: to whom it goes, and how often. A token is worth as much as a password, and
// Home Assistant counts every wrong one as a failed sign-in, tells the household, and bans whoever goes on.

// talkPatience is how long one errand may take. A Home Assistant that has just started answers its first commands slowly.
const talkPatience = 15 * time.Second

// Why nothing was said to Home Assistant.
var (
	ErrNoToken      = errors.New("there is no token of Home Assistant")
	ErrTokenRefused = errors.New("the token is refused by Home Assistant; make a new one there, and give it to Hearthgate")
	ErrNotFound     = errors.New("it is not certain where Home Assistant is")
	ErrBanned       = errors.New("this machine is banned by Home Assistant (ip_bans.yaml)")
)

// TalkConfig is what a Talker is made of.
type TalkConfig struct {
	Where func() State                // Finder.State: the token goes to a target of phase Found only
	Token func() (secret.Text, error) // as it is set at the moment; none is ErrNoToken
	Store *store.Store                // remembers that a token was refused, over restarts
}

// A Talker speaks with the household's Home Assistant as the one whose token it was given. Its methods may be called from
// several goroutines; they take turns.
type Talker struct {
	cfg    TalkConfig
	client *http.Client
	turn   chan struct{}
}

// NewTalker says nothing to anybody yet.
func NewTalker(c TalkConfig) *Talker {
	return &Talker{cfg: c, client: newEyes().client, turn: make(chan struct{}, 1)}
}

// errand does something with the token at the target, both as they are now. When do says ErrTokenRefused, that token is not
// tried again.
func (t *Talker) errand(ctx context.Context, do func(ctx context.Context, base string, token secret.Text) error) error {
	ctx, cancel := context.WithTimeout(ctx, talkPatience)
	defer cancel()
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t.turn }()

	token, err := t.cfg.Token()
	switch {
	case err != nil:
		return err
	case token.IsZero():
		return ErrNoToken
	}
	refused, err := t.refused()
	if err != nil {
		return err
	}
	hash := hashed(token)
	if refused == hash {
		return ErrTokenRefused
	}
	where := t.cfg.Where()
	if where.Phase != Found || where.Target == "" {
		return ErrNotFound
	}
	err = do(ctx, where.Target, token)
	if errors.Is(err, ErrTokenRefused) {
		return errors.Join(err, t.remember(hash))
	}
	return err
}

// hashed is what is remembered of a refused token. A token is long and random, so that nobody guesses it from this.
func hashed(token secret.Text) string {
	sum := sha256.Sum256([]byte("refused token\n" + token.Reveal()))
	return hex.EncodeToString(sum[:])
}

const refusedRecord = "refused token"

func (t *Talker) refused() (hash string, err error) {
	err = t.cfg.Store.View(func(tx *store.Tx) error {
		hash, _, err = store.Get[string](tx, bucket, refusedRecord)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading whether Home Assistant takes the token: %w", err)
	}
	return hash, nil
}

func (t *Talker) remember(hash string) error {
	err := t.cfg.Store.Update(func(tx *store.Tx) error { return store.Put(tx, bucket, refusedRecord, hash) })
	if err != nil {
		return fmt.Errorf("writing that Home Assistant does not take the token: %w", err)
	}
	return nil
}

// Retry forgets that a token was refused: the owner has given it again, and means it.
func (t *Talker) Retry() error { return t.remember("") }
