package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/internal/store"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/peers/usage"
	"github.com/hearthgate/hearthgate/tunnel"
	"github.com/hearthgate/hearthgate/tunnel/endpoint"
	"github.com/hearthgate/hearthgate/tunnel/gate"
	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/words"
)

// appliance is every room, built and joined. This is the one place that knows them all.
type appliance struct {
	settings settings
	store    *store.Store
	journal  *journal.Journal
	mark     *clock.Mark
	peers    *peers.Registry
	server   peers.Server
	home     *homeassistant.Finder
	services *gate.Services
	gate     *gate.Gate
	tunnel   *tunnel.Server
	usage    *usage.Usage
	endpoint *endpoint.Setting
	account  *account.Account
	watching *watching   // for whether Home Assistant can be reached from the internet
	api      *api.Server // on the control socket
	web      *web        // on the LAN, and inside the tunnel; nil without a page
}

// build makes the rooms in the order of the data: store, peers, Home Assistant, gate, tunnel, page. Whoever gets an
// appliance closes it.
func build(s settings, c clock.Clock) (*appliance, error) {
	st, err := store.Open(s.stateDir)
	if err != nil {
		return nil, err
	}
	a := &appliance{settings: s, store: st}
	if err := a.join(c); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return a, nil
}

func (a *appliance) join(c clock.Clock) (err error) {
	s := a.settings
	a.mark = clock.NewMark(a.store, c)
	a.journal = journal.New(a.store, a.mark.Effective, s.logger)
	a.peers = peers.New(a.store, a.journal, a.mark, s.logger)
	taken, err := netinfo.Networks()
	if err != nil {
		return fmt.Errorf("looking at this machine's networks: %w", err)
	}
	if a.server, err = a.peers.Init(taken); err != nil {
		return err
	}
	a.home, err = homeassistant.New(homeassistant.Config{Store: a.store, Journal: a.journal, Log: s.logger, URL: s.homeAssistant})
	if err != nil {
		return usageError{"--home-assistant: " + err.Error()}
	}
	a.services = gate.NewServices(a.store, a.journal)
	a.peers.CheckServices(gate.Known)
	if err := a.services.Reclaim(a.peers.ForgetService); err != nil {
		return err
	}
	a.gate = gate.New(gate.Config{
		Log: s.logger, HomeAssistant: a.home.Address,
		OwnAddresses: netinfo.OwnAddresses, IsOwn: netinfo.IsOwn, OwnPorts: a.ownPorts,
		TunnelNetworks: []netip.Prefix{a.server.Network4, a.server.Network6},
	})
	a.tunnel = tunnel.New(tunnel.Config{
		ListenPort: s.listenPort, Registry: a.peers, Services: a.services, Gate: a.gate, Journal: a.journal,
		Interface: "hearthgate", Log: s.logger,
	})
	a.usage = usage.New(usage.Config{
		Store: a.store, Now: a.mark.Effective, Synchronised: a.mark.Synchronised, Source: a.counters, Known: a.peerIDs, Log: s.logger,
	})
	a.endpoint = endpoint.NewSetting(a.store, a.journal)
	a.account = account.New(account.Config{
		Store: a.store, Journal: a.journal, Now: a.mark.Effective, Synchronised: a.mark.Synchronised, Log: s.logger,
		Suggest:     func() string { return words.Passphrase(words.English) },
		ClaimWindow: s.claimWindow, Uptime: clock.Uptime,
	})
	a.watching = newWatching(a)
	if s.web != nil {
		if a.web, err = newWeb(a, *s.web); err != nil {
			return err
		}
	}
	a.api = api.New(a.apiConfig(true))
	return nil
}

