package gateway

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// This file is PCP (RFC 6887): like NAT-PMP, with a nonce without which a mapping cannot be taken back.

const (
	pcpVersion  = 2
	pcpAnnounce = 0 // opcodes, section 14.1 and 11.1
	pcpMap      = 1
	pcpAnswer   = 0x80
	pcpTCP      = 6 // IANA's number of the protocol

	// pcpMismatch (section 7.4) says that the router sees us at another address: there is a NAT between.
	pcpMismatch = 12
)

type pcpReply struct {
	result   byte
	epoch    uint32
	lifetime time.Duration
	nonce    [12]byte // of a mapping, as the rest
	protocol byte
	internal uint16
	external netip.AddrPort
}

// askPCP notes that it is spoken, and the epoch if NAT-PMP did not say it.
func (g *Gateway) askPCP(ctx context.Context, p *Picture) {
	var reply pcpReply
	err := g.pcp(ctx, func(own netip.Addr) []byte { return pcpHeader(pcpAnnounce, 0, own) }, func(r pcpReply) error {
		reply = r
		return nil
	}, pcpAnnounce)
	if err != nil {
		return
	}
	p.Speaks = append(p.Speaks, PCP)
	if p.Epoch.By == "" {
		p.Epoch = Epoch{PCP, reply.epoch, g.cfg.Now()}
	}
}

// pcp makes a request, which holds our own address as the socket has it, and takes the answer.
func (g *Gateway) pcp(ctx context.Context, request func(own netip.Addr) []byte, take func(pcpReply) error, op byte) error {
	conn, err := g.connectPCP(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return fmt.Errorf("asking the router: %w", ErrNotSpoken)
	}
	own := local.AddrPort().Addr().Unmap()
	return g.resend(ctx, conn, request(own), func(data []byte) error {
		r, err := parsePCP(data, op)
		if err != nil {
			return err
		}
		return take(r)
	})
}

// parsePCP reads an answer (section 7.2, and 11.1 for a mapping). A result that is not 0 is a refusal.
func parsePCP(data []byte, op byte) (r pcpReply, err error) {
	if len(data) >= 4 && data[0] < pcpVersion && data[1]&pcpAnswer != 0 {
		return r, fmt.Errorf("%w: it speaks an older version", ErrRefused) // section 9
	}
	if len(data) < 24 || len(data) > maxPCPAnswer || data[0] != pcpVersion || data[1] != pcpAnswer|op {
		return r, errNotAnswer
	}
	r.result, r.epoch = data[3], binary.BigEndian.Uint32(data[8:])
	r.lifetime = time.Duration(binary.BigEndian.Uint32(data[4:])) * time.Second
	if op == pcpMap {
		if len(data) < 60 {
			return r, errNotAnswer
		}
		r.nonce, r.protocol = [12]byte(data[24:36]), data[36]
		r.internal = binary.BigEndian.Uint16(data[40:])
		addr := netip.AddrFrom16([16]byte(data[44:60])).Unmap()
		r.external = netip.AddrPortFrom(addr, binary.BigEndian.Uint16(data[42:]))
	}
	switch r.result {
	case 0:
		return r, nil
	case pcpMismatch:
		return r, fmt.Errorf("%w: there is another router between it and us", ErrRefused)
	default:
		return r, fmt.Errorf("%w: PCP result %d", ErrRefused, r.result)
	}
}

// pcpHeader is a request's (section 7.1). An IPv4 address is written as IPv6 writes it (section 5).
func pcpHeader(op byte, lifetime time.Duration, own netip.Addr) []byte {
	b := make([]byte, 24, 60)
	b[0], b[1] = pcpVersion, op
	binary.BigEndian.PutUint32(b[4:], uint32(lifetime/time.Second))
	own16 := own.As16()
	copy(b[8:], own16[:])
	return b
}

// pcpMapRequest asks for a TCP port, or with a lifetime of 0 takes it back (section 15), for which the nonce must be the same.
func pcpMapRequest(own netip.Addr, nonce [12]byte, internal, external uint16, lifetime time.Duration) []byte {
	b := pcpHeader(pcpMap, lifetime, own)
	b = append(b, nonce[:]...)
	b = append(b, pcpTCP, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, internal)
	b = binary.BigEndian.AppendUint16(b, external)
	anywhere := netip.IPv6Unspecified().As16() // section 11.1: of the family that is asked for
	if own.Is4() {
		anywhere = netip.IPv4Unspecified().As16()
	}
	return append(b, anywhere[:]...)
}

func newNonce() (n [12]byte) {
	_, _ = rand.Read(n[:]) // it does not fail
	return n
}
