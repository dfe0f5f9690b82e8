package gate

import (
	"context"
	"errors"
	"net"

	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// handleUDP is what the stack asks about every UDP datagram; false makes it answer port unreachable. No UDP socket is made in
// the stack: its queue would count the bytes of the datagrams in it and not the datagrams, so that a flood of empty ones
// would fill the memory. What a phone sends goes to the target's socket at once, or is dropped.
func (g *Gate) handleUDP(id stack.TransportEndpointID, pkt *stack.PacketBuffer) bool {
	if !isWhole(pkt) {
		return true
	}
	f, a := g.ledger.admitUDP(keyOf(UDP, id), pkt.NICID)
	switch a {
	case ignore:
		return true
	case refuse:
		return false
	case carry:
		if g.board.justRefused(f.service) || !g.start(func() { g.serveUDP(f) }) {
			g.finish(f)
			return false
		}
	case ongoing:
	}
	f.touch(g.ledger.now())
	f.relay.send(pkt.Data().AsRange().ToSlice())
	return true
}

// isWhole checks a datagram as RFC 768 and RFC 8200, section 8.1 ask, and cuts off what does not belong to it.
func isWhole(pkt *stack.PacketBuffer) bool {
	head := header.UDP(pkt.TransportHeader().Slice())
	if len(head) < header.UDPMinimumSize {
		return false
	}
	data, net := pkt.Data(), pkt.Network()
	if int(head.Length()) > len(head)+data.Size() || int(head.Length()) < header.UDPMinimumSize {
		return false
	}
	data.CapLength(int(head.Length()) - header.UDPMinimumSize)
	_, sumOK := header.UDPValid(head, func() uint16 { return data.Checksum() }, uint16(data.Size()),
		pkt.NetworkProtocolNumber, net.SourceAddress(), net.DestinationAddress(), pkt.RXChecksumValidated)
	return sumOK
}

// serveUDP is the whole life of a UDP flow: it dials the target and passes on what comes from there.
func (g *Gate) serveUDP(f *flow) {
	defer g.finish(f)
	c, err := g.dialer.dial(f.ctx, f.service)
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(f.ctx, func() { _ = c.Close() })()
	if !g.ledger.opened(f) {
		return
	}
	back, err := newReturn(g.stack, f.nic, f.key)
	if err != nil {
		return
	}
	defer back.release()
	raw, err := c.(*net.UDPConn).SyscallConn()
	if err != nil {
		return
	}
	f.relay.connect(raw)
	for {
		datagram, n, err := readWhenReady(raw, g.datagrams)
		if err == nil {
			f.touch(g.ledger.now())
			g.board.answered(f.service)
			back.send((*datagram)[:n])
		}
		if datagram != nil {
			g.datagrams.put(datagram)
		}
		if err != nil {
			g.failedUDP(f, c, err)
			return
		}
	}
}

// failedUDP tells the board that the target has refused us (ICMP port unreachable); any other failure says nothing about it.
func (g *Gate) failedUDP(f *flow, c net.Conn, err error) {
	if f.ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
		g.board.failed(f.service, explain(c.RemoteAddr().String(), err), err)
	}
}
