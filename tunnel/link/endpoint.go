package link

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// endpoint is the stack's end of the link: a layer of IP packets, without link addresses, headers or neighbours. It is a
// type of its own because tun.Device and stack.LinkEndpoint disagree about what MTU and Close are.
type endpoint struct{ l *Link }

var _ stack.LinkEndpoint = endpoint{}

// Endpoint gives the end that a NIC of a gVisor stack is made with.
func (l *Link) Endpoint() stack.LinkEndpoint { return endpoint{l} }

// WritePackets implements stack.LinkWriter. All packets count as sent: one that found no room is like one lost on the way,
// and an error here would only make TCP believe that there is no way.
func (e endpoint) WritePackets(pkts stack.PacketBufferList) (int, tcpip.Error) {
	for _, pkt := range pkts.AsSlice() {
		if e.mayLeave(pkt) {
			e.l.out.put(pkt.IncRef(), maySlow(pkt))
		}
	}
	return pkts.Len(), nil
}

// mayLeave holds back ICMP errors beyond the phone's rate. The stack's own limit is one for all phones; NewStack turns it
// off, because it would let one phone use up the answers of the others.
func (e endpoint) mayLeave(pkt *stack.PacketBuffer) bool {
	var isError bool
	head := pkt.TransportHeader().Slice()
	switch {
	case len(head) == 0:
	case pkt.TransportProtocolNumber == header.ICMPv4ProtocolNumber:
		isError = header.ICMPv4Type(head[0]) != header.ICMPv4EchoReply
	case pkt.TransportProtocolNumber == header.ICMPv6ProtocolNumber:
		isError = header.ICMPv6Type(head[0]).IsErrorType()
	}
	if !isError {
		return true
	}
	to, ok := netip.AddrFromSlice(pkt.EgressRoute.RemoteAddress.AsSlice())
	return ok && e.l.errs.allow(to)
}

// maySlow says whether whoever sends pkt may be made to wait. TCP and UDP may. A reset and an ICMP message may not: the
// stack makes them while a packet is being delivered to it, and then Write would wait for Read.
func maySlow(pkt *stack.PacketBuffer) bool {
	switch pkt.TransportProtocolNumber {
	case header.TCPProtocolNumber:
		head := pkt.TransportHeader().Slice()
		return len(head) < header.TCPMinimumSize || !header.TCP(head).Flags().Contains(header.TCPFlagRst)
	case header.UDPProtocolNumber:
		return true
	}
	return false
}

// Attach implements stack.NetworkLinkEndpoint; nil comes when the NIC is removed.
func (e endpoint) Attach(d stack.NetworkDispatcher) {
	if d == nil {
		e.l.toward.Store(nil)
		return
	}
	e.l.toward.Store(&d)
}

// IsAttached implements stack.NetworkLinkEndpoint.
func (e endpoint) IsAttached() bool { return e.l.toward.Load() != nil }

// MTU implements stack.NetworkLinkEndpoint.
func (e endpoint) MTU() uint32 { return uint32(e.l.mtu) }

// SetMTU implements stack.NetworkLinkEndpoint: the MTU of a tunnel does not change.
func (e endpoint) SetMTU(uint32) {}

// Close implements stack.NetworkLinkEndpoint: a link without a stack is of no use to wireguard-go.
func (e endpoint) Close() { _ = e.l.Close() }

// The rest of stack.NetworkLinkEndpoint: nothing to resolve, nothing to frame, nobody to wait for.

func (e endpoint) Capabilities() stack.LinkEndpointCapabilities { return stack.CapabilityNone }
func (e endpoint) MaxHeaderLength() uint16                      { return 0 }
func (e endpoint) LinkAddress() tcpip.LinkAddress               { return "" }
func (e endpoint) SetLinkAddress(tcpip.LinkAddress)             {}
func (e endpoint) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareNone }
func (e endpoint) AddHeader(*stack.PacketBuffer)                {}
func (e endpoint) ParseHeader(*stack.PacketBuffer) bool         { return true }
func (e endpoint) Wait()                                        {}
func (e endpoint) SetOnCloseAction(func())                      {}
