package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// This file is PCP over IPv6, where a mapping is a hole in the router's firewall for one of our own addresses (RFC 6887,
// sections 2.1 and 11). The router is the one at the end of the IPv6 default route, by its link-local address as a rule.

// OpenPinhole asks the router to let a TCP port of this machine in, at the address that this machine has towards the internet.
// The rest is as with [Gateway.Open]. UPnP has a way too, AddPinhole, which is not taken.
func (g *Gateway) OpenPinhole(ctx context.Context, port uint16, lifetime time.Duration) (Opening, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.locate(); err != nil { // the household's own router must be there: it may be asked, the provider's may not
		return Opening{}, err
	}
	route, err := g.cfg.Route6()
	if err != nil {
		return Opening{}, fmt.Errorf("looking for the router over IPv6: %w", err)
	}
	if !route.Gateway.Is6() || !route.Source.Is6() {
		return Opening{}, ErrNoGateway
	}
	o, err := g.pinhole(ctx, route, port, lifetime)
	if err != nil {
		return Opening{}, fmt.Errorf("opening a port on the router over IPv6: %w", err)
	}
	o.Until = g.cfg.Now().Add(lifetime)
	return o, nil
}

func (g *Gateway) pinhole(ctx context.Context, route netinfo.Route, port uint16, lifetime time.Duration) (Opening, error) {
	nonce := newNonce()
	ask := func(ctx context.Context, external uint16, lifetime time.Duration) (got pcpReply, err error) {
		conn, err := g.connectPCP6(ctx, route)
		if err != nil {
			return got, err
		}
		defer conn.Close()
		err = g.resend(ctx, conn, pcpMapRequest(route.Source, nonce, port, external, lifetime), func(data []byte) error {
			r, err := parsePCP(data, pcpMap)
			if err == nil && (r.nonce != nonce || r.protocol != pcpTCP || r.internal != port) {
				err = errNotAnswer
			}
			got = r
			return err
		})
		return got, err
	}
	reply, err := ask(ctx, port, lifetime)
	if err != nil {
		return Opening{}, fmt.Errorf("by PCP: %w", err)
	}
	if reply.external.Port() != port { // a router that translates: not what was asked for
		_, err := ask(ctx, 0, 0)
		return Opening{}, errors.Join(errNotAnswer, err)
	}
	return Opening{External: netip.AddrPortFrom(route.Source, port), By: PCP, close: func(ctx context.Context) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		if _, err := ask(ctx, 0, 0); err != nil {
			return fmt.Errorf("closing the port that was opened on the router over IPv6: %w", err)
		}
		return nil
	}}, nil
}

// connectPCP6 gives a socket with the address that the hole is for, to which only the router is heard.
func (g *Gateway) connectPCP6(ctx context.Context, route netinfo.Route) (net.Conn, error) {
	conn, err := g.cfg.ListenPacket(ctx, "udp6", net.JoinHostPort(route.Source.String(), "0"))
	if err != nil {
		return nil, fmt.Errorf("asking the router: %w", err)
	}
	to := route.Gateway
	if to.IsLinkLocalUnicast() {
		to = to.WithZone(route.Link)
	}
	return &peerConn{PacketConn: conn, peer: netip.AddrPortFrom(to, g.tuning.pcp)}, nil
}

// peerConn is a socket that is not connected and behaves as if it were.
type peerConn struct {
	net.PacketConn
	peer netip.AddrPort
}

func (c *peerConn) Write(b []byte) (int, error) {
	return c.WriteTo(b, net.UDPAddrFromAddrPort(c.peer))
}

func (c *peerConn) Read(b []byte) (int, error) {
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return 0, err
		}
		if u, ok := from.(*net.UDPAddr); ok && u.AddrPort().Addr().WithZone("") == c.peer.Addr().WithZone("") {
			return n, nil
		}
	}
}

func (c *peerConn) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(c.peer) }
