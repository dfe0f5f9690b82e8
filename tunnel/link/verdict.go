package link

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// verdict is what becomes of an inbound packet.
type verdict uint8

const (
	discard  verdict = iota // it ends here, unanswered
	admit                   // it enters the stack
	prohibit                // it ends here, and its sender is told that this is not allowed
)

// judge decides about one packet. The order matters: who may speak, then to whom, then what.
func (l *Link) judge(p packet) verdict {
	h, ok := l.home(p.src)
	switch {
	case !ok, !h.mayCome(p.src):
		return discard
	case h.isOurs(p.dst):
		return l.judgeOurs(p)
	case h.manyAt(p.dst), !answerable(p):
		return discard
	}
	return prohibit
}

// mayCome says whether a packet of one phone can have this source. An ICMP error must never go to anything else
// (RFC 1812, section 4.3.2.7; RFC 4443, section 2.4(e)), and the stack must not believe to hear itself.
func (h home) mayCome(src netip.Addr) bool {
	return h.net.Contains(src) && !h.isOurs(src) && !h.manyAt(src)
}

// manyAt says that an address does not mean one host: multicast, broadcast, none. Phones send to these all the time
// (mDNS, SSDP, LLMNR); nobody answers them.
func (h home) manyAt(a netip.Addr) bool {
	if a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() {
		return true
	}
	if !a.Is4() {
		return a == h.net.Addr() && h.net.Bits() < 127 // the subnet-router anycast address, RFC 4291, section 2.6.1
	}
	if a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return true
	}
	return h.net.Bits() < 31 && (a == h.net.Addr() || a == lastOf(h.net))
}

// lastOf gives an IPv4 network's broadcast address.
func lastOf(n netip.Prefix) netip.Addr {
	b := n.Addr().As4()
	for i := n.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// judgeOurs decides about a packet to an address of ours. TCP and UDP enter; of ICMP only the echo request does. No router
// stands between a phone and us, so that an ICMP error says nothing that we need: the one use of it would be a phone that
// reports on the connections of another, or that shrinks our packets to nothing. Neighbour discovery has no neighbours
// here. Fragments are let through at a rate that one phone cannot fill the stack's store of them with.
func (l *Link) judgeOurs(p packet) verdict {
	switch {
	case p.fragment && !l.pieces.allow(p.src):
		return discard
	case p.proto == uint8(header.TCPProtocolNumber), p.proto == uint8(header.UDPProtocolNumber):
		return admit
	case p.isICMP() && (!p.first || p.isEcho()):
		return admit
	}
	return discard
}

// isICMP says whether this is the ICMP of the packet's own family.
func (p packet) isICMP() bool {
	if p.src.Is4() {
		return p.proto == uint8(header.ICMPv4ProtocolNumber)
	}
	return p.proto == uint8(header.ICMPv6ProtocolNumber)
}

func (p packet) isEcho() bool {
	if len(p.upper) == 0 {
		return false
	}
	if p.src.Is4() {
		return header.ICMPv4Type(p.upper[0]) == header.ICMPv4Echo
	}
	return header.ICMPv6Type(p.upper[0]) == header.ICMPv6EchoRequest
}

// answerable says whether an ICMP error may be sent about p: never about an ICMP error, and only about the first fragment
// (RFC 1122, section 3.2.2; RFC 1812, section 4.3.2.7; RFC 4443, section 2.4(e)). An ICMP message whose type is not known
// to be harmless counts as an error.
func answerable(p packet) bool {
	return p.first && (!p.isICMP() || p.isEcho())
}
