package tunnel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/conn"
)

// stranger sends datagrams to a server's port and hears whether anything comes back.
type stranger struct {
	*net.UDPConn
	t *testing.T
}

func newStranger(t *testing.T, host string, s *Server) stranger {
	t.Helper()
	c, err := net.Dial("udp", net.JoinHostPort(host, fmt.Sprint(s.ListenPort())))
	if err != nil {
		t.Skipf("no way to %s here: %v", host, err)
	}
	t.Cleanup(func() { c.Close() })
	return stranger{c.(*net.UDPConn), t}
}

func (s stranger) send(datagram []byte) {
	s.t.Helper()
	if _, err := s.Write(datagram); err != nil {
		s.t.Fatal(err)
	}
}

func (s stranger) wantSilence() {
	s.t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		s.t.Fatal(err)
	}
	b := make([]byte, 2000)
	if n, err := s.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.Errorf("a stranger was answered: %x, %v", b[:n], err)
	}
}

func (s stranger) address() netip.AddrPort {
	at := s.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

func pathDatagram(nonce [32]byte) []byte { return append([]byte(pathWord), nonce[:]...) }

func wantArrival(t *testing.T, arrived <-chan netip.AddrPort, want netip.AddrPort) {
	t.Helper()
	select {
	case got := <-arrived:
		if got != want {
			t.Errorf("it came from %v, want %v", got, want)
		}
	case <-time.After(5 * time.Second):
		t.Error("the datagram did not arrive")
	}
}

func wantNothing(t *testing.T, arrived <-chan netip.AddrPort) {
	t.Helper()
	select {
	case got := <-arrived:
		t.Errorf("something arrived from %v", got)
	default:
	}
}

func TestPathControlIsNoticedAndNeverAnswered(t *testing.T) {
	r := newRig(t, "")
	_, anna := r.enrol(t, "Anna")
	kept, err := r.hello(t, anna)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		s := newStranger(t, host, r.server)
		nonce, other := [32]byte{1, 2, 3}, [32]byte{9}
		arrived, stop := r.server.Expect(nonce)
		unasked, stopUnasked := r.server.Expect([32]byte{4})

		s.send(pathDatagram(other))                              // a nonce that nobody expects
		s.send(pathDatagram(nonce)[:47])                         // too short
		s.send(append(pathDatagram(nonce), 0))                   // too long
		s.send(append([]byte("hearthgate Path\n"), nonce[:]...)) // another word
		s.wantSilence()
		wantNothing(t, arrived)

		s.send(pathDatagram(nonce))
		wantArrival(t, arrived, s.address())
		s.wantSilence()
		wantNothing(t, unasked)

		stop()
		stop()
		stopUnasked()
		s.send(pathDatagram(nonce))
		s.wantSilence()
		wantNothing(t, arrived)
	}
	if n := len(r.server.paths.expected); n != 0 {
		t.Errorf("%d nonces are still expected", n)
	}
	// The tunnel goes on: over the old connection and for somebody new.
	if _, err := fmt.Fprint(kept, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Error(err)
	}
	if _, err := kept.Read(make([]byte, 1)); err != nil {
		t.Errorf("the connection from before: %v", err)
	}
	_, ben := r.enrol(t, "Ben")
	if _, err := r.hello(t, ben); err != nil {
		t.Error(err)
	}
}

func TestExpectingBeforeTheServerRuns(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	arrived, stop := s.Expect([32]byte{1})
	wantNothing(t, arrived)
	stop()
}

func TestExpectationsAreBounded(t *testing.T) {
	t.Parallel()
	var p paths
	from := &conn.StdNetEndpoint{AddrPort: netip.MustParseAddrPort("[::ffff:203.0.113.7]:5")}
	want := netip.MustParseAddrPort("203.0.113.7:5")
	first, stopFirst := p.expect([32]byte{1})
	second, stopSecond := p.expect([32]byte{2})
	for i := range maxExpected - 1 {
		p.expect([32]byte{3, byte(i)})
	}
	if len(p.expected) != maxExpected {
		t.Errorf("%d nonces are expected, want %d", len(p.expected), maxExpected)
	}
	p.arrived([32]byte{1}, from) // dropped for the last
	wantNothing(t, first)
	for range 10 { // whoever repeats it fills nothing but a small channel
		p.arrived([32]byte{2}, from)
	}
	wantArrival(t, second, want)
	stopFirst()
	stopSecond()
	if len(p.expected) != maxExpected-1 {
		t.Errorf("%d nonces are expected, want %d", len(p.expected), maxExpected-1)
	}
}

