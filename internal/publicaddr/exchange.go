package publicaddr

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// network is the name of a transport in a family, for package net.
func network(transport string, family Family) string {
	if family == IPv4 {
		return transport + "4"
	}
	return transport + "6"
}

func askSTUN(ctx context.Context, family Family, at string) (netip.Addr, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network("udp", family), at)
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	mapped, err := Exchange(ctx, conn)
	return mapped.Addr(), err
}

// Exchange asks a STUN server over conn, which keeps the bounds of a datagram, and returns the address and port under which the
// server sees that very socket. It asks up to four times (RFC 8489, section 6.2.1: 500 ms, and twice as long each time), until ctx
// ends. What arrives and is no answer to the question is dropped. Afterwards conn has no deadline.
func Exchange(ctx context.Context, conn net.Conn) (netip.AddrPort, error) {
	var id stunID
	_, _ = rand.Read(id[:]) // it never fails: crypto/rand
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer func() {
		stop()
		_ = conn.SetReadDeadline(time.Time{})
	}()
	last := error(context.DeadlineExceeded)
	for wait := 500 * time.Millisecond; wait <= 4*time.Second && ctx.Err() == nil; wait *= 2 {
		if _, err := conn.Write(id.question()); err != nil {
			return netip.AddrPort{}, err
		}
		mapped, err := id.listen(ctx, conn, wait)
		if err == nil {
			return mapped, nil
		}
		last = err
	}
	return netip.AddrPort{}, fmt.Errorf("waiting for an answer: %w", last)
}

func (id stunID) listen(ctx context.Context, conn net.Conn, wait time.Duration) (netip.AddrPort, error) {
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return netip.AddrPort{}, err
	}
	if ctx.Err() != nil { // it may have ended before the deadline was set, and its own be overwritten
		return netip.AddrPort{}, ctx.Err()
	}
	buf := make([]byte, stunMost+1)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return netip.AddrPort{}, err
		}
		if mapped, err := id.mapped(buf[:n]); err == nil {
			return mapped, nil
		}
	}
}
