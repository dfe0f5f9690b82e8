package tunnel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/tunnel/gate"
	"github.com/hearthgate/hearthgate/tunnel/link"
)

// Registry is what the tunnel needs of the peers room.
type Registry interface {
	Server() (peers.Server, error)
	// Allowed lists the pairs that may come in now.
	Allowed() ([]peers.Access, error)
	// Sweep ends what has run out and says when to sweep next, by the monotonic clock.
	Sweep() (time.Time, error)
	// Seen tells that a pair's handshake was completed.
	Seen(peerID string, pub key.Public, at time.Time) error
	Watch() (<-chan struct{}, func())
}

// Services is what the tunnel needs of the list of services.
type Services interface {
	List() ([]gate.Service, error)
	Watch() (<-chan struct{}, func())
}

// Config is what a Server is made of. All fields but Interface are required.
type Config struct {
	ListenPort uint16 // UDP; 0 lets the kernel choose
	Registry   Registry
	Services   Services
	Gate       *gate.Gate
	Journal    *journal.Journal
	Interface  string // name under which `wg show` finds us where the process may make the socket; empty: none
	Log        *slog.Logger
}

// ErrPortInUse is returned by Run when another program has the UDP port.
var ErrPortInUse = errors.New("UDP port is in use by another program")

// MTU of packets inside the tunnel, in bytes. Both official apps set 1280 when a config names none (ours names none),
// and 1280 is what every IPv6 path must carry (RFC 8200, section 5); anything longer could not be delivered.
const MTU = 1280

// Server is the WireGuard server. Make it with New, start it with Run.
type Server struct {
	cfg   Config
	ready chan struct{}
	syncs chan chan<- struct{}

	mu     sync.Mutex
	dev    *device.Device // nil unless running
	access []peers.Access // what the device was last set to
	watch  watch
	socket string // path of the UAPI socket; empty when there is none

	paths paths // what witnesses send to our port

	port atomic.Uint32 // that we listen on; asked at every dial of the gate, so it is not read out of the device
}

// New returns a server that is not yet started.
func New(cfg Config) *Server {
	return &Server{cfg: cfg, ready: make(chan struct{}), syncs: make(chan chan<- struct{}), watch: newWatch()}
}

// Ready is closed once the server listens.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Run serves until ctx ends, then closes everything that it opened and returns nil. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	server, err := s.cfg.Registry.Server()
	if err != nil {
		return err
	}
	st, lnk, err := newStack(server)
	if err != nil {
		return fmt.Errorf("starting the tunnel: %w", err)
	}
	defer st.Destroy()
	// The stack reads its handlers without a lock: the gate stands before the first packet can come.
	s.cfg.Gate.Attach(st, server.Admin4, server.Admin6)
	dev := device.NewDevice(lnk, newBind(&s.paths), s.deviceLogger())
	defer dev.Close()
	// The gate's flows use the stack: they end before it does (deferred calls run last in, first out).
	defer s.cfg.Gate.Close()
	if err := s.listen(dev, server); err != nil {
		return err
	}

	s.mu.Lock()
	s.dev = dev
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.dev = nil
		s.mu.Unlock()
		s.port.Store(0)
	}()
	d, err := s.Device()
	if err != nil {
		return err
	}
	s.port.Store(uint32(d.ListenPort))
	defer s.serveUAPI(dev)()
	return s.loop(ctx)
}

func newStack(server peers.Server) (*stack.Stack, *link.Link, error) {
	four, six := server.Network4.Bits(), server.Network6.Bits()
	return link.NewStack(MTU,
		netip.PrefixFrom(server.Address4, four), netip.PrefixFrom(server.Address6, six),
		netip.PrefixFrom(server.Admin4, four), netip.PrefixFrom(server.Admin6, six))
}

func (s *Server) listen(dev *device.Device, server peers.Server) error {
	port, private := int(s.cfg.ListenPort), deviceKey(server.PrivateKey)
	err := dev.IpcSet(encodeUAPI(wgtypes.Config{PrivateKey: &private, ListenPort: &port}))
	if err == nil {
		err = dev.Up()
	}
	if errors.Is(err, syscall.EADDRINUSE) || strings.Contains(fmt.Sprint(err), "address already in use") {
		return portInUse(s.cfg.ListenPort)
	}
	if err != nil {
		return fmt.Errorf("listening for phones on UDP port %d: %w", port, err)
	}
	return nil
}

// PortFree tells whether the server could listen on a UDP port now, without anything being made: ErrPortInUse when it could
// not. A port that is taken in the next moment Run will tell.
func PortFree(ctx context.Context, port uint16) error {
	for _, network := range []string{"udp4", "udp6"} {
		var lc net.ListenConfig
		c, err := lc.ListenPacket(ctx, network, fmt.Sprintf(":%d", port))
		if errors.Is(err, syscall.EADDRINUSE) {
			return portInUse(port)
		}
		if err == nil {
			c.Close()
		}
	}
	return nil
}

func portInUse(port uint16) error {
	return fmt.Errorf("listening for phones: %w: %d; stop that program (perhaps another WireGuard), or choose another"+
		" port with --listen-port", ErrPortInUse, port)
}

