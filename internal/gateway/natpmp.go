package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// This file is NAT-PMP (RFC 6886): requests of a few bytes to the gateway, which has no list of its mappings to give.

const (
	pmpVersion   = 0
	pmpAddress   = 0 // opcodes, section 3.2 and 3.3
	pmpMapTCP    = 2
	pmpAnswer    = 128 // is added to the opcode
	firstWait    = 250 * time.Millisecond
	udpTries     = 3    // 250, 500 and 1000 ms; section 3.1 has nine tries, for those who cannot do without
	maxPCPAnswer = 1100 // RFC 6887, section 7
)

var errNotAnswer = errors.New("not the answer to what was asked")

type pmpReply struct {
	epoch    uint32
	addr     netip.Addr // of an address
	internal uint16     // of a mapping, as the rest
	external uint16
	lifetime time.Duration
}

// askPMP notes the address outside and the epoch.
func (g *Gateway) askPMP(ctx context.Context, p *Picture) {
	reply, err := g.pmp(ctx, []byte{pmpVersion, pmpAddress}, pmpAddress)
	if err != nil {
		return
	}
	p.Speaks = append(p.Speaks, NATPMP)
	p.addExternal(External{NATPMP, reply.addr})
	p.Epoch = Epoch{NATPMP, reply.epoch, g.cfg.Now()}
}

func (g *Gateway) pmp(ctx context.Context, request []byte, op byte) (reply pmpReply, err error) {
	err = g.datagram(ctx, request, func(data []byte) (parse error) {
		reply, parse = parsePMP(data, op)
		return parse
	})
	return reply, err
}

// parsePMP reads an answer. A result that is not 0 is a refusal.
func parsePMP(data []byte, op byte) (r pmpReply, err error) {
	if len(data) >= 4 && data[0] > pmpVersion && data[1]&pmpAnswer != 0 {
		return r, fmt.Errorf("%w: it speaks a newer version", ErrRefused) // RFC 6887, section 9
	}
	if len(data) < 4 || data[0] != pmpVersion || data[1] != pmpAnswer+op {
		return r, errNotAnswer
	}
	if result := binary.BigEndian.Uint16(data[2:]); result != 0 {
		return r, fmt.Errorf("%w: NAT-PMP result %d", ErrRefused, result)
	}
	if len(data) < 12 || op != pmpAddress && len(data) < 16 {
		return r, errNotAnswer
	}
	r.epoch = binary.BigEndian.Uint32(data[4:])
	if op == pmpAddress {
		r.addr = netip.AddrFrom4([4]byte(data[8:12]))
		return r, nil
	}
	r.internal, r.external = binary.BigEndian.Uint16(data[8:]), binary.BigEndian.Uint16(data[10:])
	r.lifetime = time.Duration(binary.BigEndian.Uint32(data[12:])) * time.Second
	return r, nil
}

// pmpMap is a request for a TCP port; with a lifetime of 0 and no port outside it takes one back (section 3.4).
func pmpMap(internal, external uint16, lifetime time.Duration) []byte {
	b := make([]byte, 12)
	b[1] = pmpMapTCP
	binary.BigEndian.PutUint16(b[4:], internal)
	binary.BigEndian.PutUint16(b[6:], external)
	binary.BigEndian.PutUint32(b[8:], uint32(lifetime/time.Second))
	return b
}

// connectPCP gives a socket to the gateway that hears nobody else; NAT-PMP and PCP share the port.
func (g *Gateway) connectPCP(ctx context.Context) (net.Conn, error) {
	conn, err := g.cfg.Dial(ctx, "udp4", netip.AddrPortFrom(g.at, g.tuning.pcp).String())
	if err != nil {
		return nil, fmt.Errorf("asking the router: %w", err)
	}
	return conn, nil
}

// datagram sends a request until take likes an answer, or refuses for good with [ErrRefused].
func (g *Gateway) datagram(ctx context.Context, request []byte, take func([]byte) error) error {
	conn, err := g.connectPCP(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return g.resend(ctx, conn, request, take)
}

func (g *Gateway) resend(ctx context.Context, conn net.Conn, request []byte, take func([]byte) error) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	buffer := make([]byte, maxPCPAnswer+1)
	for try, wait := 0, g.tuning.datagram; try < udpTries; try, wait = try+1, 2*wait {
		if _, err := conn.Write(request); err != nil {
			return fmt.Errorf("asking the router: %w", err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(wait)) // of an open socket: it cannot fail
		for range maxAnswers {
			n, err := conn.Read(buffer)
			if err != nil && !ended(err) || ctx.Err() != nil {
				return fmt.Errorf("asking the router: %w", errors.Join(err, ctx.Err())) // nobody listens at that port
			}
			if err != nil {
				break
			}
			if err := take(buffer[:n]); err == nil || errors.Is(err, ErrRefused) {
				return err
			}
		}
	}
	return fmt.Errorf("asking the router: %w", ErrNotSpoken)
}
