package tunnel

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/conn"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// The line was given another address since a phone last wrote: it is answered from the new one, before it writes again. On
// kernels that join datagrams nothing but the kernel's own choice is tested here, see bind.Send.
func TestSendingAfterTheAddressHasChanged(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	here, phone := l.Appliance, l.Neighbour
	b := newBind(new(paths))
	var receivers []conn.ReceiveFunc
	var port uint16
	if err := here.Do(func() (err error) { receivers, port, err = b.Open(0); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	for _, c := range []struct {
		family, old, next string
		receive           conn.ReceiveFunc
	}{
		{"udp4", "192.168.77.10/24", "192.168.77.11/24", receivers[0]},
		{"udp6", "2a77:db8:77::10/64", "2a77:db8:77::11/64", receivers[1]},
	} {
		old, next := netip.MustParsePrefix(c.old).Addr(), netip.MustParsePrefix(c.next).Addr()
		socket, err := phone.ListenPacket(t.Context(), c.family, ":0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { socket.Close() })
		if _, err := socket.WriteTo([]byte("from the phone"), net.UDPAddrFromAddrPort(netip.AddrPortFrom(old, port))); err != nil {
			t.Fatal(err)
		}
		from := receiveOne(t, b, c.receive)
		here.Run(t, "ip", "address", "del", c.old, "dev", "eth0")
		here.Run(t, "ip", "address", "add", c.next, "dev", "eth0", "nodad")
		// A packet that is sent in the very moment in which the kernel exchanges the address's routes may be lost, and is sent again.
		got := make([]byte, 100)
		var n int
		var at net.Addr
		for began := time.Now(); n == 0 && time.Since(began) < 10*time.Second; {
			if err := b.Send([][]byte{[]byte("to the phone")}, from); err != nil {
				t.Fatalf("%s: %v", c.family, err)
			}
			if err := socket.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			n, at, err = socket.ReadFrom(got)
		}
		if err != nil || string(got[:n]) != "to the phone" || at.(*net.UDPAddr).AddrPort().Addr().Unmap() != next {
			t.Errorf("%s: the phone got %q from %v, %v, want it from %v", c.family, got[:n], at, err, next)
		}
	}
}

func receiveOne(t *testing.T, b *bind, receive conn.ReceiveFunc) conn.Endpoint {
	t.Helper()
	packets, sizes, from := make([][]byte, b.BatchSize()), make([]int, b.BatchSize()), make([]conn.Endpoint, b.BatchSize())
	for i := range packets {
		packets[i] = make([]byte, 1<<16)
	}
	n, err := receive(packets, sizes, from)
	if err != nil || n == 0 {
		t.Fatalf("received %d, %v", n, err)
	}
	return from[0]
}
