package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/tunnel/gate"
	"github.com/hearthgate/hearthgate/webui/api"
)

func serviceCommands() []command {
	return []command{
		{name: "list", args: "[--json]", summary: "what there is", run: (*program).serviceList},
		{
			name: "add", args: "NAME HOST:PORT [--port N] [--udp]",
			summary: "make something on your network reachable for phones that get it by name", run: (*program).serviceAdd,
		},
		{name: "remove", args: "NAME", summary: "take it away from every phone", run: (*program).serviceRemove},
	}
}

func (p *program) serviceList(ctx context.Context, args []string) error {
	fs := p.flags("service list [--json]")
	connect := p.client(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	var list []api.Service
	if err := get(ctx, connect, "/api/v1/services", &list); err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(list)
	}
	t := p.table()
	fmt.Fprintln(t, "NAME\tIN THE TUNNEL\tTARGET\tSTATE\tOPEN")
	for _, s := range list {
		target := s.Target
		switch {
		case s.Name == gate.Admin:
			target = "this appliance's page"
		case target == "":
			target = "not found yet"
		}
		state := s.State
		if s.Error != "" {
			state += " (" + s.Error + ")"
		}
		fmt.Fprintf(t, "%s\t%d/%s\t%s\t%s\t%d\n", s.Name, s.Port, s.Protocol, target, state, s.Flows)
	}
	return t.Flush()
}

func (p *program) serviceAdd(ctx context.Context, args []string) error {
	fs := p.flags("service add NAME HOST:PORT [--port N] [--udp]")
	connect := p.client(fs)
	var in api.AddService
	fs.Uint16Var(&in.Port, "port", 0, "port inside the tunnel (default: the target's port)")
	udp := fs.Bool("udp", false, "UDP instead of TCP")
	words, err := p.parse(fs, args, "NAME", "HOST:PORT")
	if err != nil {
		return err
	}
	in.Name, in.Target = words[0], words[1]
	if *udp {
		in.Protocol = "udp"
	}
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	var added api.Service
	if err := c.Do(ctx, http.MethodPost, "/api/v1/services", in, &added); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is %s, on port %d/%s in the tunnel. Phones get it by name: hearthgate peer services NAME home-assistant %s\n",
		added.Name, added.Target, added.Port, added.Protocol, added.Name)
	return err
}

func (p *program) serviceRemove(ctx context.Context, args []string) error {
	fs := p.flags("service remove NAME")
	connect := p.client(fs)
	words, err := p.parse(fs, args, "NAME")
	if err != nil {
		return err
	}
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	if err := c.Do(ctx, http.MethodDelete, "/api/v1/services/"+url.PathEscape(words[0]), nil, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is removed; no phone reaches it any more.\n", words[0])
	return err
}

func homeAssistantCommands() []command {
	return []command{
		{name: "show", args: "[--json]", summary: "what is known of it", run: (*program).homeAssistantShow},
		{name: "use", args: "HOST:PORT", summary: "say which one you mean", run: (*program).homeAssistantUse},
	}
}

func (p *program) homeAssistantShow(ctx context.Context, args []string) error {
	fs := p.flags("home-assistant show [--json]")
	connect := p.client(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	var ha homeassistant.State
	if err := get(ctx, connect, "/api/v1/home-assistant", &ha); err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(ha)
	}
	p.printHomeAssistant(ha)
	return nil
}

func (p *program) printHomeAssistant(ha homeassistant.State) {
	switch {
	case ha.Phase == homeassistant.Found && ha.Version != "":
		fmt.Fprintf(p.stdout, "Home Assistant  %s (version %s)\n", ha.Target, ha.Version)
	case ha.Phase == homeassistant.Found:
		fmt.Fprintf(p.stdout, "Home Assistant  %s\n", ha.Target)
	default:
		fmt.Fprintf(p.stdout, "Home Assistant  %s: %s\n", ha.Phase, strings.TrimPrefix(ha.Reason, "Home Assistant "))
	}
	for _, c := range ha.Candidates {
		fmt.Fprintf(p.stdout, "                candidate %s %s (choose it with: %s home-assistant use %s)\n", c.Target, c.Name, p.name, c.Target)
	}
	for _, w := range ha.Warnings {
		fmt.Fprintf(p.stdout, "                Warning: %s\n", w.Text)
	}
}

func (p *program) homeAssistantUse(ctx context.Context, args []string) error {
	fs := p.flags("home-assistant use HOST:PORT")
	connect := p.client(fs)
	words, err := p.parse(fs, args, "HOST:PORT")
	if err != nil {
		return err
	}
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	var ha homeassistant.State
	in := api.UseHomeAssistant{Address: words[0]}
	if err := c.Do(ctx, http.MethodPut, "/api/v1/home-assistant", in, &ha); err != nil {
		return err
	}
	p.printHomeAssistant(ha)
	return nil
}

func serverCommands() []command {
	return []command{
		{name: "rekey", summary: "a new server key after a stolen card: every phone must be enrolled again", run: (*program).serverRekey},
	}
}

func (p *program) serverRekey(ctx context.Context, args []string) error {
	fs := p.flags("server rekey")
	connect := p.client(fs)
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	var list []api.Peer
	if err := c.Do(ctx, http.MethodPost, "/api/v1/server/rekey", nil, &list); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "The server has a new key. Nobody can come in until they scan a new code:")
	for _, peer := range list {
		fmt.Fprintf(p.stdout, "  %s peer rekey '%s'\n", p.name, strings.ReplaceAll(peer.Name, "'", `'\''`))
	}
	return nil
}

