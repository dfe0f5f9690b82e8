package gateway

import (
	"context"
	"slices"
	"time"
)

// lookTime bounds a whole Look: finding, reading the table twice, and three protocols.
const lookTime = 45 * time.Second

// Look asks the router for all that it knows. The error is [ErrNoGateway], or that of ctx; a router that speaks nothing gives a
// picture in which nothing is spoken.
func (g *Gateway) Look(ctx context.Context) (Picture, error) {
	return g.ask(ctx, func(ctx context.Context, p *Picture) {
		known := g.devices
		g.forget() // what it is, and since when, is told by being found
		if !g.find(ctx, p) {
			g.devices = known // a packet may have been lost
		}
		g.readTables(ctx, p)
		g.askBoth(ctx, p)
	})
}

// Glance asks for little: who is outside at these TCP ports, and the address outside. It costs one or two small requests for
// each, and finds the services only if they are not known, or gone. What did not answer to the last Look, or
// to the first Glance, is not asked.
func (g *Gateway) Glance(ctx context.Context, ports ...uint16) (Picture, error) {
	return g.ask(ctx, func(ctx context.Context, p *Picture) {
		found := len(g.devices) > 0
		if found && g.restarted(ctx) {
			g.forget()
		}
		g.find(ctx, p)
		if !g.readEntries(ctx, p, ports) && found {
			g.forget()
			g.find(ctx, p)
			g.readEntries(ctx, p, ports)
		}
		if g.spoken == nil {
			g.askBoth(ctx, p)
			return
		}
		if slices.Contains(g.spoken, NATPMP) {
			g.askPMP(ctx, p)
		}
		if slices.Contains(g.spoken, PCP) {
			g.askPCP(ctx, p)
		}
	})
}

func (g *Gateway) askBoth(ctx context.Context, p *Picture) {
	g.askPMP(ctx, p)
	g.askPCP(ctx, p)
	if ctx.Err() == nil {
		g.spoken = append([]Protocol{}, p.Speaks...)
	}
}

func (g *Gateway) ask(ctx context.Context, question func(context.Context, *Picture)) (Picture, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, err := g.locate()
	if err != nil {
		return Picture{}, err
	}
	limited, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	p := Picture{Gateway: at}
	question(limited, &p)
	p.At = g.cfg.Now()
	return p, ctx.Err()
}
