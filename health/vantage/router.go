package vantage

// The router's table of mappings, asked by UPnP. It can prove that the router passes a port on to Home Assistant: an exposure if
// the router is itself on the internet. It can never prove closed: rules made by hand, a DMZ host, IPv6 pinholes and a second
// router are in no table that can be asked for, and many routers show none.

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/netinfo"
)

const (
	glanceEvery = 15 * time.Minute
	walkEvery   = 6 * time.Hour

	maxFingerprints = 8 // of what mappings to others than Home Assistant lead to, in one look
	printTime       = 5 * time.Second
	maxOthers       = 16
)

// Table is the household's router; *gateway.Gateway is one.
type Table interface {
	Look(ctx context.Context) (gateway.Picture, error)
	Glance(ctx context.Context, ports ...uint16) (gateway.Picture, error)
	Delete(ctx context.Context, m gateway.Mapping) error
}

// RouterConfig is what a Router is made of. Only Table must be there.
type RouterConfig struct {
	Table Table
	Dial  homeassistant.Dial           // nil: the machine's
	Own   func() ([]netip.Addr, error) // nil: netinfo.OwnAddresses
}

// Router is the vantage of Kind health.Router.
type Router struct {
	cfg RouterConfig

	mu      sync.Mutex
	last    gateway.Picture
	picture gateway.Picture // of the last whole look, without what was deleted since
	walked  time.Time
	home    []netip.Addr // Home Assistant's, at that time
	port    uint16
	leads   bool // something led to Home Assistant
}

// NewRouter gives a vantage that has asked nothing yet.
func NewRouter(c RouterConfig) *Router {
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.Own == nil {
		c.Own = netinfo.OwnAddresses
	}
	return &Router{cfg: c}
}

// Kind is health.Router.
func (*Router) Kind() health.Kind { return health.Router }

// Every is a quarter of an hour: most looks are one small question.
func (*Router) Every() time.Duration { return glanceEvery }

// seat and from name the only one of its kind.
const routerFrom = "the router"

// Look asks for Home Assistant's ports, and every six hours, when somebody waits, or when there is something to be seen, for all.
func (r *Router) Look(ctx context.Context, round health.Round) []health.Observation {
	l := &routerLook{router: r, round: round, home: r.homeAddresses(round.Facts), prints: make(map[netip.AddrPort]printed)}
	if err := l.ask(ctx); err != nil {
		code := health.VantageSilent
		if errors.Is(err, gateway.ErrNoGateway) {
			code = health.NotSupported
		}
		return []health.Observation{l.nothing(code)}
	}
	if !l.picture.Table {
		return append(l.firewall(), l.nothing(health.NotSupported))
	}
	out := append(l.mappings(ctx), l.firewall()...)
	if ctx.Err() != nil { // and then what was tried may not have been reached for that reason alone
		return []health.Observation{l.nothing(health.VantageSilent)}
	}
	r.remember(l)
	if !l.leads {
		out = append(out, l.nothing(health.NothingThere))
	}
	return out
}

// homeAddresses are those to which a mapping to Home Assistant would lead.
func (r *Router) homeAddresses(f health.Facts) []netip.Addr {
	home := f.Home.Address.Unmap().WithZone("")
	if !home.IsValid() {
		return nil
	}
	own, err := r.cfg.Own()
	if err != nil || !home.IsLoopback() && !slices.Contains(own, home) {
		return []netip.Addr{home}
	}
	return slices.DeleteFunc(append(own, home), func(a netip.Addr) bool { return a.IsLoopback() || !a.Is4() })
}

func (r *Router) remember(l *routerLook) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = l.picture
	r.home, r.port, r.leads = l.home, l.round.Facts.Home.Port, l.leads
	if l.whole {
		r.picture, r.walked = l.picture, l.round.Now()
	}
}

// Picture is what the router said when it was last asked: whole or in part.
func (r *Router) Picture() gateway.Picture {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// due tells whether the whole table has to be read.
func (r *Router) due(l *routerLook) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.round.Asked || r.leads || r.walked.IsZero() || l.round.Now().Sub(r.walked) >= walkEvery ||
		r.port != l.round.Facts.Home.Port || !slices.Equal(r.home, l.home)
}
