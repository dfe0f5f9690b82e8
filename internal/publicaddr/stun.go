package publicaddr

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// STUN by hand: RFC 8489 has 80 pages, and a question for one's own address is 20 bytes of them.
const (
	stunHeader = 20
	stunCookie = 0x2112A442 // RFC 8489, section 5
	stunMost   = 1500       // an answer is one datagram

	bindingRequest = 0x0001
	bindingSuccess = 0x0101

	attrMapped       = 0x0001 // of servers older than RFC 5389; a router may have rewritten the address in it
	attrXorMapped    = 0x0020
	attrXorMappedAlt = 0x8020 // what servers sent while RFC 5389 was a draft, and some still do
)

// A stunID is a transaction.
type stunID [12]byte

var (
	errNotOurs   = errors.New("that is no answer to our question")
	errNoAddress = errors.New("the answer names no address")
)

// question is a binding request without attributes.
func (id stunID) question() []byte {
	b := make([]byte, 0, stunHeader)
	b = binary.BigEndian.AppendUint16(b, bindingRequest)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint32(b, stunCookie)
	return append(b, id[:]...)
}

// mapped reads the address out of a binding success of this transaction.
func (id stunID) mapped(b []byte) (netip.AddrPort, error) {
	if len(b) < stunHeader || len(b) > stunMost || binary.BigEndian.Uint16(b) != bindingSuccess ||
		binary.BigEndian.Uint32(b[4:]) != stunCookie || stunID(b[8:stunHeader]) != id ||
		int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader {
		return netip.AddrPort{}, errNotOurs
	}
	var plain netip.AddrPort
	for rest := b[stunHeader:]; len(rest) >= 4; {
		kind, size := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		padded := (size + 3) &^ 3 // RFC 8489, section 14
		if len(rest) < 4+padded {
			return netip.AddrPort{}, errNotOurs
		}
		value := rest[4 : 4+size]
		rest = rest[4+padded:]
		switch kind {
		case attrXorMapped, attrXorMappedAlt:
			if at, ok := id.address(value, true); ok {
				return at, nil
			}
		case attrMapped:
			if at, ok := id.address(value, false); ok {
				plain = at
			}
		}
	}
	if !plain.IsValid() {
		return netip.AddrPort{}, errNoAddress
	}
	return plain, nil
}

// address reads MAPPED-ADDRESS or XOR-MAPPED-ADDRESS (RFC 8489, sections 14.1 and 14.2).
func (id stunID) address(value []byte, xored bool) (netip.AddrPort, bool) {
	if len(value) != 8 && len(value) != 20 || (value[1] == 1) != (len(value) == 8) || value[1] > 2 {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(value[2:])
	raw := append([]byte(nil), value[4:]...)
	if xored {
		key := binary.BigEndian.AppendUint32(nil, stunCookie)
		key = append(key, id[:]...)
		for i := range raw {
			raw[i] ^= key[i]
		}
		port ^= stunCookie >> 16
	}
	addr, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), port), ok
}
