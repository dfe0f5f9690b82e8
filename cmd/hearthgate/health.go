package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/health/alert"
	"github.com/hearthgate/hearthgate/health/surroundings"
	"github.com/hearthgate/hearthgate/health/vantage"
	"github.com/hearthgate/hearthgate/health/witness"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
	"github.com/hearthgate/hearthgate/internal/secret"
	"github.com/hearthgate/hearthgate/webui/api"
)

// watching is the health room, with everything that it needs of the others: who looks from outside, what is known of the home,
// the verdict, and who is told.
type watching struct {
	a        *appliance
	settings *health.Settings
	around   *surroundings.Surroundings
	loop     *health.Loop
	router   *vantage.Router
	phone    *vantage.Phone
	alerts   *alert.Alerts
	talker   *homeassistant.Talker
}

func newWatching(a *appliance) *watching {
	s := a.settings
	w := &watching{a: a, settings: health.NewSettings(a.store, a.journal, witness.Named)}
	gate := gateway.New(gateway.Config{})
	canaries := vantage.NewCanaries(vantage.CanariesConfig{Router: gate})
	talker := homeassistant.NewTalker(homeassistant.TalkConfig{Where: a.home.State, Token: w.token, Store: a.store})
	w.talker = talker
	witnesses := vantage.NewWitness(vantage.WitnessConfig{
		Setup: w.settings.Get, Path: pathAdapter{a}, Canary: canaries, Log: s.logger, Now: time.Now,
	})
	public := publicaddr.New(publicaddr.Config{Agent: "hearthgate/" + version})
	w.around = surroundings.New(surroundings.Config{
		Store: a.store, Setup: w.settings.Get, Finder: a.home.State, Heard: homeassistant.Browse, Places: talker.Places,
		Router: func(ctx context.Context) (gateway.Picture, error) { return gate.Glance(ctx) }, Witness: witnesses,
		Public: func(ctx context.Context, f health.Family) publicaddr.Result {
			return public.Ask(ctx, publicaddr.Family(f))
		},
		Names: w.names, TunnelPrefixes: w.tunnel, PagePort: w.pagePort, Now: time.Now, Log: s.logger,
	})
	w.router = vantage.NewRouter(vantage.RouterConfig{Table: gate})
	service := vantage.Public{Setup: w.settings.Get, Version: version}
	probes := vantage.NewGlobalping(service, vantage.FromCanaries(canaries))
	probes.Doors = true // closed needs 80, 443 and 8443, too
	w.loop = health.NewLoop(health.LoopConfig{
		Store: a.store, Journal: a.journal, Settings: w.settings, Surroundings: w.around, Now: time.Now, Log: s.logger,
		Synchronised: a.mark.Synchronised,
		Vantages: []health.Vantage{
			witnesses, w.router, probes, vantage.NewPortCheck(service),
			vantage.NewInternetDB(service), vantage.NewHairpin(), vantage.NewNotices(talker, w.settings.Get),
		},
	})
	w.alerts = alert.New(alert.Config{
		Reports: w.loop, Settings: w.settings, Home: talker, Store: a.store, Journal: a.journal, Now: time.Now, Log: s.logger,
		Instance: w.instance(), Version: version,
	})
	w.phone = vantage.NewPhone(vantage.PhoneConfig{
		Controls: w.controls, Facts: w.facts, Fingerprint: w.fingerprint, Endpoint: w.endpoint, Name: w.peerName,
		Add: w.loop.Add, Now: time.Now, Log: s.logger,
	})
	return w
}

// run looks until ctx ends.
func (w *watching) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.around.Run(ctx) })
	g.Go(func() error { return w.loop.Run(ctx) })
	g.Go(func() error { return w.alerts.Run(ctx) })
	return g.Wait()
}

// api is what the API and the page get of it.
func (w *watching) api() *api.Health {
	return &api.Health{Loop: w.loop, Settings: settingsAdapter{w.settings, w.talker}, Router: mappingAdapter{w.router, w.a}, Alerts: w.channels}
}