// loop keeps the device equal to the peers and watches for handshakes.
func (s *Server) loop(ctx context.Context) error {
	peersChanged, stopPeers := s.cfg.Registry.Watch()
	defer stopPeers()
	servicesChanged, stopServices := s.cfg.Services.Watch()
	defer stopServices()
	// A second is how soon a person who scans a code expects to read "connected", and how late an end may be.
	tick := time.NewTicker(time.Second)
	defer tick.Stop()

	wall := newWallClock(time.Now())
	var leaving <-chan time.Time // armed while somebody has to leave the device
	next, err := s.update(&leaving)
	if err != nil {
		return err
	}
	close(s.ready)
	for {
		due := false
		select {
		case <-ctx.Done():
			return nil
		case <-peersChanged:
			due = true
		case <-servicesChanged:
			due = true
		case done := <-s.syncs:
			next, err = s.update(&leaving)
			close(done)
		case <-leaving:
			leaving = nil
			err = s.setDevice(all)
		case now := <-tick.C:
			s.look()
			due = !now.Before(next) || wall.jumped(now)
		}
		if due {
			next, err = s.update(&leaving)
		}
		if err != nil {
			return err
		}
	}
}

// Sync returns when what the registry and the services say at this moment is in force: whoever was let in can come in, and
// whoever was shut out has lost every connection. It does not wait longer than ctx, nor for a server that does not run.
func (s *Server) Sync(ctx context.Context) {
	done := make(chan struct{})
	select {
	case s.syncs <- done:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// parting is how long a peer stays in the device after the gate has shut it out: a moment for the resets of its
// connections to be encrypted and sent, and, where a phone's last word was on its way, for its kernel to repeat it (after
// 200 ms, Linux's TCP_RTO_MIN) and to get its reset. Without them its apps would wait for minutes on connections that are dead.
const parting = 500 * time.Millisecond

// update ends what has run out, then makes the gate and the device what the peers and services say. What has to leave
// the device leaves when the timer fires; one that runs already is not put off by what changes meanwhile.
func (s *Server) update(leaving *<-chan time.Time) (next time.Time, err error) {
	if next, err = s.cfg.Registry.Sweep(); err != nil {
		// Allowed denies what has run out all the same, so this stops nobody's phone and lets nobody in.
		s.cfg.Log.Warn("sweep failed", "error", err)
	}
	if err := s.setGate(); err != nil {
		return next, err
	}
	if *leaving == nil {
		*leaving = time.After(parting)
	}
	return next, s.setDevice(arrivals)
}

// wallClock notices when the wall clock is set: what ends at a date may then be due at once.
type wallClock struct{ last time.Time }

func newWallClock(now time.Time) *wallClock { return &wallClock{now} }

// jumped tells whether the wall clock went on by another second or more than the monotonic clock since the last call.
func (w *wallClock) jumped(now time.Time) bool {
	wall := now.Round(0).Sub(w.last.Round(0)) // Round strips the monotonic reading
	steady := now.Sub(w.last)
	w.last = now
	return (wall - steady).Abs() >= time.Second
}

// setGate tells the gate the policy. It comes before the device: whoever loses access loses it here at once, whatever the
// device still holds.
func (s *Server) setGate() error {
	access, err := s.cfg.Registry.Allowed()
	if err != nil {
		return err
	}
	services, err := s.cfg.Services.List()
	if err != nil {
		return err
	}
	s.cfg.Gate.SetPolicy(policy(access, services))
	s.mu.Lock()
	s.access = access
	s.mu.Unlock()
	return nil
}

// setDevice makes the device what it should be, or as much of it as part says.
func (s *Server) setDevice(part func(wgtypes.Config) wgtypes.Config) error {
	server, err := s.cfg.Registry.Server()
	if err != nil {
		return err
	}
	have, err := s.Device()
	if err != nil {
		return err
	}
	cfg, differs := reconcile(have, desired{privateKey: server.PrivateKey, access: s.access})
	if !differs {
		return nil
	}
	if err := s.dev.IpcSet(encodeUAPI(part(cfg))); err != nil {
		return fmt.Errorf("setting the WireGuard device: %w", err)
	}
	return nil
}

// policy turns pairs into what the gate enforces: both pairs of a peer that is being rekeyed stand under one policy.
func policy(access []peers.Access, services []gate.Service) gate.Policy {
	p := gate.Policy{Services: services}
	index := make(map[string]int, len(access))
	for _, a := range access {
		i, ok := index[a.PeerID]
		if !ok {
			i = len(p.Peers)
			index[a.PeerID] = i
			p.Peers = append(p.Peers, gate.PeerPolicy{ID: a.PeerID, Services: a.Services})
		}
		p.Peers[i].Addresses = append(p.Peers[i].Addresses, a.Pair.IPv4, a.Pair.IPv6)
	}
	return p
}

// Device is the WireGuard device as it is now, in wgctrl's words.
func (s *Server) Device() (*wgtypes.Device, error) {
	s.mu.Lock()
	dev := s.dev
	s.mu.Unlock()
	if dev == nil {
		return nil, errors.New("reading the WireGuard device: the tunnel is not running")
	}
	text, err := dev.IpcGet()
	if err != nil {
		return nil, fmt.Errorf("reading the WireGuard device: %w", err)
	}
	d, err := decodeUAPI(text)
	if err != nil {
		return nil, err
	}
	d.Name = s.cfg.Interface
	return d, nil
}

// ListenPort is the UDP port that the server really listens on; 0 while it does not run.
func (s *Server) ListenPort() uint16 { return uint16(s.port.Load()) }

// deviceLogger passes wireguard-go's lines on at debug: they speak of single handshakes.
func (s *Server) deviceLogger() *device.Logger {
	return &device.Logger{
		Verbosef: func(format string, args ...any) {
			if s.cfg.Log.Enabled(context.Background(), slog.LevelDebug) {
				s.cfg.Log.Debug("wireguard", "line", fmt.Sprintf(format, args...))
			}
		},
		Errorf: func(format string, args ...any) {
			s.cfg.Log.Debug("wireguard error", "line", fmt.Sprintf(format, args...))
		},
	}
}
