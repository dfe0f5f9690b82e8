package vantage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/gateway"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// routerLook is one look.
type routerLook struct {
	router  *Router
	round   health.Round
	home    []netip.Addr
	picture gateway.Picture
	whole   bool
	leads   bool
	prints  map[netip.AddrPort]printed
	tried   int // fingerprints of others
}

type printed struct {
	fp  homeassistant.Fingerprint
	err error
}

func (l *routerLook) ask(ctx context.Context) (err error) {
	if !l.router.due(l) {
		l.round.Tell(health.Router, "asking the router for Home Assistant's port")
		l.picture, err = l.router.cfg.Table.Glance(ctx, l.watched()...)
		if err != nil || len(l.picture.Mappings) == 0 {
			return err
		}
	}
	l.round.Tell(health.Router, "reading the router's table of mappings")
	l.whole = true
	l.picture, err = l.router.cfg.Table.Look(ctx)
	return err
}

// watched are the ports outside at which a mapping to Home Assistant is likeliest.
func (l *routerLook) watched() []uint16 {
	ports := []uint16{health.HomePort}
	if p := l.round.Facts.Home.Port; p != 0 && p != health.HomePort {
		ports = append(ports, p)
	}
	return ports
}

func (l *routerLook) nothing(why health.Code) health.Observation {
	o := l.round.Observe(health.Router, string(health.Router), routerFrom, health.IPv4, netip.Addr{}, 0)
	o.Why, o.Args = why, health.Args{"from": routerFrom}
	return o
}

func (l *routerLook) firewall() []health.Observation {
	if l.picture.Firewall6 != gateway.FirewallOff {
		return nil // that it is on is no evidence
	}
	o := l.round.Observe(health.Router, string(health.Router), routerFrom, health.IPv6, netip.Addr{}, 0)
	o.Why = health.FirewallOff
	return []health.Observation{o}
}

// mappings makes an observation of each mapping to Home Assistant, and of those to what betrays a home.
func (l *routerLook) mappings(ctx context.Context) (out []health.Observation) {
	others := 0
	for _, m := range l.picture.Mappings {
		if m.Protocol != "TCP" {
			continue
		}
		if o, ok := l.mapping(ctx, m); ok {
			out = append(out, o)
		} else if l.betrays(m) && others < maxOthers {
			others++
			out = append(out, l.observe(m, cmp.Or(m.External, m.Port), health.MappingOther))
		}
	}
	return out
}

// mapping is what a row says about Home Assistant; not ok: nothing. A row to its port counts whether it answers as itself or
// not, so that what stands before it, or another Home Assistant, is noticed; one to another port only if it does.
func (l *routerLook) mapping(ctx context.Context, m gateway.Mapping) (o health.Observation, ok bool) {
	external, port, direct := l.toHome(m)
	if !direct {
		external, port = m.External, cmp.Or(m.Port, m.External)
		if !m.Enabled || !l.behindProxy(m) {
			return o, false
		}
	}
	o = l.observe(m, external, health.MappingIdle)
	if !m.Enabled {
		return o, true
	}
	fp, err := l.fingerprint(ctx, netip.AddrPortFrom(m.Internal, port), direct)
	matches := err == nil && fp.Matches(l.round.Home)
	switch {
	case !direct && !matches:
		return o, false
	case err != nil: // leads nowhere
		o.At = l.round.Now()
		return o, true
	}
	l.leads = true
	o.At = l.round.Now()
	if !l.onInternet() {
		o.Why = health.MappingInner
		return o, true
	}
	o.State, o.Why = health.PortOpen, health.Mapped
	if matches {
		o.Identity = health.OurHome
	}
	return o, true
}

// onInternet tells whether the router itself is: by its own word, or where it has none by what is known else.
func (l *routerLook) onInternet() bool {
	if a := l.picture.Address(); a.IsValid() {
		return publicaddr.IsPublic(a)
	}
	public := l.round.Facts.Public[health.IPv4]
	return public.Standing == health.Known && !public.Shared
}

// toHome tells whether a row leads to Home Assistant's own port, and from which one outside.
func (l *routerLook) toHome(m gateway.Mapping) (external, port uint16, ok bool) {
	port = l.round.Facts.Home.Port
	for _, a := range l.home {
		if external, ok = m.Leads(a, port); ok {
			return external, port, true
		}
	}
	return 0, 0, false
}

// behindProxy tells whether a row leads to where a reverse proxy with Home Assistant behind it often is: at one of the ports that
// are doors, on the LAN.
func (l *routerLook) behindProxy(m gateway.Mapping) bool {
	if !m.Internal.IsValid() || !m.Internal.IsPrivate() {
		return false
	}
	port := cmp.Or(m.Port, m.External)
	return port != 0 && slices.Contains([]uint16{80, 443, 8443, health.HomePort, l.round.Facts.Home.Port}, port)
}

// betrays tells whether a row leads to something that is worth knowing.
func (l *routerLook) betrays(m gateway.Mapping) bool {
	port := cmp.Or(m.Port, m.External)
	return m.Enabled && (port == 0 || health.Betrays(port) != "" || l.behindProxy(m) || port == l.round.Facts.Page)
}

var errEnough = errors.New("looked at as many as may be")

// fingerprint looks at what a row leads to, once.
func (l *routerLook) fingerprint(ctx context.Context, at netip.AddrPort, home bool) (homeassistant.Fingerprint, error) {
	if p, ok := l.prints[at]; ok {
		return p.fp, p.err
	}
	if !home && l.tried == maxFingerprints {
		return homeassistant.Fingerprint{}, errEnough
	}
	if !home {
		l.tried++
	}
	ctx, cancel := context.WithTimeout(ctx, printTime)
	defer cancel()
	var p printed
	p.fp, p.err = homeassistant.TakeFingerprint(ctx, l.router.cfg.Dial, at.String(), "")
	l.prints[at] = p
	return p.fp, p.err
}

func (l *routerLook) observe(m gateway.Mapping, external uint16, why health.Code) health.Observation {
	o := l.round.Observe(health.Router, string(health.Router), routerFrom, health.IPv4, l.picture.Address(), external)
	o.Why = why
	o.Args = health.Args{"external": portText(m), "internal": target(m), "protocol": m.Protocol, "mapping": m.ID()}
	if m.Remote != "" {
		o.Args["remote"] = m.Remote
	}
	return o
}

func portText(m gateway.Mapping) string {
	switch {
	case m.External == 0:
		return "0 (every port)"
	case m.Last != m.External:
		return fmt.Sprintf("%d-%d", m.External, m.Last)
	default:
		return strconv.Itoa(int(m.External))
	}
}

func target(m gateway.Mapping) string {
	return net.JoinHostPort(m.Client, strconv.Itoa(int(m.Port)))
}
