package gate

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/tun/netstack"
)

// phone is a phone's own network stack.
type phone struct {
	t testing.TB
	*netstack.Net
}

// patience is what a test waits for something that should happen at once, on a busy machine and under the race detector.
const patience = 60 * time.Second

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come true within %s", what, patience)
		}
	}
}

// tcpConn is what a phone has of a connection.
type tcpConn interface {
	net.Conn
	CloseWrite() error
	CloseRead() error
}

func (p *phone) tryTCP(at netip.AddrPort) (tcpConn, error) {
	c, err := p.DialContextTCPAddrPort(soon(p.t), at)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(3 * patience))
	p.t.Cleanup(func() { _ = c.Close() })
	return c, nil
}

// patientTCP dials until it is let in. Handshakes that are finished for the phone are pending here for a moment longer, so that
// a test that opens hundreds of connections in a loop may meet that limit on a busy machine.
func (p *phone) patientTCP(at netip.AddrPort) (c tcpConn) {
	p.t.Helper()
	eventually(p.t, "a connection", func() (ok bool) {
		var err error
		c, err = p.tryTCP(at)
		return err == nil
	})
	return c
}

func (p *phone) tcp(at netip.AddrPort) tcpConn {
	p.t.Helper()
	c, err := p.tryTCP(at)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *phone) udp(at netip.AddrPort) net.Conn {
	p.t.Helper()
	c, err := p.DialUDPAddrPort(netip.AddrPort{}, at)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

// pause lets other goroutines, and the kernel's loopback, go on for a moment. It is for watching that something does not
// happen; what should happen is waited for.
func pause() { time.Sleep(5 * time.Millisecond) }
