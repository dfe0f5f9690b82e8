package link

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// The tunnel of these tests: our addresses, two phones, and places that are none of theirs.
var (
	ours4   = netip.MustParsePrefix("10.83.16.1/20")
	ours6   = netip.MustParsePrefix("fd83::1/64")
	anna4   = netip.MustParseAddr("10.83.16.2")
	anna6   = netip.MustParseAddr("fd83::2")
	ben4    = netip.MustParseAddr("10.83.16.3")
	ben6    = netip.MustParseAddr("fd83::3")
	router4 = netip.MustParseAddr("192.168.1.1")
	router6 = netip.MustParseAddr("2001:db8::1")
)

func gv(a netip.Addr) tcpip.Address { return tcpip.AddrFromSlice(a.AsSlice()) }

// datagram makes an IP packet by hand, so that a test can then bend it.
func datagram(src, dst netip.Addr, proto tcpip.TransportProtocolNumber, payload []byte) []byte {
	if src.Is4() {
		b := make([]byte, header.IPv4MinimumSize+len(payload))
		copy(b[header.IPv4MinimumSize:], payload)
		ip := header.IPv4(b)
		ip.Encode(&header.IPv4Fields{TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(proto), SrcAddr: gv(src), DstAddr: gv(dst)})
		ip.SetChecksum(^ip.CalculateChecksum())
		return b
	}
	b := make([]byte, header.IPv6MinimumSize+len(payload))
	copy(b[header.IPv6MinimumSize:], payload)
	header.IPv6(b).Encode(&header.IPv6Fields{
		PayloadLength: uint16(len(payload)), TransportProtocol: proto, HopLimit: 64, SrcAddr: gv(src), DstAddr: gv(dst),
	})
	return b
}

// udpTo makes a UDP datagram with a right checksum.
func udpTo(src, dst netip.AddrPort, payload []byte) []byte {
	u := header.UDP(make([]byte, header.UDPMinimumSize+len(payload)))
	copy(u[header.UDPMinimumSize:], payload)
	u.Encode(&header.UDPFields{SrcPort: src.Port(), DstPort: dst.Port(), Length: uint16(len(u))})
	sum := header.PseudoHeaderChecksum(header.UDPProtocolNumber, gv(src.Addr()), gv(dst.Addr()), uint16(len(u)))
	u.SetChecksum(^u.CalculateChecksum(checksum.Checksum(payload, sum)))
	return datagram(src.Addr(), dst.Addr(), header.UDPProtocolNumber, u)
}

// icmp makes an ICMP message of the address family with this type and code.
func icmpTo(src, dst netip.Addr, typ, code uint8, body []byte) []byte {
	m := append([]byte{typ, code, 0, 0, 0, 1, 0, 1}, body...)
	if src.Is4() {
		header.ICMPv4(m).SetChecksum(^checksum.Checksum(m, 0))
		return datagram(src, dst, header.ICMPv4ProtocolNumber, m)
	}
	h := header.ICMPv6(m)
	h.SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: h, Src: gv(src), Dst: gv(dst)}))
	return datagram(src, dst, header.ICMPv6ProtocolNumber, m)
}

// extended puts IPv6 extension headers between the IPv6 header and what follows; the first byte of the first one is set to
// first, each ext must already name the header that follows it.
func extended(b []byte, first uint8, ext []byte) []byte {
	out := append(append(append([]byte{}, b[:header.IPv6MinimumSize]...), ext...), b[header.IPv6MinimumSize:]...)
	out[6] = first
	header.IPv6(out).SetPayloadLength(uint16(len(out) - header.IPv6MinimumSize))
	return out
}
