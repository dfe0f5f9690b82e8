// Package gate decides what a phone reaches through the tunnel, and carries it there.
//
// It keeps true that a phone reaches the services that its list names and nothing else, by construction: the tunnel ends in
// a network stack in this process that has no way out; the gate answers every connection of a phone that asks for a
// service of its own, makes a connection of its own to that service's target, and moves bytes between the two. Everything
// else is refused at once (a reset, port unreachable), so that apps fail fast. No service's target is ever this appliance
// itself, whatever its name means at the moment of the dial; what phones reach of it are its two pages, which are not
// dialled. What one phone opens is bounded, so that it cannot use up what the others need. And the policy is a level:
// SetPolicy says what holds now, flows that it no longer admits end, all others stay.
//
// Its nouns: a service has a name, a target and a port of its own in the tunnel; a page is a service that ends in this
// process, whose connections are handed to its HTTP server: the portal, which every peer has, and the admin page, which has
// addresses of its own and is for those whose list names it; the policy is the services and what each peer may have; a flow
// is one TCP connection or one UDP conversation of a phone; a peer's account is what it has open, whichever of its addresses
// it comes from; the carrier moves a flow's bytes; the guard looks at each address that is dialled.
//
// It never looks into what it carries, never waits for a whole body, never tells a target who the phone is (a page's server
// asks PeerOf), never lets a phone reach another phone, and never finds out by itself where Home Assistant is: it asks at
// every dial.
package gate

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// Config is what the gate needs to know from others. The functions are called from many goroutines at once.
type Config struct {
	Log *slog.Logger // nil: nothing is logged

	// HomeAssistant gives where Home Assistant is now, as HOST:PORT, or a sentence that says why nobody knows. It is called at
	// every dial to the home-assistant service. Nil: never known.
	HomeAssistant func() (string, error)

	// OwnPorts gives the ports that this appliance itself listens on now; no service reaches them. Nil: none.
	OwnPorts func() []OwnPort

	// OwnAddresses gives all addresses of all interfaces of this machine now. When they cannot be had, whatever could be one of
	// them is refused on a port of ours. Nil is as if they could not be had.
	OwnAddresses func() ([]netip.Addr, error)

	// IsOwn asks the kernel whether a packet to an address would come back to this machine: local routes know more addresses
	// than the interfaces have. An error counts as a yes. Nil: only OwnAddresses are known.
	IsOwn func(netip.Addr) (bool, error)

	// TunnelNetworks are the networks of the phones; no service reaches them.
	TunnelNetworks []netip.Prefix

	// Resolver looks up the names in targets. Nil: the system's.
	Resolver *net.Resolver
}

// Gate is one gate on one stack. Its methods may be called from any goroutine.
type Gate struct {
	log    *slog.Logger
	ledger *ledger
	board  *board
	dialer *dialer
	stack  *stack.Stack
	sizes  sizes // of the stack's buffers

	chunks    *pool // for the carriers
	datagrams *pool // for UDP; of the size of the largest datagram

	portal, admin *page

	handshake time.Duration // how long a phone may take to finish one
	taken     time.Duration // how long a page's connection waits to be accepted

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // one for each flow, and the sweeper
	stop   chan struct{}
}

// New makes a gate that admits nothing yet.
func New(cfg Config) *Gate {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	board := newBoard(time.Now, cfg.Log)
	return &Gate{
		log:    cfg.Log,
		ledger: newLedger(time.Now, cfg.Log),
		board:  board,
		dialer: &dialer{homeAssistant: cfg.HomeAssistant, resolver: cfg.Resolver, board: board, guard: newGuard(cfg)},
		stop:   make(chan struct{}),

		chunks:    newPool(chunkSize),
		datagrams: newPool(datagramSize),
		portal:    newPage(),
		admin:     newPage(),
		handshake: handshakeTimeout,
		taken:     pageTakenWithin,
	}
}

// Attach makes the gate answer the TCP connections and UDP datagrams that reach s and that nobody in s listens for. It is
// called once, before packets flow, because the stack reads its handlers without a lock. The admin page is at the admin
// addresses and nothing else is; without one there is no admin page.
func (g *Gate) Attach(s *stack.Stack, admin ...netip.Addr) {
	g.stack, g.sizes = s, sizesOf(s)
	g.ledger.setAdmin(admin)
	s.SetTransportProtocolHandler(tcp.ProtocolNumber, g.tcpHandler())
	s.SetTransportProtocolHandler(udp.ProtocolNumber, g.handleUDP)
	g.start(g.sweep)
}

// start runs f as work that Close waits for, unless the gate is closed.
func (g *Gate) start(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.work.Go(f)
	return true
}

var errClosing = errors.New("the gate is closing")

// Close ends all flows, closes the pages' listeners, admits nothing any more and returns when nothing of the gate runs. It
// comes before the end of the tunnel, so that the phones are told. It may be called again.
func (g *Gate) Close() {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.stop)
	}
	g.mu.Unlock()
	_, _ = g.portal.Close(), g.admin.Close()
	g.SetPolicy(Policy{})
	for _, f := range g.ledger.all() {
		f.end(errClosing)
	}
	g.work.Wait()
}

// sweepEvery is how often flows are looked over for those that have been idle too long: small beside the shortest of the
// times that it watches, five minutes.
const sweepEvery = 15 * time.Second

func (g *Gate) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.stop:
			return
		case <-tick.C:
			for _, f := range g.ledger.stale() {
				f.end(errIdle)
			}
		}
	}
}

// SetPolicy says what is admitted from now on. Flows that it does not admit end at once, with a reset to the phone and to
// the target: their peer or its address is gone, the service is off the peer's list, or the service is gone, points
// elsewhere or has another port. All others stay as they are. Setting the same policy again changes nothing.
func (g *Gate) SetPolicy(p Policy) {
	g.board.keep(p.Services)
	for _, f := range g.ledger.setPolicy(p) {
		f.end(errNotAdmitted)
	}
}

// Status says how the services of the policy are, in its order.
func (g *Gate) Status() []ServiceStatus {
	return g.board.status(g.ledger.flowsByService())
}

// Flows says how many TCP connections and UDP conversations a peer has open.
func (g *Gate) Flows(peerID string) (tcp, udp int) {
	return g.ledger.count(peerID)
}
