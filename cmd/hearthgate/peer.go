package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/webui/api"
)

func peerCommands() []command {
	return []command{
		{
			name: "add", args: "NAME [--expires 7d] [--public-key KEY] [--service NAME]... [--qr|--conf|--json] [--out FILE]",
			summary: "let a phone in: prints a code to scan, then waits for the phone", run: (*program).peerAdd,
		},
		{name: "list", args: "[--json]", summary: "who may come in", run: (*program).peerList},
		{name: "show", args: "NAME [--json]", summary: "one phone", run: (*program).peerShow},
		{name: "rename", args: "NAME NEW", summary: "another name; the phone notices nothing", run: (*program).peerRename},
		{name: "disable", args: "NAME", summary: "pause access; open connections end", run: peerDisabled(true)},
		{name: "enable", args: "NAME", summary: "allow access again", run: peerDisabled(false)},
		{name: "expire", args: "NAME WHEN", summary: "when access ends: 12h, 7d, 2026-12-24T18:00:00Z, never", run: (*program).peerExpire},
		{name: "services", args: "NAME SERVICE...", summary: "what this phone may reach", run: (*program).peerServices},
		{
			name: "rekey", args: "NAME [--now] [--public-key KEY] [--qr|--conf|--json] [--out FILE]",
			summary: "a new code; the old key works until the new one is used, 24 hours at most", run: (*program).peerRekey,
		},
		{name: "remove", args: "NAME", summary: "take access away for good", run: (*program).peerRemove},
	}
}

func (p *program) peerAdd(ctx context.Context, args []string) error {
	fs := p.flags("peer add NAME [flags]")
	connect := p.client(fs)
	var in api.AddPeer
	fs.StringVar(&in.Expires, "expires", "", "when access ends: 12h, 7d, 2w or a time in RFC 3339")
	fs.StringVar(&in.PublicKey, "public-key", "", "a public key made elsewhere; the private key then stays there")
	fs.StringArrayVar(&in.Services, "service", nil, "what the phone may reach; may be repeated (default home-assistant)")
	show := p.showFlags(fs)
	words, err := p.parse(fs, args, "NAME")
	if err != nil {
		return err
	}
	if err := show.check(in.PublicKey != ""); err != nil {
		return err
	}
	in.Name = words[0]
	return p.enrol(ctx, connect, show, func(c *api.Client) (e api.Enrolment, err error) {
		return e, c.Do(ctx, http.MethodPost, "/api/v1/peers", in, &e)
	})
}

func (p *program) peerRekey(ctx context.Context, args []string) error {
	fs := p.flags("peer rekey NAME [flags]")
	connect := p.client(fs)
	var in api.RekeyPeer
	fs.BoolVar(&in.Now, "now", false, "the old key ends at once")
	fs.StringVar(&in.PublicKey, "public-key", "", "a public key made elsewhere; the private key then stays there")
	show := p.showFlags(fs)
	words, err := p.parse(fs, args, "NAME")
	if err != nil {
		return err
	}
	if err := show.check(in.PublicKey != ""); err != nil {
		return err
	}
	return p.enrol(ctx, connect, show, func(c *api.Client) (e api.Enrolment, err error) {
		peer, err := findPeer(ctx, c, words[0])
		if err != nil {
			return e, err
		}
		return e, c.Do(ctx, http.MethodPost, peerPath(peer)+"/rekey", in, &e)
	})
}

func (p *program) peerList(ctx context.Context, args []string) error {
	fs := p.flags("peer list [--json]")
	connect := p.client(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	var list []api.Peer
	if err := get(ctx, connect, "/api/v1/peers", &list); err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintf(p.stdout, "No phones yet. Add the first one: %s peer add \"Anna's phone\"\n", p.name)
		return err
	}
	now := time.Now()
	t := p.table()
	fmt.Fprintln(t, "NAME\tSTATE\tLAST SEEN\tMAY REACH\tENDS")
	for _, peer := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", peer.Name, stateWords(peer.State), ago(peer.LastHandshakeAt, now),
			strings.Join(peer.Services, ", "), ends(peer.ExpiresAt))
	}
	return t.Flush()
}

