package link

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// packet is what the link needs to know of an inbound packet, read from bytes that nobody has checked.
type packet struct {
	raw      []byte // the packet, cut to the length that its header claims
	src, dst netip.Addr
	proto    uint8  // the upper protocol, after any IPv6 extension headers
	upper    []byte // what follows the headers; may be empty
	fragment bool   // a part of a packet
	first    bool   // the part that holds the upper header; true of whole packets
}

// Lengths of the fixed headers (RFC 791, section 3.1; RFC 8200, section 3).
const (
	ipv4Header = header.IPv4MinimumSize
	ipv6Header = header.IPv6MinimumSize
)

// parse reads the headers of b. It says false of everything whose lengths do not add up: wireguard-go has looked at them,
// but its 16-bit sum of an IPv6 length wraps, so that this is where a length that lies is caught.
func parse(b []byte) (packet, bool) {
	if len(b) == 0 {
		return packet{}, false
	}
	switch b[0] >> 4 {
	case 4:
		return parse4(b)
	case 6:
		return parse6(b)
	}
	return packet{}, false
}

func parse4(b []byte) (packet, bool) {
	if len(b) < ipv4Header {
		return packet{}, false
	}
	head := int(b[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if head < ipv4Header || total < head || total > len(b) {
		return packet{}, false
	}
	ip := header.IPv4(b)
	return packet{
		raw:      b[:total],
		src:      netip.AddrFrom4([4]byte(ip.SourceAddressSlice())),
		dst:      netip.AddrFrom4([4]byte(ip.DestinationAddressSlice())),
		proto:    ip.Protocol(),
		upper:    b[head:total],
		fragment: ip.More() || ip.FragmentOffset() != 0,
		first:    ip.FragmentOffset() == 0,
	}, true
}

func parse6(b []byte) (packet, bool) {
	if len(b) < ipv6Header {
		return packet{}, false
	}
	total := ipv6Header + int(binary.BigEndian.Uint16(b[4:]))
	if total > len(b) {
		return packet{}, false
	}
	ip := header.IPv6(b)
	p := packet{
		raw:   b[:total],
		src:   netip.AddrFrom16([16]byte(ip.SourceAddressSlice())),
		dst:   netip.AddrFrom16([16]byte(ip.DestinationAddressSlice())),
		first: true,
	}
	return p, p.walk(ip.NextHeader(), p.raw[ipv6Header:])
}

// The extension headers that may stand before the upper one (RFC 8200, section 4; RFC 4302 for authentication).
const (
	extHopByHop       = 0
	extRouting        = 43
	extFragment       = 44
	extAuthentication = 51
	extDestination    = 60
)

// maxExtensions is how many extension headers are read. RFC 8200, section 4.1 knows at most six in a sensible packet;
// a longer chain can only be there to hide something or to cost time.
const maxExtensions = 8

// walk follows the chain of IPv6 extension headers to the upper header. A chain that is cut short says false: even the first
// fragment must hold all of it (RFC 7112).
func (p *packet) walk(next uint8, rest []byte) bool {
	for range maxExtensions {
		size := 0
		switch next {
		case extHopByHop, extRouting, extDestination:
			if len(rest) >= 2 {
				size = 8 * (int(rest[1]) + 1)
			}
		case extAuthentication:
			if len(rest) >= 2 {
				size = 4 * (int(rest[1]) + 2)
			}
		case extFragment:
			size = 8
		default:
			p.proto, p.upper = next, rest
			return true
		}
		if size == 0 || len(rest) < size {
			return false
		}
		if next == extFragment {
			at := binary.BigEndian.Uint16(rest[2:])
			p.fragment = true
			if at&^7 != 0 { // the header behind it is in another packet
				p.first, p.proto, p.upper = false, rest[0], rest[size:]
				return true
			}
		}
		next, rest = rest[0], rest[size:]
	}
	return false
}
