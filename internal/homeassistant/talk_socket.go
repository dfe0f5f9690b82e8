package homeassistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/coder/websocket"

	"github.com/hearthgate/hearthgate/internal/secret"
)

const (
	// mostOfMessage bounds what Home Assistant may say at once. The configuration, with the names of all components, has some
	// 10 kB, a hundred notifications have 100 kB.
	mostOfMessage = 1 << 20

	// mostBetween bounds what may come between a command and its answer. We subscribe to nothing, so nothing does.
	mostBetween = 16
)

// A socket is a WebSocket that is signed in.
type socket struct {
	conn *websocket.Conn
	last int // id of the last command; they must grow
}

// wireMessage is what Home Assistant may say, as far as we listen.
type wireMessage struct {
	ID      int             `json:"id"`
	Type    string          `json:"type"`
	Success bool            `json:"success"`
	Result  json.RawMessage `json:"result"`
	Error   struct {
		Code string `json:"code"`
	} `json:"error"`
}

// talk signs in over the WebSocket, does something there, and hangs up.
func (t *Talker) talk(ctx context.Context, do func(context.Context, *socket) error) error {
	return t.errand(ctx, func(ctx context.Context, base string, token secret.Text) error {
		conn, response, err := websocket.Dial(ctx, base+"/api/websocket", &websocket.DialOptions{
			HTTPClient: t.client, HTTPHeader: http.Header{"User-Agent": {"Hearthgate"}},
		})
		if response != nil && response.Body != nil {
			_ = response.Body.Close()
		}
		switch {
		case err != nil && response != nil && response.StatusCode == http.StatusForbidden:
			return ErrBanned
		case err != nil:
			return fmt.Errorf("opening Home Assistant's WebSocket: %w", err)
		}
		defer func() { _ = conn.CloseNow() }()
		conn.SetReadLimit(mostOfMessage)
		s := &socket{conn: conn}
		if err := s.signIn(ctx, token); err != nil {
			return fmt.Errorf("signing in to Home Assistant: %w", err)
		}
		return do(ctx, s)
	})
}

func (s *socket) signIn(ctx context.Context, token secret.Text) error {
	m, err := s.read(ctx)
	if err != nil {
		return err
	}
	if m.Type != "auth_required" {
		return errors.New("it does not greet as Home Assistant does")
	}
	if err := s.write(ctx, map[string]any{"type": "auth", "access_token": token.Reveal()}); err != nil {
		return err
	}
	m, err = s.read(ctx)
	switch {
	case err != nil:
		return err
	case m.Type == "auth_invalid":
		return ErrTokenRefused
	case m.Type != "auth_ok":
		return errors.New("it says neither yes nor no")
	}
	return nil
}

// refusal is an error that Home Assistant has a code for, such as unauthorized and unknown_command.
type refusal string

func (r refusal) Error() string { return "Home Assistant says " + string(r) }

// ask sends a command and decodes its result.
func (s *socket) ask(ctx context.Context, command string, result any) error {
	s.last++
	if err := s.write(ctx, map[string]any{"id": s.last, "type": command}); err != nil {
		return fmt.Errorf("asking Home Assistant for %s: %w", command, err)
	}
	for range mostBetween {
		m, err := s.read(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("asking Home Assistant for %s: %w", command, err)
		case m.ID != s.last || m.Type != "result":
			continue
		case !m.Success:
			return fmt.Errorf("asking Home Assistant for %s: %w", command, refusal(clean(m.Error.Code)))
		}
		if err := json.Unmarshal(m.Result, result); err != nil {
			return fmt.Errorf("reading what Home Assistant says to %s: %w", command, err)
		}
		return nil
	}
	return fmt.Errorf("asking Home Assistant for %s: it talks of other things", command)
}

func (s *socket) read(ctx context.Context) (m wireMessage, err error) {
	_, text, err := s.conn.Read(ctx)
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

// write sends a message. The error never holds any of it.
func (s *socket) write(ctx context.Context, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return errors.New("writing a message that cannot be written")
	}
	return s.conn.Write(ctx, websocket.MessageText, text)
}
