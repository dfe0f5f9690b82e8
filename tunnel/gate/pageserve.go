package gate

import (
	"context"
	"errors"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

var errNotTaken = errors.New("nobody serves the page")

// servePage is the whole life of a flow to a page, from the phone's SYN to its last acknowledgement.
func (g *Gate) servePage(r *tcp.ForwarderRequest, f *flow, p *page) {
	if !p.isServed() {
		g.notServed(f)
		r.Complete(true)
		return
	}
	ep, queue, err := g.shakeHands(r, f)
	if err != nil {
		r.Complete(true)
		return
	}
	r.Complete(false)
	ep.SocketOptions().SetReceiveBufferSize(int64(g.sizes.small), true)
	ep.SocketOptions().SetSendBufferSize(int64(g.sizes.small), true)
	c := newPageConn(g, f, ep, queue)
	abort := func() {
		ep.Abort()
		c.wake()
	}
	defer context.AfterFunc(f.ctx, abort)()
	if !g.ledger.opened(f) || !p.offer(c) {
		abort()
		return
	}
	c.live(p)
	if f.ctx.Err() != nil {
		abort() // AfterFunc may not have begun, and does not begin once it is stopped
		return
	}
	g.ledger.drained(f)
	drain(f, ep, queue)
}

// live waits until the connection has been closed or its flow has ended.
func (c *pageConn) live(p *page) {
	timer := time.NewTimer(c.gate.taken)
	defer timer.Stop()
	select {
	case <-c.taken:
		c.gate.board.answered(c.flow.service)
	case <-c.flow.ctx.Done():
		return
	case <-p.done:
		c.giveUp(errClosing)
	case <-timer.C:
		c.giveUp(errNotTaken)
	}
	select {
	case <-c.closed:
	case <-c.flow.ctx.Done():
	}
}

// giveUp ends a connection that nobody has taken; one that was taken in this very moment goes on.
func (c *pageConn) giveUp(cause error) {
	c.mu.Lock()
	waits := c.state == pageWaits
	if waits {
		c.state = pageClosed
	}
	c.mu.Unlock()
	if waits {
		c.flow.end(cause)
		c.gate.notServed(c.flow)
	}
}

// notServed tells the board that nobody answers for a page.
func (g *Gate) notServed(f *flow) {
	g.board.failed(f.service, "its page is not being served", errNotTaken)
}
