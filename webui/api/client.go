package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/hearthgate/hearthgate/internal/journal"
)

// Client asks a running appliance through its control socket.
type Client struct {
	http *http.Client
	path string
}

// ErrNotRunning is returned by Connect when nothing answers on any of the sockets.
var ErrNotRunning = errors.New("no running Hearthgate was found")

// Connect tries each socket path in turn and returns a client of the first that answers. The error names each path and
// why it failed.
func Connect(ctx context.Context, paths []string) (*Client, error) {
	tried, forbidden := make([]string, 0, len(paths)), false
	for _, path := range paths {
		var d net.Dialer
		c, err := d.DialContext(ctx, "unix", path)
		if err != nil {
			tried = append(tried, fmt.Sprintf("%s: %s", path, whyNot(err)))
			forbidden = forbidden || errors.Is(err, fs.ErrPermission)
			continue
		}
		c.Close()
		return newClient(path), nil
	}
	if forbidden {
		return nil, fmt.Errorf("%w that this user may talk to (%s); do it as the user who runs it, or as root",
			ErrNotRunning, strings.Join(tried, "; "))
	}
	return nil, fmt.Errorf("%w (%s); start it with `hearthgate run`, or name its socket with --socket",
		ErrNotRunning, strings.Join(tried, "; "))
}

func newClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial}}, path: path}
}

// whyNot says in words why a socket could not be opened.
func whyNot(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such socket"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied: it belongs to another user"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody answers there any more"
	default:
		if op, ok := errors.AsType[*net.OpError](err); ok {
			return op.Err.Error()
		}
		return err.Error()
	}
}

// Do sends one request. in is sent as JSON unless it is nil; the answer is decoded into out unless that is nil. A
// refusal comes back as a *Problem.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", c.path, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://hearthgate"+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking Hearthgate at %s: %w", c.path, err)
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer resp.Body.Close()
	var p Problem
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Detail == "" {
		return nil, fmt.Errorf("asking Hearthgate at %s: it answered %s", c.path, resp.Status)
	}
	return nil, &p
}

// Events calls fn for each event after the given one, as they happen, until fn returns false or ctx ends. When the
// appliance goes away it returns an error.
func (c *Client) Events(ctx context.Context, after uint64, fn func(journal.Event) bool) error {
	resp, err := c.send(ctx, http.MethodGet, fmt.Sprintf("/api/v1/events?after=%d", after), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e journal.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return fmt.Errorf("reading an event: %w", err)
		}
		if !fn(e) {
			return nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.New("waiting for events: Hearthgate has stopped")
}
