package witness

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"github.com/hearthgate/hearthgate/health"
)

// The control of reach: a network that lets no packet to port 8123 out makes every home look closed. It shows in packets that may
// pass only so many routers: the router at which one dies says so, and the connect that waits for it ends with EHOSTUNREACH. Routers
// that are heard when the packet was for a port that nobody filters, and not when it was for 8123, tell that something nearer
// swallowed it.

// reachAll sets Reach of all that were asked for, at the caller's own address or another of its network: the way out is the same.
func (e *session) reachAll(ctx context.Context, asked, extra []*try) {
	all := slices.Concat(asked, extra)
	silent, reset := make(map[uint16][]*try), make(map[uint16][]*try)
	for _, t := range asked {
		switch {
		case t.local:
			t.Reach = health.Failed
		case t.State == health.PortOpen:
			t.Reach = health.Held // it was reached
		case t.State == health.PortClosed:
			t.Reach = health.Held // by somebody; see below
			reset[t.Port] = append(reset[t.Port], t)
		case t.Why == health.NoAnswer:
			silent[t.Port] = append(silent[t.Port], t)
		case t.Why == health.Rejected && slices.ContainsFunc(all, t.besides):
			t.Reach = health.Failed
		default: // an ICMP error looks like a router's at which the packet died
		}
	}
	if len(silent)+len(reset) == 0 {
		return
	}
	hops, decoy := e.hops(ctx)
	if len(hops) == 0 {
		return
	}
	for _, port := range slices.Sorted(maps.Keys(reset)) {
		if e.probe(ctx, port, hops[0]) == refused { // by somebody who is nearer than the home
			for _, t := range reset[port] {
				t.Reach = health.Failed
			}
		}
	}
	for port, reach := range e.reaches(ctx, slices.Sorted(maps.Keys(silent)), hops, decoy) {
		for _, t := range silent[port] {
			t.Reach = reach
		}
	}
}

// hops are the distances at which a router is heard on the way to a port that nobody filters, the farthest first. The list ends
// before the place from which every packet, however far it may go, is answered with an error: there somebody rejects it.
func (e *session) hops(ctx context.Context) (distances []int, port uint16) {
	port = e.cfg.Decoy()
	heard := make([]bool, farthest+1)
	var group sync.WaitGroup
	for n := 1; n <= farthest; n++ {
		group.Go(func() { heard[n] = e.dies(ctx, port, n) })
	}
	group.Wait()
	if heard[farthest] { // twenty routers and more, or somebody who rejects: they look alike
		last := slices.Index(heard[1:], false)
		if last < 0 {
			return nil, port
		}
		for n := farthest; heard[n]; n-- {
			heard[n] = false
		}
	}
	for n := farthest; n >= 1; n-- {
		if heard[n] {
			distances = append(distances, n)
		}
	}
	return distances, port
}

// reachTries is how many packets may get lost on the way, or hit a router that is tired of telling.
const reachTries = 3

// reaches tells of each port whether packets to it get as far as others: to the farthest router that was heard. One that is
// nearer would not do, because it may be the very one that swallows what is to go on (it looks first at how far). Routers send few
// such errors, so one packet at a time is sent to die. A port fails only if that router is still heard with the other port
// afterwards.
func (e *session) reaches(ctx context.Context, ports []uint16, hops []int, decoy uint16) map[uint16]health.Control {
	out := make(map[uint16]health.Control)
	for range reachTries {
		for _, port := range ports {
			if out[port] == health.Held {
				continue
			}
			if pause(ctx, e.cfg.Pace.HopGap) != nil {
				return out
			}
			if e.dies(ctx, port, hops[0]) {
				out[port] = health.Held
			}
		}
	}
	if len(out) == len(ports) {
		return out
	}
	still := false
	for range 2 {
		still = still || pause(ctx, e.cfg.Pace.HopGap) == nil && e.dies(ctx, decoy, hops[0])
	}
	for _, port := range ports {
		if out[port] != health.Held && still && ctx.Err() == nil {
			out[port] = health.Failed
		}
	}
	return out
}

// besides tells whether another port at the same address is silent. A home that rejects what it does not want rejects all of it; if one
// port alone is rejected, that may be the work of the witness's own network.
func (t *try) besides(o *try) bool { return o.Address == t.Address && o.Why == health.NoAnswer }

// dies tells whether a packet that may pass n routers is heard to die on the way.
func (e *session) dies(ctx context.Context, port uint16, n int) bool {
	return e.probe(ctx, port, n) == rejected
}

// probe sends a packet that may pass n routers.
func (e *session) probe(ctx context.Context, port uint16, n int) outcome {
	if !e.meter.spend(hopCost) {
		return silence
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Pace.Hop)
	defer cancel()
	conn, err := e.dial(ctx, e.own, netip.AddrPortFrom(e.from, port), n)
	if err == nil {
		_ = conn.Close()
		return connected
	}
	switch {
	case errors.Is(err, syscall.EHOSTUNREACH):
		return rejected
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	default:
		return silence
	}
}
