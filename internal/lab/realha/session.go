package realha

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// A Session is a WebSocket of Home Assistant, signed in. One goroutine uses it at a time.
type Session struct {
	Version string // as Home Assistant says in its first message, before anybody has signed in

	conn *websocket.Conn
	last int // id of the last command; they must grow
}

// frame is any message of Home Assistant.
type frame struct {
	ID      int             `json:"id"`
	Type    string          `json:"type"`
	Version string          `json:"ha_version"`
	Success bool            `json:"success"`
	Result  json.RawMessage `json:"result"`
	Message string          `json:"message"`
	Error   struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// mostOfMessage bounds one message; the list of all states of the demo is 200 KiB.
const mostOfMessage = 16 << 20

// greet opens a WebSocket and reads what Home Assistant says first.
func (v *Visitor) greet(ctx context.Context) (*Session, error) {
	conn, resp, err := websocket.Dial(ctx, v.Base+"/api/websocket", &websocket.DialOptions{HTTPClient: v.client()})
	if err != nil {
		return nil, fmt.Errorf("opening a WebSocket: %w", err)
	}
	if resp.Body != nil {
		resp.Body.Close()
	}
	conn.SetReadLimit(mostOfMessage)
	s := &Session{conn: conn}
	f, err := s.read(ctx)
	if err == nil && f.Type != "auth_required" {
		err = fmt.Errorf("expected auth_required, got %q", f.Type)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("opening a WebSocket: %w", err)
	}
	s.Version = f.Version
	return s, nil
}

// Greeting opens a WebSocket, reads the version that Home Assistant tells everybody, and closes without signing in,
// which Home Assistant does not count as a failure.
func (v *Visitor) Greeting(ctx context.Context) (version string, err error) {
	s, err := v.greet(ctx)
	if err != nil {
		return "", err
	}
	s.Close()
	return s.Version, nil
}

// Session opens a WebSocket and signs in with the visitor's token.
func (v *Visitor) Session(ctx context.Context) (*Session, error) {
	s, err := v.greet(ctx)
	if err != nil {
		return nil, err
	}
	err = wsjson.Write(ctx, s.conn, map[string]string{"type": "auth", "access_token": v.Token})
	if err == nil {
		var f frame
		if f, err = s.read(ctx); err == nil && f.Type != "auth_ok" {
			err = fmt.Errorf("expected auth_ok, got %q %s", f.Type, f.Message)
		}
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("signing in to the WebSocket: %w", err)
	}
	return s, nil
}

// Call sends a command, such as "get_config", and decodes its result into result, unless that is nil. Fields are the
// command's own, and may be nil.
func (s *Session) Call(ctx context.Context, command string, fields map[string]any, result any) error {
	f, err := s.ask(ctx, command, fields, "result")
	if err != nil {
		return fmt.Errorf("calling %s: %w", command, err)
	}
	if !f.Success {
		return fmt.Errorf("calling %s: %s: %s", command, f.Error.Code, f.Error.Message)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(f.Result, result); err != nil {
		return fmt.Errorf("calling %s: reading its result: %w", command, err)
	}
	return nil
}

// Ping asks for a pong, which comes from Home Assistant itself and not from a WebSocket library on the way.
func (s *Session) Ping(ctx context.Context) error {
	if _, err := s.ask(ctx, "ping", nil, "pong"); err != nil {
		return fmt.Errorf("pinging: %w", err)
	}
	return nil
}

// ask sends a command and reads until its answer; events of subscriptions in between are dropped.
func (s *Session) ask(ctx context.Context, command string, fields map[string]any, want string) (frame, error) {
	s.last++
	message := map[string]any{"id": s.last, "type": command}
	maps.Copy(message, fields)
	if err := wsjson.Write(ctx, s.conn, message); err != nil {
		return frame{}, err
	}
	for {
		f, err := s.read(ctx)
		if err != nil {
			return frame{}, err
		}
		if f.ID == s.last && f.Type == want {
			return f, nil
		}
	}
}

func (s *Session) read(ctx context.Context) (frame, error) {
	var f frame
	err := wsjson.Read(ctx, s.conn, &f)
	return f, err
}

// Cut waits until the connection ends from the other side, and returns nil then; ctx's error is that it did not.
// The session is of no use afterwards.
func (s *Session) Cut(ctx context.Context) error {
	for {
		if _, _, err := s.conn.Read(ctx); err != nil {
			return errors.Join(ctx.Err())
		}
	}
}

// Close ends the session at once.
func (s *Session) Close() { _ = s.conn.CloseNow() } // it may have ended already, which is as good