// instance tells this appliance from others at one MQTT broker. The tunnel's network is drawn once, and outlives every key.
func (w *watching) instance() string {
	sum := sha256.Sum256([]byte(w.a.server.Network6.String()))
	return hex.EncodeToString(sum[:6])
}

// channels are how telling people goes.
func (w *watching) channels() []api.Alert {
	var out []api.Alert
	for _, c := range w.alerts.Status() {
		out = append(out, api.Alert{Name: string(c.Channel), OK: c.Problem == "", At: c.Told, Error: c.Problem})
	}
	return out
}

// token is Home Assistant's, as it is set now.
func (w *watching) token() (secret.Text, error) {
	s, err := w.settings.Get()
	return s.HomeToken, err
}

// names are those under which the home is reached from outside: that of the endpoint.
func (w *watching) names() []string {
	configured, _, err := endpointAdapter{w.a}.configured()
	if err != nil {
		return nil
	}
	host, _, err := net.SplitHostPort(configured)
	if err != nil || host == "" {
		return nil
	}
	return []string{host}
}

func (w *watching) tunnel() []netip.Prefix {
	return []netip.Prefix{w.a.server.Network4, w.a.server.Network6}
}

func (w *watching) pagePort() uint16 {
	if w.a.web == nil {
		return 0
	}
	return w.a.web.port()
}

// controls are the witnesses' pages for browsers.
func (w *watching) controls() []vantage.PhoneControl {
	s, err := w.settings.Get()
	if err != nil {
		return nil
	}
	var invites []witness.Invite
	for _, seat := range s.Witnesses {
		if invite, err := witness.ParseInvite(seat.Invite.Reveal()); err == nil {
			invites = append(invites, invite)
		}
	}
	return vantage.PhoneControls(invites)
}

func (w *watching) facts() health.Facts {
	facts, _ := w.loop.Facts()
	return facts
}

func (w *watching) fingerprint(ctx context.Context) homeassistant.Fingerprint {
	return w.around.Home(ctx, w.facts()).Fingerprint
}

// endpoint is where a peer's last packet came from and when it last shook hands, as the device knows it now.
func (w *watching) endpoint(peerID string) (where netip.AddrPort, shaken time.Time) {
	peer, err := w.a.peers.Get(peerID)
	if err != nil {
		return where, shaken
	}
	device, err := w.a.tunnel.Device()
	if err != nil {
		return where, shaken
	}
	for _, p := range device.Peers {
		if key.Public(p.PublicKey) != peer.Pair.PublicKey || p.Endpoint == nil || p.LastHandshakeTime.Before(shaken) {
			continue
		}
		at := p.Endpoint.AddrPort()
		where, shaken = netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), p.LastHandshakeTime
	}
	return where, shaken
}

func (w *watching) peerName(peerID string) string {
	peer, err := w.a.peers.Get(peerID)
	if err != nil {
		return ""
	}
	return peer.Name
}

// settingsAdapter lets a token be tried again that Home Assistant has refused, when the owner gives it again.
type settingsAdapter struct {
	*health.Settings
	talker *homeassistant.Talker
}

func (s settingsAdapter) Set(c health.SetupChange) error {
	if err := s.Settings.Set(c); err != nil || c.HomeToken == nil {
		return err
	}
	return s.talker.Retry()
}

// pathAdapter is the tunnel's socket, as witnesses try it from outside.
type pathAdapter struct{ a *appliance }

// Port is that of the endpoint, where one is set: the router may pass another port on to ours.
func (p pathAdapter) Port() uint16 {
	listens := p.a.tunnel.ListenPort()
	configured, _, err := endpointAdapter(p).configured()
	if err != nil || configured == "" || listens == 0 {
		return listens
	}
	if _, port, err := net.SplitHostPort(configured); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil && n != 0 {
			return uint16(n)
		}
	}
	return listens
}

func (p pathAdapter) Expect(nonce [32]byte) (<-chan netip.AddrPort, func()) {
	return p.a.tunnel.Expect(nonce)
}
