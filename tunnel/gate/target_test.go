package gate

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// serve listens on loopback, as a service on this machine would, and runs handle for each connection.
func serve(t testing.TB, handle func(*net.TCPConn)) (target string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	var conns sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		end()
		conns.Wait()
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer func() { _ = c.Close() }()
				defer context.AfterFunc(ctx, func() { _ = c.Close() })()
				// The kernel would give megabytes to each of the hundreds of connections of some tests.
				_ = c.(*net.TCPConn).SetWriteBuffer(256 << 10)
				handle(c.(*net.TCPConn))
			})
		}
	}()
	return l.Addr().String()
}

// echo sends back what comes, and ends when the other side has.
func echo(c *net.TCPConn) { _, _ = io.Copy(c, c) }

// hold keeps a connection until the other side ends it.
func hold(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }

// serveUDP answers each datagram with what answer says.
func serveUDP(t testing.TB, answer func([]byte) []byte) (target string) {
	t.Helper()
	c, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 65536)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(answer(b[:n]), from)
		}
	}()
	return c.LocalAddr().String()
}

// nobody gives an address on which nothing listens.
func nobody(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// portOf is the port of a target.
func portOf(t testing.TB, target string) uint16 {
	t.Helper()
	ap, err := netip.ParseAddrPort(target)
	if err != nil {
		t.Fatal(err)
	}
	return ap.Port()
}

// exchange sends what and wants it back.
func exchange(c net.Conn, what string) error {
	if _, err := c.Write([]byte(what)); err != nil {
		return err
	}
	b := make([]byte, len(what))
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	if string(b) != what {
		return fmt.Errorf("sent %q, got %q", what, b)
	}
	return nil
}

func web(target string) Service {
	return Service{Name: "web", Target: target, Port: 8080, Protocol: TCP}
}

func talk(target string) Service {
	return Service{Name: "talk", Target: target, Port: 5000, Protocol: UDP}
}