func ends(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

func stateWords(s api.State) string {
	switch s {
	case api.StateWaiting:
		return "not connected yet"
	case api.StateNeedsEnrolment:
		return "needs a new code"
	case api.StateActive, api.StateIdle, api.StateDisabled, api.StateExpired:
		return string(s)
	default:
		return string(s)
	}
}

func (p *program) peerShow(ctx context.Context, args []string) error {
	fs := p.flags("peer show NAME [--json]")
	connect := p.client(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	words, err := p.parse(fs, args, "NAME")
	if err != nil {
		return err
	}
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	peer, err := findPeer(ctx, c, words[0])
	if err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(peer)
	}
	t := p.table()
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(t, "%s\t%s\n", label, value)
		}
	}
	row("name", peer.Name)
	row("state", stateWords(peer.State))
	row("last seen", ago(peer.LastHandshakeAt, time.Now()))
	row("from", peer.Endpoint)
	row("may reach", cmp.Or(strings.Join(peer.Services, ", "), "nothing"))
	row("access ends", ends(peer.ExpiresAt))
	row("added", peer.CreatedAt.Local().Format("2006-01-02 15:04"))
	row("received", fmt.Sprintf("%d bytes", peer.ReceivedBytes))
	row("sent", fmt.Sprintf("%d bytes", peer.SentBytes))
	row("tunnel address", strings.TrimSuffix(peer.IPv4+", "+peer.IPv6, ", "))
	row("public key", peer.PublicKey)
	if peer.Rekey != nil {
		row("old key", fmt.Sprintf("%s, until %s or the new key's first use",
			peer.Rekey.OldPublicKey, ends(peer.Rekey.RetiresAt)))
	}
	return t.Flush()
}

// change finds a peer, sends one change and prints the sentence that it makes of the answer.
func (p *program) change(ctx context.Context, connect connectFunc, name string, in api.ChangePeer,
	sentence func(before, after api.Peer) string,
) error {
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	before, err := findPeer(ctx, c, name)
	if err != nil {
		return err
	}
	var after api.Peer
	if err := c.Do(ctx, http.MethodPatch, peerPath(before), in, &after); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, sentence(before, after))
	return err
}

type connectFunc = func(context.Context) (*api.Client, error)

func get(ctx context.Context, connect connectFunc, path string, out any) error {
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	return c.Do(ctx, http.MethodGet, path, nil, out)
}

func (p *program) peerRename(ctx context.Context, args []string) error {
	fs := p.flags("peer rename NAME NEW")
	connect := p.client(fs)
	words, err := p.parse(fs, args, "NAME", "NEW")
	if err != nil {
		return err
	}
	return p.change(ctx, connect, words[0], api.ChangePeer{Name: &words[1]}, func(before, after api.Peer) string {
		return fmt.Sprintf("%s is now called %s.", before.Name, after.Name)
	})
}

func peerDisabled(disabled bool) func(*program, context.Context, []string) error {
	verb, result := "enable", "may come in again."
	if disabled {
		verb, result = "disable", "can no longer come in; its connections have ended."
	}
	return func(p *program, ctx context.Context, args []string) error {
		fs := p.flags("peer " + verb + " NAME")
		connect := p.client(fs)
		words, err := p.parse(fs, args, "NAME")
		if err != nil {
			return err
		}
		return p.change(ctx, connect, words[0], api.ChangePeer{Disabled: &disabled}, func(_, after api.Peer) string {
			if after.State == api.StateNeedsEnrolment {
				return after.Name + " is enabled, and may come in with a new code: hearthgate peer rekey."
			}
			return after.Name + " " + result
		})
	}
}

func (p *program) peerExpire(ctx context.Context, args []string) error {
	fs := p.flags("peer expire NAME WHEN")
	connect := p.client(fs)
	words, err := p.parse(fs, args, "NAME", "WHEN")
	if err != nil {
		return err
	}
	return p.change(ctx, connect, words[0], api.ChangePeer{Expires: &words[1]}, func(_, after api.Peer) string {
		if after.ExpiresAt.IsZero() {
			return after.Name + " keeps access until you take it away."
		}
		return fmt.Sprintf("%s has access until %s.", after.Name, ends(after.ExpiresAt))
	})
}

func (p *program) peerServices(ctx context.Context, args []string) error {
	fs := p.flags("peer services NAME SERVICE...")
	connect := p.client(fs)
	if err := fs.Parse(args); err != nil {
		return flagError(fs, err)
	}
	words := fs.Args()
	if len(words) < 2 {
		return badUsage("name the phone and at least one service; usage: hearthgate %s; nothing was changed", fs.Name())
	}
	services := words[1:]
	return p.change(ctx, connect, words[0], api.ChangePeer{Services: &services}, func(_, after api.Peer) string {
		return fmt.Sprintf("%s may reach %s and nothing else.", after.Name, strings.Join(after.Services, ", "))
	})
}

func (p *program) peerRemove(ctx context.Context, args []string) error {
	fs := p.flags("peer remove NAME")
	connect := p.client(fs)
	words, err := p.parse(fs, args, "NAME")
	if err != nil {
		return err
	}
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	peer, err := findPeer(ctx, c, words[0])
	if err != nil {
		return err
	}
	if err := c.Do(ctx, http.MethodDelete, peerPath(peer), nil, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is removed; its connections have ended.\n", peer.Name)
	return err
}
