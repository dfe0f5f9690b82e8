package witness

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// dialFunc opens a connection from an address of ours. hops is the number of routers that the packets may pass; 0: as many as
// usual.
type dialFunc func(ctx context.Context, from netip.Addr, to netip.AddrPort, hops int) (net.Conn, error)

// dialFresh dials from a socket of its own, at a port that the system chooses: a connection over the port at which the caller
// reached us would pass where nobody else's does (AutoNAT's first version did that).
func dialFresh(ctx context.Context, from netip.Addr, to netip.AddrPort, hops int) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1}
	if from.IsValid() && from.Is4() == to.Addr().Is4() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	if hops > 0 {
		d.Control = func(_, _ string, c syscall.RawConn) error { return setHops(c, to.Addr(), hops) }
	}
	return d.DialContext(ctx, "tcp", to.String())
}

func setHops(c syscall.RawConn, to netip.Addr, hops int) error {
	level, option := syscall.IPPROTO_IP, syscall.IP_TTL
	if to.Is6() {
		level, option = syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS
	}
	var err error
	if e := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), level, option, hops) }); e != nil {
		return e
	}
	return err
}

// outcome is what became of one attempt; facts/exposure.md A4 has the table, measured.
type outcome int

const (
	silence   outcome = iota
	connected         // SYN and ACK
	refused           // a reset
	rejected          // an ICMP error from somewhere on the way, or at the end of it
	forbidden         // this machine lets no packet to that port out
	broken            // this machine could not try
)

func (e *session) connect(ctx context.Context, to netip.AddrPort) outcome {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Pace.Attempt)
	defer cancel()
	conn, err := e.dial(ctx, e.own, to, 0)
	if err == nil {
		_ = conn.Close()
		return connected
	}
	return classify(err, func() bool { return hasRoute(e.own, to) })
}

// classify reads the error of a dial. routed tells whether this machine itself would let a packet go to where it was dialled.
func classify(err error, routed func() bool) outcome {
	is := func(e error) bool { return errors.Is(err, e) }
	var timeout net.Error
	switch {
	case is(syscall.ECONNREFUSED), is(syscall.ECONNRESET):
		return refused
	case is(syscall.EPERM): // no ICMP error becomes EPERM
		return forbidden
	case is(syscall.EACCES): // ICMPv6 "administratively prohibited", or a rule of this machine
		if !routed() {
			return forbidden
		}
		return rejected
	case is(syscall.EHOSTUNREACH), is(syscall.ENETUNREACH), is(syscall.EPROTO), is(syscall.ENOPROTOOPT), is(syscall.EHOSTDOWN):
		if !routed() {
			return broken
		}
		return rejected
	case is(syscall.ETIMEDOUT), is(context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return silence
	default:
		return broken
	}
}

// hasRoute asks the kernel for the way to an address: connecting a UDP socket sends nothing.
func hasRoute(from netip.Addr, to netip.AddrPort) bool {
	var laddr *net.UDPAddr
	if from.IsValid() && from.Is4() == to.Addr().Is4() {
		laddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	conn, err := net.DialUDP("udp", laddr, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// paid dials for a fingerprint and lets nothing out that was not paid for.
func (e *session) paid(ctx context.Context, _, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	if !e.meter.spend(openCost) {
		return nil, errSpent
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Pace.Attempt)
	defer cancel()
	conn, err := e.dial(ctx, e.own, to, 0)
	if err != nil {
		return nil, err
	}
	return &payingConn{Conn: conn, meter: e.meter}, nil
}

// payingConn pays for what it sends.
type payingConn struct {
	net.Conn
	meter *meter
}

func (c *payingConn) Write(b []byte) (int, error) {
	if !c.meter.spend(sending(len(b))) {
		return 0, errSpent
	}
	return c.Conn.Write(b)
}

// datagramText begins each datagram of the path control; the nonce follows.
const datagramText = "hearthgate path\n"

// sendFunc sends a datagram from an address of ours.
type sendFunc func(ctx context.Context, from netip.Addr, to netip.AddrPort, payload []byte) error

func sendDatagram(ctx context.Context, from netip.Addr, to netip.AddrPort, payload []byte) error {
	var d net.Dialer
	if from.IsValid() && from.Is4() == to.Addr().Is4() {
		d.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	conn, err := d.DialContext(ctx, "udp", to.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write(payload)
	return err
}

// datagrams sends one nonce to the caller's UDP port, three times because a datagram may be lost on the way: what counts is that it
// arrives at all.
func (e *session) datagrams(ctx context.Context, port uint16, nonce Nonce) {
	if port == 0 {
		return
	}
	payload := append([]byte(datagramText), nonce[:]...)
	for i := range 3 {
		if i > 0 && pause(ctx, e.cfg.Pace.Copies) != nil {
			return
		}
		if !e.meter.spend(datagramCost) {
			return
		}
		_ = e.send(ctx, e.own, netip.AddrPortFrom(e.from, port), payload) // one that fails did not arrive, which is what it tells
	}
	_ = pause(ctx, min(e.cfg.Pace.Copies, time.Second)) // so that it is there before a firewall takes offence at what comes next
}
