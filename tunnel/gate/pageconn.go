package gate

import (
	"net"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/waiter"
)

// pageConn is a phone's connection to a page, as its HTTP server holds it. gonet makes a net.Conn of the stack's endpoint,
// with deadlines; what is added is the flow's account: bytes that move are noted, the end of the flow ends the connection,
// and the end of the connection ends the flow.
type pageConn struct {
	*gonet.TCPConn
	gate          *Gate
	flow          *flow
	remote, local net.Addr // gonet forgets them with the connection

	mu     sync.Mutex
	state  pageState
	taken  chan struct{} // closed by whoever accepts it
	closed chan struct{} // closed by whoever closes it
}

type pageState uint8

const (
	pageWaits pageState = iota
	pageTaken
	pageClosed
)

func newPageConn(g *Gate, f *flow, phone tcpip.Endpoint, queue *waiter.Queue) *pageConn {
	return &pageConn{
		TCPConn: gonet.NewTCPConn(queue, phone), gate: g, flow: f,
		remote: net.TCPAddrFromAddrPort(f.key.phone), local: net.TCPAddrFromAddrPort(f.key.ours),
		taken: make(chan struct{}), closed: make(chan struct{}),
	}
}

// PeerOf says whose a connection is that Portal or Admin has accepted, also through what wraps it and says so with NetConn (as
// tls.Conn does). False: it is none of theirs.
func PeerOf(c net.Conn) (peerID string, ok bool) {
	for c != nil {
		switch x := c.(type) {
		case *pageConn:
			return x.flow.peer, true
		case interface{ NetConn() net.Conn }:
			c = x.NetConn()
		default:
			return "", false
		}
	}
	return "", false
}

// RemoteAddr is the phone's tunnel address and port.
func (c *pageConn) RemoteAddr() net.Addr { return c.remote }

// LocalAddr is our address and port as the phone has dialled them.
func (c *pageConn) LocalAddr() net.Addr { return c.local }

// Read implements net.Conn.
func (c *pageConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	c.moved(n)
	return n, err
}

// Write implements net.Conn.
func (c *pageConn) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	c.moved(n)
	return n, err
}

func (c *pageConn) moved(n int) {
	if n > 0 {
		c.flow.touch(c.gate.ledger.now())
	}
}

// Close implements net.Conn: what was written is still delivered, what waits for the phone wakes.
func (c *pageConn) Close() error {
	c.mu.Lock()
	was := c.state
	c.state = pageClosed
	c.mu.Unlock()
	if was == pageClosed {
		return net.ErrClosed
	}
	c.wake()
	close(c.closed)
	return c.TCPConn.Close()
}

// take says whether a connection may still be handed over; if so, it has been.
func (c *pageConn) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != pageWaits || c.flow.ctx.Err() != nil {
		return false
	}
	c.state = pageTaken
	close(c.taken)
	return true
}

// wake makes whoever reads or writes return now.
func (c *pageConn) wake() { _ = c.SetDeadline(time.Unix(1, 0)) }