// apiConfig is what the API is made of: for the owner of the machine, behind the control socket, or for the page.
func (a *appliance) apiConfig(owner bool) api.Config {
	c := api.Config{
		Peers: a.peers, Services: serviceAdapter{a}, Tunnel: tunnelAdapter{a.tunnel}, Endpoint: endpointAdapter{a},
		HomeAssistant: a.home, Journal: a.journal, Now: a.mark.Effective, Synchronised: a.mark.Synchronised,
		Version: version, StateDir: a.settings.stateDir, Owner: owner, Log: a.settings.logger,
		Account: a.account, Usage: a.usage, Settings: endpointAdapter{a}, LoginFailures: a.account.Refused, Health: a.watching.api(),
	}
	if a.web != nil {
		c.Web, c.Links, c.Desk = a.web, a.web.page, a.web.page
	}
	return c
}

// counters are what the tunnel has carried for each peer since it started.
func (a *appliance) counters() map[string]usage.Counters {
	out := make(map[string]usage.Counters)
	for id, l := range a.tunnel.Live() {
		out[id] = usage.Counters{Received: l.ReceivedBytes, Sent: l.SentBytes}
	}
	return out
}

func (a *appliance) peerIDs() ([]string, error) {
	list, err := a.peers.List()
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.ID
	}
	return ids, err
}

// ownPorts are the ports on which this appliance itself listens, or may: no service ever reaches them.
func (a *appliance) ownPorts() []gate.OwnPort {
	own := []gate.OwnPort{{Protocol: gate.UDP, Port: a.tunnel.ListenPort()}}
	if a.web != nil {
		own = append(own, gate.OwnPort{Protocol: gate.TCP, Port: a.web.port()})
	}
	return own
}

// run runs every room until ctx ends, or until one of them fails; then all of them end. Once phones and clients are
// served, started is called beside them.
func (a *appliance) run(ctx context.Context, started func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	task := func(name string, run func(context.Context) error) {
		g.Go(func() error {
			err := run(ctx)
			if err == nil && ctx.Err() == nil {
				return fmt.Errorf("%s ended by itself", name)
			}
			return err
		})
	}
	task("the clock", a.keepTime)
	task("the search for Home Assistant", a.home.Run)
	task("the tunnel", a.tunnel.Run)
	task("the count of what phones carry", a.usage.Run)
	task("the look from outside", a.watching.run)
	if a.web != nil {
		task("the page", a.web.run)
	}
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-a.tunnel.Ready():
		}
		socket, err := listenSocket(ctx, a.settings.socket)
		if err != nil {
			return err
		}
		defer socket.close()
		g.Go(func() error { return started(ctx) })
		return socket.serve(ctx, a.api, a.settings.logger)
	})
	return g.Wait()
}

