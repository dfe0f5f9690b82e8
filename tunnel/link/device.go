package link

import (
	"os"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// Read implements tun.Device: it waits for an outbound packet and gives it with as many of the following ones as are there
// and fit into bufs. After Close it gives os.ErrClosed.
func (l *Link) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	if len(bufs) == 0 {
		return 0, nil
	}
	pkt := l.out.get()
	if pkt == nil {
		return 0, os.ErrClosed
	}
	n := 0
	for pkt != nil {
		sizes[n] = unload(pkt, bufs[n][offset:])
		n++
		if n == len(bufs) {
			break
		}
		pkt = l.out.more()
	}
	return n, nil
}

// unload copies a packet into b, gives its length and lets go of it. One that does not fit is skipped as an empty one.
func unload(pkt *stack.PacketBuffer, b []byte) int {
	defer pkt.DecRef()
	if pkt.Size() > len(b) {
		return 0
	}
	n := 0
	for _, part := range pkt.AsSlices() {
		n += copy(b[n:], part)
	}
	return n
}

// Write implements tun.Device: it takes what came from the phones, and says that it took all of it. A packet that is not
// to be had gives no error, because wireguard-go would log one for each. After Close it gives os.ErrClosed.
func (l *Link) Write(bufs [][]byte, offset int) (int, error) {
	if l.out.closed() {
		return 0, os.ErrClosed
	}
	for _, b := range bufs {
		if offset < len(b) {
			l.receive(b[offset:])
		}
	}
	return len(bufs), nil
}

// receive does with one inbound packet what judge says.
func (l *Link) receive(b []byte) {
	p, ok := parse(b)
	if !ok {
		return
	}
	switch l.judge(p) {
	case admit:
		l.deliver(p)
	case prohibit:
		l.refuse(p)
	case discard:
	}
}

// deliver hands a packet to the stack. It is copied, because wireguard-go uses its buffer again when Write returns.
func (l *Link) deliver(p packet) {
	toward := l.toward.Load()
	if toward == nil {
		return
	}
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(p.raw)})
	defer pkt.DecRef()
	(*toward).DeliverNetworkPacket(protocolOf(p), pkt)
}

// refuse sends the answer that says so, if the phone has not had too many. The answer does not wait for room: Write must
// never depend on Read.
func (l *Link) refuse(p packet) {
	if !l.errs.allow(p.src) {
		return
	}
	h, _ := l.home(p.src)
	answer := prohibited(p, h.addr)
	l.out.put(stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(answer)}), false)
}

func protocolOf(p packet) tcpip.NetworkProtocolNumber {
	if p.src.Is4() {
		return header.IPv4ProtocolNumber
	}
	return header.IPv6ProtocolNumber
}
