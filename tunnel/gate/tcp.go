package gate

import (
	"context"
	"fmt"
	"math"
	"net"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// handshakeTimeout is how long a phone may take to finish a handshake that we have answered. gVisor itself would wait for
// two minutes. Ten seconds see the answer sent four times (0, 1, 3 and 7 s).
const handshakeTimeout = 10 * time.Second

// tcpHandler is what the stack asks about every TCP segment that belongs to no connection. Whether a SYN is admitted is
// decided here, in the goroutine of the phone that has sent it and before anything is made for it: a flood of them costs
// the phone its own time. The forwarder only ever sees admitted ones, so that its own limit, which is one for all phones, is
// none.
func (g *Gate) tcpHandler() func(stack.TransportEndpointID, *stack.PacketBuffer) bool {
	forwarder := tcp.NewForwarder(g.stack, g.sizes.small, math.MaxInt, g.acceptTCP)
	return func(id stack.TransportEndpointID, pkt *stack.PacketBuffer) bool {
		k := keyOf(TCP, id)
		if !isSYN(pkt) {
			return g.ledger.ask(k) != refuse
		}
		f, a := g.ledger.admitTCP(k, pkt.NICID)
		if a != carry {
			return a != refuse
		}
		if forwarder.HandlePacket(id, pkt) {
			return true
		}
		g.finish(f) // the segment is not even well-formed
		return false
	}
}

func isSYN(pkt *stack.PacketBuffer) bool {
	head := pkt.TransportHeader().Slice()
	if len(head) < header.TCPMinimumSize {
		return false
	}
	return header.TCP(head).Flags()&(header.TCPFlagSyn|header.TCPFlagAck) == header.TCPFlagSyn
}

// finish strikes a flow and lets go of what its context holds.
func (g *Gate) finish(f *flow) {
	f.end(errFinished)
	g.ledger.remove(f)
}

// acceptTCP is called by the forwarder, in a goroutine of its own, for a SYN that was admitted.
func (g *Gate) acceptTCP(r *tcp.ForwarderRequest) {
	f := g.ledger.awaited(keyOf(TCP, r.ID()))
	if f == nil { // ended already, to make room
		r.Complete(true)
		return
	}
	if !g.start(func() { g.serveTCP(r, f) }) {
		r.Complete(true)
		g.finish(f)
	}
}

// serveTCP is the whole life of a TCP flow. A page has no target. The target of every other service is dialled first, so that a phone whose service is down gets a reset
// instead of a connection that goes nowhere.
func (g *Gate) serveTCP(r *tcp.ForwarderRequest, f *flow) {
	defer g.finish(f)
	if p := g.pageOf(f.service); p != nil {
		g.servePage(r, f, p)
		return
	}
	target, err := g.dialer.dial(f.ctx, f.service)
	if err != nil {
		r.Complete(true)
		return
	}
	ep, queue, err := g.shakeHands(r, f)
	if err != nil {
		reset(target)
		r.Complete(true)
		return
	}
	r.Complete(false)
	c := newCarrier(g, f, ep, queue, target)
	if !g.ledger.opened(f) {
		c.abort()
		return
	}
	c.run()
}

// shakeHands finishes the handshake with the phone. It counts as pending for as long as that takes. CreateEndpoint cannot be
// interrupted, but the endpoint that it waits for can be aborted from outside.
func (g *Gate) shakeHands(r *tcp.ForwarderRequest, f *flow) (tcpip.Endpoint, *waiter.Queue, error) {
	if f.ctx.Err() != nil {
		return nil, nil, context.Cause(f.ctx)
	}
	id, done := r.ID(), make(chan struct{})
	defer close(done)
	abort := func() { g.abortHandshake(f, id, done) }
	timer := time.AfterFunc(g.handshake, abort)
	defer timer.Stop()
	defer context.AfterFunc(f.ctx, abort)()

	queue := new(waiter.Queue)
	ep, err := r.CreateEndpoint(queue)
	if err != nil {
		return nil, nil, fmt.Errorf("shaking hands with the phone: %s", err)
	}
	return ep, queue, nil
}

// abortHandshake aborts the endpoint of id, which may not even be made yet.
func (g *Gate) abortHandshake(f *flow, id stack.TransportEndpointID, done <-chan struct{}) {
	for {
		if ep := g.stack.FindTransportEndpoint(netProtocol(f.key), tcp.ProtocolNumber, id, f.nic); ep != nil {
			ep.Abort()
			return
		}
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func netProtocol(k key) tcpip.NetworkProtocolNumber {
	if k.phone.Addr().Is4() {
		return header.IPv4ProtocolNumber
	}
	return header.IPv6ProtocolNumber
}

// reset closes a connection to a target without waiting for anything, and in a way that the target sees as what it is.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