// keepTime moves the saved high-water mark of the clock along, and once an hour has the account forget what is too old.
func (a *appliance) keepTime(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	var swept time.Time
	for {
		if err := a.mark.Advance(); err != nil {
			return err
		}
		if time.Since(swept) >= time.Hour {
			if err := a.account.Sweep(); err != nil {
				return err
			}
			swept = time.Now()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *appliance) close() error { return a.store.Close() }

// lanAddress is this machine's address on the link of its default route.
func lanAddress() (netip.Addr, error) {
	route, err := netinfo.DefaultRoute()
	return route.Source, err
}

// The adapters say in the API's words what the tunnel room says in its own.

type endpointAdapter struct{ a *appliance }

func (e endpointAdapter) Endpoint() (api.Endpoint, error) {
	configured, _, err := e.configured()
	if err != nil {
		return api.Endpoint{}, err
	}
	now, err := endpoint.Current(configured, e.a.tunnel.ListenPort(), lanAddress)
	if err != nil {
		return api.Endpoint{}, err
	}
	return api.Endpoint{Address: now.Address, Scope: string(now.Scope), Note: now.Note()}, nil
}

// configured is what a flag, a variable or the settings file says, or else what was set on the page.
func (e endpointAdapter) configured() (address string, overridden bool, err error) {
	if e.a.settings.endpoint != "" {
		return e.a.settings.endpoint, true, nil
	}
	address, err = e.a.endpoint.Get()
	return address, false, err
}

func (e endpointAdapter) Setting() (string, bool, error) { return e.configured() }

// Set keeps what the household says on the page. Where a flag says otherwise, nothing would come of it.
func (e endpointAdapter) Set(value string) error {
	if e.a.settings.endpoint != "" {
		return api.Refusal(api.ErrConflict, errors.New("--endpoint, HEARTHGATE_ENDPOINT or hearthgate.toml says it already; nothing was changed"))
	}
	if value = strings.TrimSpace(value); value == "" {
		return e.a.endpoint.Set("")
	}
	address, err := peers.ParseEndpoint(value, int(e.a.tunnel.ListenPort()))
	if err != nil {
		return err
	}
	return e.a.endpoint.Set(address)
}

type tunnelAdapter struct{ *tunnel.Server }

func (t tunnelAdapter) Live() map[string]api.Live {
	live := t.Server.Live()
	out := make(map[string]api.Live, len(live))
	for id, l := range live {
		view := api.Live{
			Active: l.Active, LastHandshake: l.LastHandshake,
			ReceivedBytes: l.ReceivedBytes, SentBytes: l.SentBytes,
		}
		if l.Endpoint.IsValid() {
			view.Endpoint = l.Endpoint.String()
		}
		out[id] = view
	}
	return out
}

type serviceAdapter struct{ a *appliance }

func (s serviceAdapter) List() ([]api.Service, error) {
	list, err := s.a.services.List()
	if err != nil {
		return nil, err
	}
	states := make(map[string]gate.ServiceStatus)
	for _, status := range s.a.gate.Status() {
		states[status.Name] = status
	}
	out := make([]api.Service, 0, len(list))
	for _, service := range list {
		out = append(out, s.view(service, states[service.Name]))
	}
	return out, nil
}

func (s serviceAdapter) view(service gate.Service, status gate.ServiceStatus) api.Service {
	out := api.Service{
		Name: service.Name, Protocol: string(service.Protocol), Port: service.Port, Target: service.Target,
		Builtin: service.Builtin, State: string(status.State), Since: status.Since.UTC(), Error: status.Error, Flows: status.Flows,
	}
	if out.State == "" {
		out.State = string(gate.Unknown)
	}
	switch service.Name {
	case gate.HomeAssistant:
		homeView(&out, s.a.home.State())
	case gate.Admin:
		out.State = string(gate.Up) // it is this very process
		if s.a.web == nil {
			out.State = string(gate.Down)
		}
	}
	return out
}

// homeView corrects what the gate has learnt from its dials by what the finder knows: it looks every few seconds, the gate
// only when a phone comes.
func homeView(out *api.Service, home homeassistant.State) {
	out.Target = home.Addr
	switch {
	case home.Phase == homeassistant.Searching:
		out.State, out.Error = string(gate.Unknown), home.Reason
	case home.Phase != homeassistant.Found:
		out.State, out.Error, out.Since = string(gate.Down), home.Reason, home.Since.UTC()
	case out.State != string(gate.Down) || out.Since.Before(home.Since):
		out.State, out.Error, out.Since = string(gate.Up), "", home.Since.UTC()
	}
}

func (s serviceAdapter) Add(in api.AddService) (api.Service, error) {
	service := gate.Service{Name: in.Name, Target: in.Target, Port: in.Port, Protocol: gate.Protocol(in.Protocol)}
	added, err := s.a.services.Add(service)
	if err != nil {
		return api.Service{}, serviceError(err)
	}
	return s.view(added, gate.ServiceStatus{}), nil
}

// Remove takes a service away, and off every peer's list, in one transaction: a service of the same name that is made
// later is another service.
func (s serviceAdapter) Remove(name string) error {
	return serviceError(s.a.services.Remove(name, s.a.peers.ForgetService(name)))
}

func serviceError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gate.ErrNoService):
		return api.Refusal(api.ErrNotFound, err)
	case errors.Is(err, gate.ErrServiceTaken), errors.Is(err, gate.ErrBuiltin):
		return api.Refusal(api.ErrConflict, err)
	case errors.Is(err, gate.ErrInvalidService):
		return api.Refusal(api.ErrInvalid, err)
	default:
		return err
	}
}
