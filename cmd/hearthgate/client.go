package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/hearthgate/hearthgate/webui/api"
)

// client adds --socket and returns a function that connects to the running appliance.
func (p *program) client(fs *pflag.FlagSet) func(context.Context) (*api.Client, error) {
	socket := fs.String("socket", "", "path of the control socket")
	return func(ctx context.Context) (*api.Client, error) {
		return api.Connect(ctx, p.clientSockets(*socket))
	}
}

// printJSON writes v as the one JSON document of --json.
func (p *program) printJSON(v any) error {
	enc := json.NewEncoder(p.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// findPeer asks for the peer of a name.
func findPeer(ctx context.Context, c *api.Client, name string) (api.Peer, error) {
	var list []api.Peer
	if name == "" {
		return api.Peer{}, badUsage("the name is empty; `hearthgate peer list` shows the names; nothing was changed")
	}
	err := c.Do(ctx, http.MethodGet, "/api/v1/peers?name="+url.QueryEscape(name), nil, &list)
	if api.IsNotFound(err) {
		return api.Peer{}, fmt.Errorf("%w; `hearthgate peer list` shows the names; nothing was changed", err)
	}
	if err != nil {
		return api.Peer{}, err
	}
	return list[0], nil
}

func peerPath(p api.Peer) string { return "/api/v1/peers/" + url.PathEscape(p.ID) }

func (p *program) table() *tabwriter.Writer { return tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0) }

// ago says how long ago a moment was, roughly, as a person would.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	switch d := now.Sub(t); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int(d.Minutes()), "minute") + " ago"
	case d < 48*time.Hour:
		return plural(int(d.Hours()), "hour") + " ago"
	default:
		return plural(int(d.Hours()/24), "day") + " ago"
	}
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func (p *program) version(_ context.Context, args []string) error {
	fs := p.flags("version [--json]")
	asJSON := fs.Bool("json", false, "print JSON")
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(map[string]string{"version": version})
	}
	_, err := fmt.Fprintln(p.stdout, "hearthgate "+version)
	return err
}
