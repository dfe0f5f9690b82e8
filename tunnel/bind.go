package tunnel

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"golang.zx2c4.com/wireguard/conn"
)

// This file is our end of the path control: a witness that looks at us from outside sends one datagram with a nonce to the
// tunnel's port, before and after it looks, and its silence in between means something only if both arrive. The datagram
// is no WireGuard message (those begin with a number from 1 to 4). Whoever does not know what we expect sees what
// WireGuard shows to everybody who has no key: nothing.

const (
	pathWord = "hearthgate path\n" // 16 bytes
	pathSize = len(pathWord) + 32
)

// maxExpected nonces wait at a time; a round has two for each family and witness. The oldest is forgotten for the next.
const maxExpected = 64

// paths are the nonces that are expected.
type paths struct {
	mu       sync.Mutex
	expected []expectation
}

type expectation struct {
	nonce   [32]byte
	arrived chan netip.AddrPort
}

// Expect announces a nonce that a witness will send to the tunnel's UDP port in a datagram of its own. The channel gets
// the sender's address, IPv4 never in its IPv6-mapped form; it is never closed. stop forgets the nonce. Before Run and
// after it nothing arrives.
func (s *Server) Expect(nonce [32]byte) (arrived <-chan netip.AddrPort, stop func()) {
	return s.paths.expect(nonce)
}

func (p *paths) expect(nonce [32]byte) (<-chan netip.AddrPort, func()) {
	e := expectation{nonce, make(chan netip.AddrPort, 4)} // a network may double a datagram
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.expected) >= maxExpected {
		p.expected = append(p.expected[:0], p.expected[1:]...)
	}
	p.expected = append(p.expected, e)
	return e.arrived, func() { p.forget(e) }
}

func (p *paths) forget(gone expectation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range p.expected {
		if e.arrived == gone.arrived {
			p.expected = append(p.expected[:i], p.expected[i+1:]...)
			return
		}
	}
}

// arrived tells whoever expects the nonce; anybody else's is dropped without a word.
func (p *paths) arrived(nonce [32]byte, from conn.Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.expected {
		if e.nonce != nonce {
			continue
		}
		select {
		case e.arrived <- sender(from):
		default:
		}
	}
}

func sender(from conn.Endpoint) netip.AddrPort {
	at, _ := netip.ParseAddrPort(from.DstToString())
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// bind is wireguard-go's own, which keeps our datagrams from the device.
type bind struct {
	conn.Bind
	paths *paths
}

func newBind(p *paths) *bind { return &bind{conn.NewDefaultBind(), p} }

// Open wraps what receives. A packet costs one comparison of its size.
func (b *bind) Open(port uint16) ([]conn.ReceiveFunc, uint16, error) {
	receivers, actual, err := b.Bind.Open(port)
	for i, receive := range receivers {
		receivers[i] = b.watch(receive)
	}
	return receivers, actual, err
}

func (b *bind) watch(receive conn.ReceiveFunc) conn.ReceiveFunc {
	return func(packets [][]byte, sizes []int, from []conn.Endpoint) (int, error) {
		n, err := receive(packets, sizes, from)
		for i, size := range sizes[:n] {
			if size == pathSize && string(packets[i][:len(pathWord)]) == pathWord {
				b.paths.arrived([32]byte(packets[i][len(pathWord):pathSize]), from[i])
				sizes[i] = 0 // the device passes over empty ones (conn.ReceiveFunc)
			}
		}
		return n, err
	}
}

// Send sends, and once more from whatever address the kernel chooses where the one that a phone last wrote to cannot be sent
// from any more: the line was given another. For its own bind alone the device listens to changes of routes and forgets such
// addresses by itself (startRouteListener). Where the kernel joins datagrams (UDP_GRO, since Linux 5.12) that bind remembers no
// address at all, and the kernel always chooses.
func (b *bind) Send(packets [][]byte, to conn.Endpoint) error {
	err := b.Bind.Send(packets, to)
	at, ours := to.(*conn.StdNetEndpoint)
	if err == nil || !ours || !at.SrcIP().IsValid() || errors.Is(err, net.ErrClosed) || errors.As(err, new(conn.ErrUDPGSODisabled)) {
		return err
	}
	// Another endpoint, because somebody else may be reading this one. What was sent already, phones drop as repeated.
	return b.Bind.Send(packets, &conn.StdNetEndpoint{AddrPort: at.AddrPort})
}
