package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/tunnel/gate"
	"github.com/hearthgate/hearthgate/webui"
	"github.com/hearthgate/hearthgate/webui/access"
	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/api"
)

// web is the page: on the LAN, and inside the tunnel as each phone's portal and, for whoever has the service, as itself.
type web struct {
	a      *appliance
	place  access.Place
	door   *access.Door
	page   *webui.Server
	listen atomic.Uint32 // the TCP port on the LAN, once it is known
}

func newWeb(a *appliance, place access.Place) (*web, error) {
	w := &web{a: a, place: place}
	w.listen.Store(uint32(place.Port()))
	w.door = access.New(access.Config{Place: place, Names: a.settings.webNames, Log: a.settings.logger})
	var err error
	w.page, err = webui.New(webui.Config{
		Account: a.account, Peers: a.peers, Services: serviceAdapter{a}, Tunnel: tunnelAdapter{a.tunnel}, Endpoint: endpointAdapter{a},
		HomeAssistant: a.home, Usage: a.usage, Health: a.watching.api(), PhoneCheck: a.watching.phone, Journal: a.journal,
		AtHome: atHome, LANAddress: lanAddress, URLs: w.door.URLs,
		Now: a.mark.Effective, Synchronised: a.mark.Synchronised, Version: version, StateDir: a.settings.stateDir, Reset: a.settings.reset, Log: a.settings.logger,
	})
	if err != nil {
		return nil, err
	}
	a.web = w
	w.page.Mount(api.New(a.apiConfig(false)))
	return w, nil
}

// atHome tells whether a phone's packets come from a network that this machine is directly connected to.
func atHome(addr netip.Addr) bool {
	_, ok, err := netinfo.OnLink(addr)
	return err == nil && ok
}

// port is where the page listens on the LAN. No service ever reaches it.
func (w *web) port() uint16 { return uint16(w.listen.Load()) }

// run serves the page until ctx ends.
func (w *web) run(ctx context.Context) error {
	lan, err := w.door.Listen(ctx)
	if err != nil {
		return err
	}
	if tcp, ok := lan.Addr().(*net.TCPAddr); ok {
		w.listen.Store(uint32(tcp.Port))
	}
	if warning := w.door.Warning(); warning != "" {
		w.a.settings.logger.Error("page not served on every link", "reason", warning)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.page.Run(ctx) })
	page := access.Headers(access.SameOrigin(w.page.Handler()))
	w.serve(ctx, g, "the page", lan, w.door.Hosts(page), nil)

	server := w.a.server
	portal := access.Headers(access.SameOrigin(w.page.Portal(gate.PeerOf)))
	w.serve(ctx, g, "the portal", w.a.gate.Portal(), access.Inside(server.Address4, server.Address6)(portal), webui.ConnContext)
	inside := access.Headers(access.SameOrigin(w.page.Inside()))
	w.serve(ctx, g, "the page inside the tunnel", w.a.gate.Admin(), access.Inside(server.Admin4, server.Admin6)(inside), nil)
	return g.Wait()
}

// serve answers on one listener until ctx ends. What is being answered then gets a moment.
func (w *web) serve(ctx context.Context, g *errgroup.Group, name string, l net.Listener, h http.Handler,
	withConn func(context.Context, net.Conn) context.Context,
) {
	server := access.Server(h, w.a.settings.logger)
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	server.ConnContext = withConn
	g.Go(func() error {
		defer shutDown(ctx, server)()
		err := server.Serve(l)
		// The tunnel closes what listens inside it as it ends, which may be a moment before we hear of it.
		if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
			<-ctx.Done()
			return nil
		}
		return fmt.Errorf("serving %s: %w", name, err)
	})
}

// shutDown ends a server when ctx does; what it is answering gets a second, because an acknowledged change should be
// acknowledged. The function that it gives must be called when the server has ended by itself.
func shutDown(ctx context.Context, server *http.Server) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
}

// Web is how the page stands, for `status`.
func (w *web) Web() api.WebStatus {
	out := api.WebStatus{URLs: w.door.URLs(), SetupCode: w.a.account.SetupCode(), Warning: w.door.Warning()}
	claim, err := w.a.account.Claim()
	if err != nil {
		w.a.settings.logger.Error("reading who has claimed the page failed", "error", err)
	}
	out.Claim, out.ClaimUntil, out.Claimed = claim.State, claim.Until.UTC(), claim.State == account.ClaimDone
	return out
}

// announce says in plain lines where the page is and what it will ask for.
func (w *web) announce(out io.Writer) { printWeb(out, "  %-15s %s\n", w.Web()) }

// printWeb is used by `run` and by `status`, which lay their lines out differently.
func printWeb(out io.Writer, line string, s api.WebStatus) {
	for i, url := range s.URLs {
		label := "Page"
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(out, line, label, url)
	}
	switch {
	case s.Claim == account.NeedsCode && s.SetupCode != "":
		fmt.Fprintf(out, line, "Setup code", s.SetupCode+", which the page asks for once")
	case s.Claim == account.ClaimOpen:
		fmt.Fprintf(out, line, "Setup", "open to whoever is on the home's network, until "+s.ClaimUntil.Local().Format(time.TimeOnly))
	case s.Claim == account.ClaimShut:
		fmt.Fprintf(out, line, "Setup", "closed: the time after power-on is over. Unplug the machine and plug it in again, or run hearthgate reset-passphrase")
	}
	if s.Warning != "" {
		fmt.Fprintf(out, line, "", "Warning: "+s.Warning)
	}
}

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