// fakeBind hands out what it is told and notes what is sent.
type fakeBind struct {
	conn.Bind
	sizes []int
	fail  error
	sent  []conn.Endpoint
}

func (b *fakeBind) Open(uint16) ([]conn.ReceiveFunc, uint16, error) {
	return []conn.ReceiveFunc{func(packets [][]byte, sizes []int, from []conn.Endpoint) (int, error) {
		return copy(sizes, b.sizes), nil
	}}, 1, nil
}

func (b *fakeBind) Send(_ [][]byte, to conn.Endpoint) error {
	b.sent = append(b.sent, to)
	if len(b.sent) == 1 {
		return b.fail
	}
	return nil
}

func TestWhatTheDeviceGetsToSee(t *testing.T) {
	var p paths
	arrived, _ := p.expect([32]byte{7})
	b := &bind{&fakeBind{sizes: []int{148, 48, 48, 48, 0, 32}}, &p}
	receive, _, _ := b.Open(0)
	packets := make([][]byte, 128)
	sizes, from := make([]int, 128), make([]conn.Endpoint, 128)
	for i := range packets {
		packets[i] = make([]byte, 2000)
		from[i] = &conn.StdNetEndpoint{AddrPort: netip.MustParseAddrPort("203.0.113.7:5")}
	}
	copy(packets[1], pathDatagram([32]byte{7}))
	copy(packets[2], "\x04\x00\x00\x00 a keepalive's neighbour: WireGuard's own of 48 bytes")
	copy(packets[3], pathDatagram([32]byte{8}))
	n, err := receive[0](packets, sizes, from)
	if err != nil || n != 6 || fmt.Sprint(sizes[:n]) != "[148 0 48 0 0 32]" {
		t.Errorf("the device sees %d packets of %v, %v", n, sizes[:n], err)
	}
	wantArrival(t, arrived, netip.MustParseAddrPort("203.0.113.7:5"))
	if cost := testing.AllocsPerRun(100, func() { _, _ = receive[0](packets, sizes, from) }); cost > 3 { // those of the datagram that is ours
		t.Errorf("a batch costs %v allocations", cost)
	}
}

func TestSendingOnceMoreFromAnotherAddress(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		fail error
		to   conn.Endpoint
		want int
	}{
		"well":                         {nil, &conn.StdNetEndpoint{}, 1},
		"no address remembered":        {errors.New("no way"), &conn.StdNetEndpoint{}, 1},
		"closed":                       {net.ErrClosed, &conn.StdNetEndpoint{}, 1},
		"offloading switched off":      {conn.ErrUDPGSODisabled{}, &conn.StdNetEndpoint{}, 1},
		"an endpoint that is not ours": {errors.New("no way"), nil, 1},
	} {
		under := &fakeBind{fail: c.fail}
		b := &bind{under, new(paths)}
		if err := b.Send(nil, c.to); !errors.Is(err, c.fail) || len(under.sent) != c.want {
			t.Errorf("%s: sent %d times, %v", what, len(under.sent), err)
		}
	}
}

func BenchmarkReceive(b *testing.B) {
	sizes := make([]int, conn.IdealBatchSize)
	for i := range sizes {
		sizes[i] = 1420
	}
	under := &fakeBind{sizes: sizes}
	packets := make([][]byte, len(sizes))
	for i := range packets {
		packets[i] = make([]byte, 2000)
	}
	plain, _, _ := under.Open(0)
	ours, _, _ := (&bind{under, new(paths)}).Open(0)
	for name, receive := range map[string]conn.ReceiveFunc{"plain": plain[0], "ours": ours[0]} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			got, from := make([]int, len(sizes)), make([]conn.Endpoint, len(sizes))
			for b.Loop() {
				if _, err := receive(packets, got, from); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
