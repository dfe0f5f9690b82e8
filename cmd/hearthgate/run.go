package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/tunnel"
	"github.com/hearthgate/hearthgate/webui/api"
)

// memoryLimit is Go's soft limit, in bytes, unless GOMEMLIMIT says otherwise: DESIGN's ceiling of 64 MiB, less what Go
// does not count (the binary's own pages and the kernel's share).
const memoryLimit = 48 << 20

func (p *program) run(ctx context.Context, args []string) error {
	s, err := p.readSettings(args)
	if err != nil {
		return unchanged(err)
	}
	// What can be known to stand in the way is looked at before anything is made.
	if err := errors.Join(tunnel.PortFree(ctx, s.listenPort), s.web.Free(ctx), socketFree(ctx, s.socket)); err != nil {
		return unchanged(err)
	}
	if p.getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	a, err := build(s, clock.System())
	if err != nil {
		return err
	}
	err = a.run(ctx, func(ctx context.Context) error { return p.announce(ctx, a) })
	return errors.Join(err, a.close())
}

// unchanged says of an error that came before anything was made that nothing was.
func unchanged(err error) error {
	const words = "nothing was changed"
	switch {
	case errors.Is(err, pflag.ErrHelp) || strings.Contains(err.Error(), words):
		return err
	case errors.As(err, &usageError{}):
		return usageError{err.Error() + "; " + words}
	default:
		return fmt.Errorf("%w; %s", err, words)
	}
}

// announce says in plain lines what was found, where the tunnel listens and what to do next. What changes later comes
// through the log.
func (p *program) announce(ctx context.Context, a *appliance) error {
	home := firstLook(ctx, a.home)
	end, err := endpointAdapter{a}.Endpoint()
	var b strings.Builder
	fmt.Fprintf(&b, "Hearthgate %s\n", version)
	if home.Phase == homeassistant.Found {
		fmt.Fprintf(&b, "  Home Assistant  %s\n", strings.TrimSpace(home.Target+" "+versionWords(home.Version)))
	} else {
		fmt.Fprintf(&b, "  Home Assistant  %s\n", strings.TrimPrefix(home.Reason, "Home Assistant "))
	}
	if home.Phase == homeassistant.Searching {
		fmt.Fprintf(&b, "                  or name it with --home-assistant http://HOST:8123\n")
	}
	for _, w := range home.Warnings {
		fmt.Fprintf(&b, "                  Warning: %s\n", w.Text)
	}
	fmt.Fprintf(&b, "  Tunnel          listens on UDP port %d\n", a.tunnel.ListenPort())
	switch {
	case err != nil:
		fmt.Fprintf(&b, "  Endpoint        none yet: %v\n", err)
	case end.Scope == "lan":
		fmt.Fprintf(&b, "  Endpoint        %s, which works at home only until you set another on the page or with --endpoint\n", end.Address)
	default:
		fmt.Fprintf(&b, "  Endpoint        %s\n", end.Address)
	}
	fmt.Fprintf(&b, "  On the phone    %s\n", api.InsideURL(a.server, home))
	fmt.Fprintf(&b, "  State           %s\n", a.settings.stateDir)
	a.web.announce(&b)
	fmt.Fprintf(&b, "  Next            open the page, or in another terminal: %s peer add \"Anna's phone\"%s\n", p.name, p.socketHint(a.settings.socket))
	_, err = fmt.Fprint(p.stdout, b.String())
	return err
}

func versionWords(v string) string {
	if v == "" {
		return ""
	}
	return "(version " + v + ")"
}

// socketHint is the flag that a client needs when it would not find the socket by itself.
func (p *program) socketHint(socket string) string {
	if slices.Contains(p.clientSockets(""), socket) {
		return ""
	}
	return " --socket " + socket
}

// firstLook waits a moment for the first search to end, so that the first lines say what was found.
func firstLook(ctx context.Context, f *homeassistant.Finder) homeassistant.State {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		state := f.State()
		if state.Phase != homeassistant.Searching {
			return state
		}
		select {
		case <-ctx.Done():
			return state
		case <-tick.C:
		}
	}
}
