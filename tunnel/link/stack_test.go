package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/tun"
	"golang.zx2c4.com/wireguard/tun/netstack"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// wire carries packets from one device to another until the first is closed, as wireguard-go would.
func wire(from, to tun.Device) {
	const offset = 16
	bufs, sizes := make([][]byte, batch), make([]int, batch)
	for i := range bufs {
		bufs[i] = make([]byte, 2048)
	}
	packets := make([][]byte, 0, batch)
	for {
		n, err := from.Read(bufs, sizes, offset)
		if err != nil {
			return
		}
		packets = packets[:0]
		for i := range n {
			packets = append(packets, bufs[i][:offset+sizes[i]])
		}
		if _, err := to.Write(packets, offset); err != nil {
			return
		}
	}
}

// pair makes our stack and a phone (wireguard-go's own stack), joined by a wire.
func pair(t testing.TB) (*stack.Stack, *netstack.Net) {
	t.Helper()
	server, l, err := NewStack(MTU, ours4, ours6)
	if err != nil {
		t.Fatal(err)
	}
	device, phone, err := netstack.CreateNetTUN([]netip.Addr{anna4, anna6}, nil, MTU)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		server.Destroy()
	})
	go wire(l, device)
	go wire(device, l)
	return server, phone
}

func full(a netip.Addr, port uint16) (tcpip.FullAddress, tcpip.NetworkProtocolNumber) {
	proto := ipv6.ProtocolNumber
	if a.Is4() {
		proto = ipv4.ProtocolNumber
	}
	return tcpip.FullAddress{NIC: NIC, Addr: gv(a), Port: port}, proto
}

func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func both(t *testing.T, f func(t *testing.T, us netip.Addr)) {
	for name, us := range map[string]netip.Addr{"v4": ours4.Addr(), "v6": ours6.Addr()} {
		t.Run(name, func(t *testing.T) { f(t, us) })
	}
}

// TestStreams moves bytes through two stacks and the link between them, each way, in both families.
func TestStreams(t *testing.T) {
	both(t, func(t *testing.T, us netip.Addr) {
		server, phone := pair(t)
		at, proto := full(us, 8123)
		l, err := gonet.ListenTCP(server, at, proto)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}()
		c, err := phone.DialContextTCPAddrPort(soon(t), netip.AddrPortFrom(us, 8123))
		if err != nil {
			t.Fatal(err)
		}
		sent := bytes.Repeat([]byte("hearthgate"), 100_000)
		go func() {
			_, _ = c.Write(sent)
			_ = c.CloseWrite()
		}()
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("got %d of %d bytes back, %v", len(got), len(sent), err)
		}
	})
}

// TestClosedPorts: without anybody behind a port the stack says so at once.
func TestClosedPorts(t *testing.T) {
	both(t, func(t *testing.T, us netip.Addr) {
		_, phone := pair(t)
		at := netip.AddrPortFrom(us, 81)
		if c, err := phone.DialContextTCPAddrPort(soon(t), at); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dialling a closed TCP port gave %v, %v; want a reset", c, err)
		}
		c, err := phone.DialUDPAddrPort(netip.AddrPort{}, at)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("anyone?"))
		if err := readError(soon(t), c); err == nil {
			t.Error("a closed UDP port gave no error, want port unreachable")
		}
	})
}

// readError gives the first error of c that is not a timeout. gonet does not wake a reader for an ICMP error, so that it
// must be asked again and again.
func readError(ctx context.Context, c net.Conn) error {
	for ctx.Err() == nil {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		var timeout net.Error
		if err != nil && (!errors.As(err, &timeout) || !timeout.Timeout()) {
			return err
		}
	}
	return nil
}

// TestErrorsOfTheStackArePerPhone: the stack's port unreachable stands under the same limit as the link's own answers, and
// the limit is each phone's own.
func TestErrorsOfTheStackArePerPhone(t *testing.T) {
	s, l, err := NewStack(MTU, ours4, ours6)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Destroy()
	l.errs.now = func() time.Time { return time.Unix(0, 0) }
	knock := func(from netip.Addr) []byte {
		return udpTo(netip.AddrPortFrom(from, 4000), netip.AddrPortFrom(ours4.Addr(), 9), []byte("x"))
	}
	var answers int
	for range 200 {
		answers += len(written(t, l, knock(anna4)))
	}
	if answers != errorBurst {
		t.Errorf("a flood got %d errors, want %d", answers, errorBurst)
	}
	got := written(t, l, knock(ben4))
	if len(got) != 1 || header.ICMPv4(header.IPv4(got[0]).Payload()).Code() != header.ICMPv4PortUnreachable {
		t.Errorf("another phone got %d answers, want one port unreachable", len(got))
	}
}

func TestEcho(t *testing.T) {
	s, l, err := NewStack(MTU, ours4, ours6)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Destroy()
	got := written(t, l, icmpTo(anna4, ours4.Addr(), 8, 0, []byte("ping")))
	if len(got) != 1 || header.ICMPv4(header.IPv4(got[0]).Payload()).Type() != header.ICMPv4EchoReply {
		t.Error("no answer to an echo request")
	}
	got = written(t, l, icmpTo(anna6, ours6.Addr(), 128, 0, []byte("ping")))
	if len(got) != 1 || header.ICMPv6(header.IPv6(got[0]).Payload()).Type() != header.ICMPv6EchoReply {
		t.Error("no answer to an echo request, v6")
	}
}

// TestStackStaysInside: whatever the stack is asked to reach, only the tunnel networks are reachable.
func TestStackStaysInside(t *testing.T) {
	server, _ := pair(t)
	for _, a := range []netip.Addr{router4, router6, addr("8.8.8.8"), addr("2606:4700::1")} {
		at, proto := full(a, 80)
		if c, err := gonet.DialContextTCP(soon(t), server, at, proto); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dialling %s gave %v, %v; want no route", a, c, err)
		}
	}
}
