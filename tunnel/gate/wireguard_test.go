package gate

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net"
	"net/netip"
	"testing"
)

// TestThroughWireGuard runs what matters most once more with true handshakes, keys and wireguard-go's own batches between the
// phone and the gate.
func TestThroughWireGuard(t *testing.T) {
	r, anna := newTunnel(t, Config{})
	services := []Service{web(serve(t, echo)), talk(serveUDP(t, bytes.ToUpper))}
	r.policy(services, 1)
	for _, us := range []netip.Addr{ours4.Addr(), ours6.Addr()} {
		at := netip.AddrPortFrom(us, 8080)
		if err := exchangeOn(anna, at); err != nil {
			t.Fatal(err)
		}
		wantReset(t, "a port of nobody", anna, netip.AddrPortFrom(us, 22))
		u := anna.udp(netip.AddrPortFrom(us, 5000))
		if _, err := u.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if err := readWant(u, "HELLO"); err != nil {
			t.Error(err)
		}
		wantUnreachable(t, "a UDP port of nobody", anna.udp(netip.AddrPortFrom(us, 53)))

		c := anna.tcp(at)
		sent, want := noise(3, bulk/8)
		go func() {
			_, _ = io.Copy(c, sent)
			_ = c.CloseWrite()
		}()
		h := sha256.New()
		if n, err := io.Copy(h, c); err != nil || n != bulk/8 || !bytes.Equal(h.Sum(nil), want.Sum(nil)) {
			t.Errorf("got %d bytes back, %v, or others than were sent", n, err)
		}
	}
	c := anna.tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
	if err := exchange(c, "hello"); err != nil {
		t.Fatal(err)
	}
	r.policy(services)
	wantCut(t, c)
	if n := r.link.Lost(); n != 0 {
		t.Errorf("%d packets were lost on the way to wireguard-go", n)
	}
}

// The benchmarks move bytes through the link and the gate, without WireGuard (the wire looks at addresses only) and with
// it. Both ends and, in the second, both encryptions run in this process, so that the numbers compare with each other only.

func BenchmarkToPhone(b *testing.B)   { benchmarkBoth(b, toPhone) }
func BenchmarkFromPhone(b *testing.B) { benchmarkBoth(b, fromPhone) }

func benchmarkBoth(b *testing.B, move func(b *testing.B, r *rig, p *phone)) {
	b.Run("link", func(b *testing.B) {
		r := newRig(b, Config{})
		move(b, r, r.phone(1))
	})
	b.Run("wireguard", func(b *testing.B) {
		r, p := newTunnel(b, Config{})
		move(b, r, p)
	})
}

const piece = 1 << 20

func toPhone(b *testing.B, r *rig, p *phone) {
	target := serve(b, func(c *net.TCPConn) {
		for {
			if _, err := c.Write(make([]byte, piece)); err != nil {
				return
			}
		}
	})
	r.policy([]Service{web(target)}, 1)
	c := p.tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
	into := make([]byte, piece)
	b.SetBytes(piece)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.ReadFull(c, into); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(r.link.Lost()), "lost")
}

func fromPhone(b *testing.B, r *rig, p *phone) {
	r.policy([]Service{web(serve(b, hold))}, 1)
	c := p.tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
	from := make([]byte, piece)
	b.SetBytes(piece)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(from); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(r.link.Lost()), "lost")
}

// BenchmarkRequest is a connection, a request of a few bytes and its answer.
func BenchmarkRequest(b *testing.B) {
	r := newRig(b, Config{})
	r.policy([]Service{web(serve(b, echo))}, 1)
	p := r.phone(1)
	for b.Loop() {
		if err := exchangeOn(p, netip.AddrPortFrom(ours4.Addr(), 8080)); err != nil {
			b.Fatal(err)
		}
	}
}
