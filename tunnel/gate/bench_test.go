package gate

import (
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"golang.org/x/time/rate"
)

// The benchmarks move bytes through the link and the gate: "link" without WireGuard, "wireguard" with it. Both ends run in
// this process, and in the second both encryptions, so that the numbers compare with each other only. Beside the usual ones
// they give the processor time for a MiB, which is what counts on a small machine, and the packets that found no room.

const piece = 1 << 20

type dial func(at netip.AddrPort) net.Conn

func BenchmarkToPhone(b *testing.B)      { benchmarkBoth(b, 1, toPhone) }
func BenchmarkToPhone8(b *testing.B)     { benchmarkBoth(b, 8, toPhone) }
func BenchmarkFromPhone(b *testing.B)    { benchmarkBoth(b, 1, fromPhone) }
func BenchmarkFromPhone8(b *testing.B)   { benchmarkBoth(b, 8, fromPhone) }
func BenchmarkRequest(b *testing.B)      { benchmarkBoth(b, 1, request) }
func BenchmarkRequestOnOne(b *testing.B) { benchmarkBoth(b, 1, requestOnOne) }

func benchmarkBoth(b *testing.B, streams int, move func(b *testing.B, r *rig, streams int, d dial)) {
	run := func(b *testing.B, r *rig, d dial) {
		begin := processorTime()
		move(b, r, streams, d)
		b.ReportMetric(float64(processorTime()-begin)/1e6/float64(b.N), "cpu-ms/op")
		b.ReportMetric(float64(r.link.Lost()), "lost")
	}
	b.Run("link", func(b *testing.B) {
		r, p := newBatched(b, Config{})
		run(b, r, p.dial)
	})
	b.Run("wireguard", func(b *testing.B) {
		r, p := newTunnel(b, Config{})
		run(b, r, func(at netip.AddrPort) net.Conn { return p.tcp(at) })
	})
}

// processorTime is what this process has used, in nanoseconds.
func processorTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func toPhone(b *testing.B, r *rig, streams int, d dial) {
	r.policy([]Service{web(serve(b, pour))}, 1)
	pieces := make(chan struct{})
	for range streams {
		c := d(netip.AddrPortFrom(ours4.Addr(), 8080))
		defer func() { _ = c.Close() }()
		go func() {
			into := make([]byte, piece)
			for {
				if _, err := io.ReadFull(c, into); err != nil {
					return
				}
				select {
				case pieces <- struct{}{}:
				case <-b.Context().Done():
					return
				}
			}
		}()
	}
	b.SetBytes(piece)
	b.ReportAllocs()
	for b.Loop() {
		<-pieces
	}
}

// pour sends without an end.
func pour(c *net.TCPConn) {
	from := make([]byte, piece)
	for {
		if _, err := c.Write(from); err != nil {
			return
		}
	}
}

func fromPhone(b *testing.B, r *rig, streams int, d dial) {
	r.policy([]Service{web(serve(b, hold))}, 1)
	pieces := make(chan struct{})
	for range streams {
		c := d(netip.AddrPortFrom(ours4.Addr(), 8080))
		defer func() { _ = c.Close() }()
		go func() {
			from := make([]byte, piece)
			for {
				select {
				case <-pieces:
				case <-b.Context().Done():
					return
				}
				if _, err := c.Write(from); err != nil {
					return
				}
			}
		}()
	}
	b.SetBytes(piece)
	b.ReportAllocs()
	for b.Loop() {
		pieces <- struct{}{}
	}
}

// request is a connection, a few bytes and their answer.
func request(b *testing.B, r *rig, _ int, d dial) {
	r.policy([]Service{web(serve(b, echo))}, 1)
	r.gate.ledger.mu.Lock()
	r.gate.ledger.paces[peerID(1)] = rate.NewLimiter(rate.Inf, 0) // no phone is in such a hurry
	r.gate.ledger.mu.Unlock()
	for b.Loop() {
		c := d(netip.AddrPortFrom(ours4.Addr(), 8080))
		if err := exchange(c, "hello"); err != nil {
			b.Fatal(err)
		}
		_ = c.Close()
	}
}

// requestOnOne is a KiB and its answer on a connection that stands.
func requestOnOne(b *testing.B, r *rig, _ int, d dial) {
	r.policy([]Service{web(serve(b, echo))}, 1)
	c := d(netip.AddrPortFrom(ours4.Addr(), 8080))
	defer func() { _ = c.Close() }()
	what := string(make([]byte, 1024))
	for b.Loop() {
		if err := exchange(c, what); err != nil {
			b.Fatal(err)
		}
	}
}