func (p *program) status(ctx context.Context, args []string) error {
	fs := p.flags("status [--json]")
	connect := p.client(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	var s api.Status
	if err := get(ctx, connect, "/api/v1/status", &s); err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(s)
	}
	p.printHomeAssistant(s.HomeAssistant)
	fmt.Fprintf(p.stdout, "Tunnel          UDP port %d; phones open %s\n", s.Tunnel.ListenPort, s.Tunnel.URL)
	switch s.Endpoint.Scope {
	case "none":
		fmt.Fprintf(p.stdout, "Endpoint        none: %s\n", s.Endpoint.Note)
	case "lan":
		fmt.Fprintf(p.stdout, "Endpoint        %s, which works at home only until you set another on the page or with --endpoint\n", s.Endpoint.Address)
	default:
		fmt.Fprintf(p.stdout, "Endpoint        %s\n", s.Endpoint.Address)
	}
	if s.Web != nil {
		printWeb(p.stdout, "%-15s %s\n", *s.Web)
	}
	p.printExposure(ctx, connect)
	fmt.Fprintf(p.stdout, "Phones          %d of %d active\n", s.Peers.Active, s.Peers.Total)
	for _, service := range s.Services {
		line := fmt.Sprintf("Service         %s on port %d/%s: %s", service.Name, service.Port, service.Protocol, service.State)
		if service.Error != "" {
			line += " (" + service.Error + ")"
		}
		fmt.Fprintln(p.stdout, line)
	}
	if !s.ClockSynced {
		fmt.Fprintln(p.stdout, "Clock           not synchronised: access that ends is denied, but not ended for good, until it is")
	}
	fmt.Fprintf(p.stdout, "Started         %s, version %s, state in %s\n", ago(s.StartedAt, time.Now()), s.Version, s.StateDir)
	return nil
}

// printExposure says in one line what is known of Home Assistant's port.
func (p *program) printExposure(ctx context.Context, connect func(context.Context) (*api.Client, error)) {
	c, err := connect(ctx)
	if err != nil {
		return
	}
	e, err := c.Exposure(ctx)
	if err != nil {
		fmt.Fprintf(p.stdout, "From outside    could not be asked: %v\n", err)
		return
	}
	line := string(e.State)
	if len(e.Reasons) > 0 {
		line += ": " + e.Reasons[0]
	}
	fmt.Fprintf(p.stdout, "From outside    %s (%s check looks now)\n", line, p.name)
}

// resetPassphrase is for whoever owns the machine and has lost the page's passphrase.
func (p *program) resetPassphrase(ctx context.Context, args []string) error {
	fs := p.flags("reset-passphrase")
	connect := p.client(fs)
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	var done api.Reset
	if err := c.Do(ctx, http.MethodPost, "/api/v1/account/reset", nil, &done); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "The page's passphrase is now: %s\n", done.Passphrase)
	fmt.Fprintln(p.stdout, "Every browser is signed out and two-step sign-in is off. API tokens stay as they are; the page lists them.")
	return nil
}
