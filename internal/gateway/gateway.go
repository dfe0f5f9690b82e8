// Package gateway speaks the household router's protocols: UPnP IGD (its SSDP and its SOAP), NAT-PMP and PCP. It is how one
// asks the router which ports it passes on to whom, what its address outside is, and whether it has started anew; and how a
// port is opened for a minute and closed again.
//
// What it keeps true: only the default gateway is asked and believed, and only while it is a router of the household's own.
// An answer from another address is not read, and a URL in an answer leads to the gateway or nowhere, whoever wrote it: a
// device on the LAN can neither show us a table of its own nor send us to a third machine. What the gateway says is bounded
// in size, number and time, and is a claim: an empty table says nothing about what is open, because rules made by hand, a DMZ
// host, IPv6 pinholes and a second router are in no table that can be asked for.
//
// Its nouns: a [Gateway] is the router as we remember it between questions. A [Mapping] is one row of its table. An
// [External] is the address that it says it has outside. A [Picture] is all that it said at one moment. An [Opening] is a port
// that it opened for us, which is given back with [Opening.Close].
//
// It never probes by making a mapping (a daemon that finds the port taken moves us to another), never sends MX: 0, which has
// crashed routers (home-assistant-libs/netdisco issue 16), never asks two things at once, which cheap routers cannot bear,
// and follows no redirect.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

var (
	// ErrNoGateway says that there is no router to ask: no default route over IPv4, or one that leads straight to the provider.
	ErrNoGateway = errors.New("there is no router of the household's own on the way to the internet")

	// ErrNotSpoken says that the router does not speak the protocol that the question needs.
	ErrNotSpoken = errors.New("the router does not answer to UPnP, NAT-PMP or PCP")

	// ErrRefused says that the router understood and said no.
	ErrRefused = errors.New("the router refused")

	// ErrGone says that there is no such mapping.
	ErrGone = errors.New("the router has no such mapping")
)

// Dial opens a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// ListenPacket opens a UDP socket, as net.ListenConfig.ListenPacket does.
type ListenPacket func(ctx context.Context, network, address string) (net.PacketConn, error)

// Config is what a Gateway is made of. The zero value asks the machine's own default gateway.
type Config struct {
	Route        func() (netinfo.Route, error) // nil: netinfo.DefaultRoute
	Route6       func() (netinfo.Route, error) // over IPv6; nil: that of netinfo.DefaultRoutes
	Dial         Dial                          // nil: the machine's
	ListenPacket ListenPacket                  // nil: the machine's
	Now          func() time.Time              // nil: time.Now
}

// Gateway asks the household's router, one question at a time, and remembers where its services are.
type Gateway struct {
	cfg    Config
	tuning tuning

	mu      sync.Mutex // held during a question: cheap routers choke on two at once
	at      netip.Addr // the gateway that the following belongs to
	devices []device   // found there; empty: to be looked for
	spoken  []Protocol // by it, when all were asked last; nil: they never were
}

// tuning is what only a test changes.
type tuning struct {
	ssdp, pcp uint16        // UDP ports
	call      time.Duration // for one answer over HTTP
	datagram  time.Duration // for the first of NAT-PMP and PCP
}

// New gives a Gateway that has asked nothing yet.
func New(c Config) *Gateway {
	if c.Route == nil {
		c.Route = netinfo.DefaultRoute
	}
	if c.Route6 == nil {
		c.Route6 = func() (netinfo.Route, error) {
			_, route, err := netinfo.DefaultRoutes()
			return route, err
		}
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.ListenPacket == nil {
		c.ListenPacket = new(net.ListenConfig).ListenPacket
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Gateway{cfg: c, tuning: tuning{ssdp: 1900, pcp: 5351, call: callTime, datagram: firstWait}}
}

// locate finds the default gateway, and forgets what is known of another one. It is called with mu held.
func (g *Gateway) locate() (netip.Addr, error) {
	route, err := g.cfg.Route()
	if errors.Is(err, netinfo.ErrNoDefaultRoute) {
		return netip.Addr{}, ErrNoGateway
	}
	if err != nil {
		return netip.Addr{}, fmt.Errorf("looking for the router: %w", err)
	}
	addr := route.Gateway.Unmap()
	if !households(addr) {
		return netip.Addr{}, ErrNoGateway
	}
	if addr != g.at {
		g.at, g.devices, g.spoken = addr, nil, nil
	}
	return addr, nil
}

// households tells whether a gateway can be the household's own. A public address, or one of a carrier's (RFC 6598), is the
// provider's router: this machine is the household's then, and a question would leave the house. Loopback is a test's.
func households(a netip.Addr) bool {
	return a.Is4() && (a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback())
}

// forget makes the next question look for the services anew: after a restart they are often at another port.
func (g *Gateway) forget() { g.devices = nil }
