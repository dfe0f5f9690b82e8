package link

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// The answer to a packet for an address that is not ours: destination unreachable, communication administratively
// prohibited (RFC 1812, section 5.2.7.1; RFC 4443, section 3.1), so that an app on the phone fails at once instead of
// waiting for a timeout.

const (
	// maxQuoting4 is the whole size of an ICMP error: as much of the packet as fits in 576 bytes (RFC 1812, section 4.3.2.3).
	maxQuoting4 = 576
	// maxQuoting6 is the least IPv6 MTU (RFC 4443, section 2.4(c)).
	maxQuoting6 = 1280
	// internetControl is the type of service of an ICMP error (RFC 1812, section 4.3.2.5).
	internetControl = 0xc0
	// hops is the initial TTL or hop limit, as recommended in RFC 1700 and used by everybody.
	hops = 64
)

// prohibited makes the answer to p from our address.
func prohibited(p packet, from netip.Addr) []byte {
	if from.Is4() {
		return prohibited4(p, from)
	}
	return prohibited6(p, from)
}

func prohibited4(p packet, from netip.Addr) []byte {
	const head = header.IPv4MinimumSize + header.ICMPv4MinimumSize
	quoted := p.raw[:min(len(p.raw), maxQuoting4-head)]
	b := make([]byte, head+len(quoted))
	copy(b[head:], quoted)

	icmp := header.ICMPv4(b[header.IPv4MinimumSize:])
	icmp.SetType(header.ICMPv4DstUnreachable)
	icmp.SetCode(header.ICMPv4AdminProhibited)
	icmp.SetChecksum(^checksum.Checksum(icmp, 0))

	ip := header.IPv4(b)
	ip.Encode(&header.IPv4Fields{
		TOS:         internetControl,
		TotalLength: uint16(len(b)),
		TTL:         hops,
		Protocol:    uint8(header.ICMPv4ProtocolNumber),
		SrcAddr:     tcpip.AddrFrom4(from.As4()),
		DstAddr:     tcpip.AddrFrom4(p.src.As4()),
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	return b
}

func prohibited6(p packet, from netip.Addr) []byte {
	const head = header.IPv6MinimumSize + header.ICMPv6DstUnreachableMinimumSize
	quoted := p.raw[:min(len(p.raw), maxQuoting6-head)]
	b := make([]byte, head+len(quoted))
	copy(b[head:], quoted)

	src, dst := tcpip.AddrFrom16(from.As16()), tcpip.AddrFrom16(p.src.As16())
	icmp := header.ICMPv6(b[header.IPv6MinimumSize:])
	icmp.SetType(header.ICMPv6DstUnreachable)
	icmp.SetCode(header.ICMPv6Prohibited)
	icmp.SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: icmp, Src: src, Dst: dst}))

	header.IPv6(b).Encode(&header.IPv6Fields{
		PayloadLength:     uint16(len(b) - header.IPv6MinimumSize),
		TransportProtocol: header.ICMPv6ProtocolNumber,
		HopLimit:          hops,
		SrcAddr:           src,
		DstAddr:           dst,
	})
	return b
}
