package witness

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// road is a way to the home: routers that tell when a packet dies, at 1, 2, ... away, and a router of the witness's own network that
// swallows packets to some ports.
type road struct {
	tells   []bool // of the router at that distance, from 1 on
	wall    int    // distance of the router that swallows; 0: the witness's own machine
	walled  map[uint16]bool
	answers error // of the home, to what gets there; nil: silence
	rejects error // of the wall; nil: silence
}

func (r *road) dial(ctx context.Context, _ netip.Addr, to netip.AddrPort, hops int) (net.Conn, error) {
	reaches := hops
	if hops == 0 || hops > len(r.tells) {
		reaches = len(r.tells) + 1
	}
	// A router looks at how far a packet may go before it looks at where it goes (ip_forward in Linux).
	swallowed := r.walled[to.Port()] && reaches > r.wall
	switch {
	case swallowed && r.rejects != nil:
		return nil, r.rejects
	case swallowed:
	case reaches > len(r.tells):
		if r.answers != nil {
			return nil, r.answers
		}
	case r.tells[reaches-1]:
		return nil, syscall.EHOSTUNREACH
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestReach(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for name, c := range map[string]struct {
		road road
		want map[uint16]health.Control
	}{
		"an open road": {
			road{tells: []bool{yes, yes, no, yes}}, map[uint16]health.Control{8123: health.Held, 443: health.Held},
		},
		"the machine itself lets 8123 not out": {
			road{tells: []bool{yes, yes}, walled: map[uint16]bool{8123: true}}, map[uint16]health.Control{8123: health.Failed, 443: health.Held},
		},
		"the second router swallows 8123": {
			road{tells: []bool{yes, yes, yes, no}, wall: 2, walled: map[uint16]bool{8123: true}},
			map[uint16]health.Control{8123: health.Failed, 443: health.Held},
		},
		"the second router resets 8123": {
			road{tells: []bool{yes, yes, yes}, wall: 2, walled: map[uint16]bool{8123: true}, rejects: syscall.ECONNREFUSED},
			map[uint16]health.Control{8123: health.Failed, 443: health.Held},
		},
		"the second router rejects 8123": {
			road{tells: []bool{yes, yes, yes}, wall: 2, walled: map[uint16]bool{8123: true}, rejects: syscall.EHOSTUNREACH},
			map[uint16]health.Control{8123: health.Failed, 443: health.Held},
		},
		"routers that say nothing": {
			road{tells: []bool{no, no}}, map[uint16]health.Control{8123: health.NotTried, 443: health.NotTried},
		},
		"a home that rejects": {
			road{tells: []bool{yes, no, yes}, answers: syscall.EHOSTUNREACH}, map[uint16]health.Control{8123: health.NotTried, 443: health.NotTried},
		},
		"a home that resets": {
			road{tells: []bool{yes, yes}, answers: syscall.ECONNREFUSED}, map[uint16]health.Control{8123: health.Held, 443: health.Held},
		},
	} {
		b := startBench(t, func(c *Config) {
			c.Pace.Attempt, c.Pace.Hop = 20*time.Millisecond, 20*time.Millisecond
			c.Decoy = func() uint16 { return 50000 }
		})
		b.server.dial = c.road.dial
		a, err := b.look(t, Question{Targets: portsOf(8123, 443)})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range a.Results {
			if r.Reach != c.want[r.Port] {
				t.Errorf("%s: reach of %d is %s, want %s (%s, %s)", name, r.Port, r.Reach, c.want[r.Port], r.State, r.Why)
			}
		}
	}
}

func TestAPortThatThisMachineForbids(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	b.server.dial = func(context.Context, netip.Addr, netip.AddrPort, int) (net.Conn, error) { return nil, syscall.EPERM }
	a, err := b.look(t, Question{Targets: portsOf(8123)})
	if err != nil || a.Results[0].Reach != health.Failed || a.Results[0].State != health.PortFiltered {
		t.Errorf("%+v, %v", a.Results, err)
	}
}
