package gate

import (
	"fmt"
	"math"
	"sync"
	"syscall"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// What a UDP flow keeps while its target is being dialled. The dial of an address is a matter of microseconds; of a name,
// of one look-up. The first datagram is kept, whatever its size; what comes beyond is dropped, as a full queue on the way would.
const (
	maxWaiting      = 8
	maxWaitingBytes = 16 << 10
)

// relay is a UDP flow's way to its target.
type relay struct {
	mu      sync.Mutex
	raw     syscall.RawConn // nil until the target is dialled
	waiting [][]byte
	bytes   int
}

// send sends a datagram to the target or keeps it until the target is dialled. Both may drop it.
func (r *relay) send(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.raw != nil:
		_ = writeAtOnce(r.raw, b)
	case len(r.waiting) == 0, len(r.waiting) < maxWaiting && r.bytes+len(b) <= maxWaitingBytes:
		r.waiting = append(r.waiting, b)
		r.bytes += len(b)
	}
}

// connect gives the way, and sends what has waited for it.
func (r *relay) connect(raw syscall.RawConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw = raw
	for _, b := range r.waiting {
		_ = writeAtOnce(raw, b)
	}
	r.waiting, r.bytes = nil, 0
}

// returning is a UDP flow's way back to the phone.
type returning struct {
	route *stack.Route
	key   key
}

func newReturn(s *stack.Stack, nic tcpip.NICID, k key) (returning, error) {
	ours, phone := tcpip.AddrFromSlice(k.ours.Addr().AsSlice()), tcpip.AddrFromSlice(k.phone.Addr().AsSlice())
	route, err := s.FindRoute(nic, ours, phone, netProtocol(k), false)
	if err != nil {
		return returning{}, fmt.Errorf("finding the way back to %s: %s", k.phone, err)
	}
	return returning{route, k}, nil
}

func (r returning) release() { r.route.Release() }

// send sends a datagram to the phone, from the port that the phone has asked; it may be lost.
func (r returning) send(b []byte) {
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{
		ReserveHeaderBytes: header.UDPMinimumSize + int(r.route.MaxHeaderLength()),
		Payload:            buffer.MakeWithData(b),
	})
	defer pkt.DecRef()
	h := header.UDP(pkt.TransportHeader().Push(header.UDPMinimumSize))
	pkt.TransportProtocolNumber = udp.ProtocolNumber
	length := uint16(pkt.Size())
	h.Encode(&header.UDPFields{SrcPort: r.key.ours.Port(), DstPort: r.key.phone.Port(), Length: length})
	sum := h.CalculateChecksum(checksum.Combine(r.route.PseudoHeaderChecksum(udp.ProtocolNumber, length), pkt.Data().Checksum()))
	if sum != math.MaxUint16 { // RFC 768: a sum of zero is sent as all ones
		sum = ^sum
	}
	h.SetChecksum(sum)
	_ = r.route.WritePacket(stack.NetworkHeaderParams{Protocol: udp.ProtocolNumber, TTL: r.route.DefaultTTL()}, pkt)
}
