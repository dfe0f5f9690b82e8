package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// This file opens a port by UPnP (WANIPConnection:1, section 2.4.16).

func (g *Gateway) openUPnP(ctx context.Context, internal uint16, lifetime time.Duration) (Opening, error) {
	var p Picture
	g.find(ctx, &p)
	err := error(ErrNotSpoken)
	for _, d := range g.devices {
		for _, s := range d.services {
			if !s.connection() {
				continue
			}
			var o Opening
			if o, err = g.openAt(ctx, s, internal, lifetime); err == nil {
				return o, nil
			}
		}
	}
	if codeOf(err) < 0 {
		g.forget()
	}
	return Opening{}, fmt.Errorf("by UPnP: %w", err)
}

func (g *Gateway) openAt(ctx context.Context, s service, internal uint16, lifetime time.Duration) (Opening, error) {
	own, err := g.ownAddress(ctx, s)
	if err != nil {
		return Opening{}, err
	}
	var p Picture
	g.readExternal(ctx, s, &p)
	for move := range uint16(maxMoves) {
		m := Mapping{Protocol: "TCP", External: internal ^ move, Client: own.String(), Port: internal, Lease: lifetime}
		err = g.add(ctx, s, m)
		if err == nil {
			err = g.ends(ctx, s, m)
		}
		if err == nil {
			at := g.at
			return Opening{External: netip.AddrPortFrom(p.Address(), m.External), By: UPnP, close: g.closer(at, func(ctx context.Context) error {
				if err := g.remove(ctx, s, m); !errors.Is(err, ErrGone) {
					return err
				}
				return nil // it ended by itself
			})}, nil
		}
		if codeOf(err) != faultTaken {
			break
		}
	}
	return Opening{}, err
}

// ends tells whether a row that was made is the one that was asked for, and ends by itself. A router that says yes and keeps it for
// ever is one that knows no end; then the row is taken back at once. What cannot be read is believed: a few routers show no row.
func (g *Gateway) ends(ctx context.Context, s service, m Mapping) error {
	got, err := g.entry(ctx, s, m)
	same := got.Client == m.Client && got.Port == m.Port
	if err != nil || same && got.Lease > 0 {
		return nil //nolint:nilerr // see above
	}
	forever := &fault{code: faultOnlyForever, text: "the port would stay open"}
	if !same {
		return forever
	}
	return errors.Join(forever, g.remove(context.WithoutCancel(ctx), s, m))
}

// ownAddress is our address towards a service: secure routers map to nobody but who asks.
func (g *Gateway) ownAddress(ctx context.Context, s service) (netip.Addr, error) {
	conn, err := g.cfg.Dial(ctx, "udp4", s.control.Host) // which sends nothing
	if err != nil {
		return netip.Addr{}, fmt.Errorf("asking the router: %w", err)
	}
	defer conn.Close()
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}, fmt.Errorf("asking the router: %w", ErrNotSpoken)
	}
	return local.AddrPort().Addr().Unmap(), nil
}

func (g *Gateway) add(ctx context.Context, s service, m Mapping) error {
	// A row that is there is not overwritten: some routers give it away when asked twice.
	_, err := g.entry(ctx, s, m)
	switch {
	case err == nil:
		return &fault{code: faultTaken, text: "the port is taken"}
	case codeOf(err) < 0:
		return err
	}
	_, err = g.call(ctx, s, "AddPortMapping", argument{"NewRemoteHost", ""}, argument{"NewExternalPort", decimal(m.External)},
		argument{"NewProtocol", m.Protocol}, argument{"NewInternalPort", decimal(m.Port)}, argument{"NewInternalClient", m.Client},
		argument{"NewEnabled", "1"}, argument{"NewPortMappingDescription", description},
		argument{"NewLeaseDuration", strconv.Itoa(int(m.Lease / time.Second))})
	if err != nil && codeOf(err) < 0 { // it may have been made, and only the word of it lost
		_ = g.remove(context.WithoutCancel(ctx), s, m)
	}
	return err
}
