package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Opening is a TCP port that the router passes on to this machine, until Close, or until its lifetime has ended.
type Opening struct {
	External netip.AddrPort // outside; the address may be zero, where the router does not say
	By       Protocol
	Until    time.Time

	close func(context.Context) error
}

// Close takes it back.
func (o *Opening) Close(ctx context.Context) error { return o.close(ctx) }

// describe is what the router's own page shows for a port that we opened.
const description = "Hearthgate check"

// closeTime bounds the closing of a port, from when it is its turn.
const closeTime = 10 * time.Second

// maxMoves is how many other ports are tried when one is taken.
const maxMoves = 4

// Open asks the router to pass a TCP port on to internal on this machine, by PCP, else NAT-PMP, else UPnP. The port outside is
// the same if the router wants it so. The router must end it by itself after lifetime: one that knows no end is not used,
// because a port of ours must not outlive us.
func (g *Gateway) Open(ctx context.Context, internal uint16, lifetime time.Duration) (Opening, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.locate(); err != nil {
		return Opening{}, err
	}
	var errs []error
	for _, try := range []func(context.Context, uint16, time.Duration) (Opening, error){g.openPCP, g.openPMP, g.openUPnP} {
		o, err := try(ctx, internal, lifetime)
		if err == nil {
			o.Until = g.cfg.Now().Add(lifetime)
			return o, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return Opening{}, fmt.Errorf("opening a port on the router: %w", errors.Join(errs...))
}

func (g *Gateway) openPCP(ctx context.Context, internal uint16, lifetime time.Duration) (Opening, error) {
	nonce, at := newNonce(), g.at
	ask := func(ctx context.Context, external uint16, lifetime time.Duration) (got pcpReply, err error) {
		err = g.pcp(ctx, func(own netip.Addr) []byte {
			return pcpMapRequest(own, nonce, internal, external, lifetime)
		}, func(r pcpReply) error {
			if r.nonce != nonce || r.protocol != pcpTCP || r.internal != internal {
				return errNotAnswer
			}
			got = r
			return nil
		}, pcpMap)
		return got, err
	}
	reply, err := ask(ctx, internal, lifetime)
	if err != nil {
		return Opening{}, fmt.Errorf("by PCP: %w", err)
	}
	return Opening{External: reply.external, By: PCP, close: g.closer(at, func(ctx context.Context) error {
		_, err := ask(ctx, 0, 0)
		return err
	})}, nil
}

func (g *Gateway) openPMP(ctx context.Context, internal uint16, lifetime time.Duration) (Opening, error) {
	at := g.at
	reply, err := g.pmp(ctx, pmpMap(internal, internal, lifetime), pmpMapTCP)
	if err == nil && reply.internal != internal {
		err = errNotAnswer
	}
	if err != nil {
		return Opening{}, fmt.Errorf("by NAT-PMP: %w", err)
	}
	addr, err := g.pmp(ctx, []byte{pmpVersion, pmpAddress}, pmpAddress)
	if err != nil {
		addr.addr = netip.Addr{} // the port is open none the less
	}
	return Opening{External: netip.AddrPortFrom(addr.addr, reply.external), By: NATPMP, close: g.closer(at, func(ctx context.Context) error {
		_, err := g.pmp(ctx, pmpMap(internal, 0, 0), pmpMapTCP)
		return err
	})}, nil
}

// closer closes on the gateway that opened. One that is another by now has nothing of ours.
func (g *Gateway) closer(at netip.Addr, do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		now, err := g.locate()
		if errors.Is(err, ErrNoGateway) || err == nil && now != at {
			return nil
		}
		if err == nil {
			// Another question may have taken as long as the caller would wait; the port must be closed all the same.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
			defer cancel()
			err = do(ctx)
		}
		if err != nil {
			return fmt.Errorf("closing the port that was opened on the router: %w", err)
		}
		return nil
	}
}

// NewOpening makes one that a test, or another sort of router, has opened.
func NewOpening(external netip.AddrPort, end func(context.Context) error) Opening {
	return Opening{External: external, close: end}
}
