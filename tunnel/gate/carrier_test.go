package gate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func readWant(c io.Reader, want string) error {
	b := make([]byte, len(want))
	if _, err := io.ReadFull(c, b); err != nil {
		return fmt.Errorf("reading %q, got %q: %w", want, b, err)
	}
	if string(b) != want {
		return fmt.Errorf("read %q, want %q", b, want)
	}
	return nil
}

// TestHalfCloseOfThePhone: what the target says after the phone has said its last still arrives.
func TestHalfCloseOfThePhone(t *testing.T) {
	families(t, func(t *testing.T, us netip.Addr) {
		target := serve(t, func(c *net.TCPConn) {
			asked, _ := io.ReadAll(c)
			_, _ = c.Write([]byte("you said " + string(asked)))
		})
		r := newRig(t, Config{})
		r.policy([]Service{web(target)}, 1)
		c := r.phone(1).tcp(netip.AddrPortFrom(us, 8080))
		_, _ = c.Write([]byte("all"))
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || string(got) != "you said all" {
			t.Errorf("got %q, %v", got, err)
		}
		eventually(t, "the end of the flow", func() bool { n, _ := r.gate.Flows(peerID(1)); return n == 0 })
	})
}

// TestHalfCloseOfTheTarget: what the phone says after the target has said its last still arrives.
func TestHalfCloseOfTheTarget(t *testing.T) {
	families(t, func(t *testing.T, us netip.Addr) {
		heard := make(chan string, 1)
		target := serve(t, func(c *net.TCPConn) {
			_, _ = c.Write([]byte("go on"))
			_ = c.CloseWrite()
			all, _ := io.ReadAll(c)
			heard <- string(all)
		})
		r := newRig(t, Config{})
		r.policy([]Service{web(target)}, 1)
		c := r.phone(1).tcp(netip.AddrPortFrom(us, 8080))
		if got, err := io.ReadAll(c); err != nil || string(got) != "go on" {
			t.Fatalf("got %q, %v", got, err)
		}
		_, _ = c.Write([]byte("later"))
		_ = c.CloseWrite()
		if got := <-heard; got != "later" {
			t.Errorf("the target heard %q after its own last word", got)
		}
	})
}

// TestResetOfTheTarget: a target that gives up is a reset for the phone, not an end that looks complete.
func TestResetOfTheTarget(t *testing.T) {
	target := serve(t, func(c *net.TCPConn) {
		_, _ = c.Write([]byte("half"))
		_, _ = io.ReadFull(c, make([]byte, 4))
		_ = c.SetLinger(0)
	})
	r := newRig(t, Config{})
	r.policy([]Service{web(target)}, 1)
	c := r.phone(1).tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
	if err := readWant(c, "half"); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("more"))
	if _, err := io.ReadAll(c); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the phone read until %v, want a reset", err)
	}
}

// TestResetOfThePhone: the same the other way.
func TestResetOfThePhone(t *testing.T) {
	ended := make(chan error, 1)
	target := serve(t, func(c *net.TCPConn) {
		for {
			if _, err := c.Write(make([]byte, 4096)); err != nil {
				ended <- err
				return
			}
		}
	})
	r := newRig(t, Config{})
	r.policy([]Service{web(target)}, 1)
	c := r.phone(1).tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
	_, _ = io.ReadFull(c, make([]byte, 100_000))
	_ = c.Close() // with bytes unread, which is a reset
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the target wrote until %v, want a reset", err)
	}
	eventually(t, "the end of the flow", func() bool { n, _ := r.gate.Flows(peerID(1)); return n == 0 })
}

// TestEndlessStream is a camera: its parts arrive as they are sent, although the answer never ends.
func TestEndlessStream(t *testing.T) {
	next := make(chan string)
	target := serve(t, func(c *net.TCPConn) {
		for part := range next {
			_, _ = c.Write([]byte(part))
		}
	})
	r := newRig(t, Config{})
	r.policy([]Service{web(target)}, 1)
	c := r.phone(1).tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
	defer close(next)
	for i := range 20 {
		part := fmt.Sprintf("frame %02d", i)
		next <- part
		if err := readWant(c, part); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUploadIsNotBuffered: a target that takes nothing stops the phone after what the buffers hold.
func TestUploadIsNotBuffered(t *testing.T) {
	release := make(chan struct{})
	target := serve(t, func(c *net.TCPConn) {
		_ = c.SetReadBuffer(4096)
		<-release
	})
	defer close(release)
	r := newRig(t, Config{})
	r.policy([]Service{web(target)}, 1)
	c := r.phone(1).tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
	const all = 64 << 20
	done := make(chan int64)
	go func() {
		n, _ := io.Copy(c, io.LimitReader(zeros{}, all))
		done <- n
	}()
	var used int64
	eventually(t, "a stop of the upload", func() bool {
		last := used
		used = r.received()
		return used > 0 && used == last && stillSame(r, used)
	})
	// Beside our own 512 KiB there are the sending socket's buffer and the target's, which the kernel may grow to some
	// megabytes.
	if used > all/2 {
		t.Errorf("%d of %d bytes were taken from a phone whose target takes none", used, all)
	}
	_ = c.Close()
	<-done
}

// received is how many bytes of packets have come from the phones.
func (r *rig) received() int64 {
	return int64(r.stack.NICInfo()[1].Stats.Rx.Bytes.Value())
}

// stillSame looks whether nothing moves for a while.
func stillSame(r *rig, n int64) bool {
	for range 50 {
		if pause(); r.received() > n+16<<10 { // window probes
			return false
		}
	}
	return true
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestBytesArriveWhole moves 64 MiB each way at once (less under the race detector, which makes every packet dear) and compares
// what arrives.
func TestBytesArriveWhole(t *testing.T) {
	families(t, func(t *testing.T, us netip.Addr) {
		const size = bulk
		got := make(chan []byte, 1)
		down, want := noise(1, size)
		target := serve(t, func(c *net.TCPConn) {
			var sent sync.WaitGroup
			sent.Go(func() {
				_, _ = io.Copy(c, down)
				_ = c.CloseWrite()
			})
			h := sha256.New()
			if n, err := io.Copy(h, c); n != size || err != nil {
				t.Errorf("the target got %d of %d bytes, %v", n, size, err)
			}
			got <- h.Sum(nil)
			sent.Wait()
		})
		r := newRig(t, Config{})
		r.policy([]Service{web(target)}, 1)
		c := r.phone(1).tcp(netip.AddrPortFrom(us, 8080))
		up, wantUp := noise(2, size)
		go func() {
			if n, err := io.Copy(c, up); n != size || err != nil {
				t.Errorf("the phone sent %d of %d bytes, %v", n, size, err)
			}
			_ = c.CloseWrite()
		}()
		h := sha256.New()
		if n, err := io.Copy(h, c); err != nil || n != size || !bytes.Equal(h.Sum(nil), want.Sum(nil)) {
			t.Errorf("the phone got %d of %d bytes, %v, or others than were sent", n, size, err)
		}
		if !bytes.Equal(<-got, wantUp.Sum(nil)) {
			t.Error("the target got other bytes than were sent")
		}
	})
}

// noise gives size bytes, and the hash of those that were read.
func noise(seed byte, size int64) (io.Reader, hash.Hash) {
	h := sha256.New()
	return io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{seed}), size), h), h
}

// TestManyShort opens and ends many connections, one after the other, and leaves nothing behind.
func TestManyShort(t *testing.T) {
	target := serve(t, func(c *net.TCPConn) { _, _ = c.Write([]byte("bye")) })
	r := newRig(t, Config{})
	r.policy([]Service{web(target)}, 1)
	anna := r.phone(1)
	for range 2 * maxTCP {
		c := anna.tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
		if got, err := io.ReadAll(c); err != nil || string(got) != "bye" {
			t.Fatalf("got %q, %v", got, err)
		}
		_ = c.Close()
	}
	eventually(t, "the end of all flows", func() bool { n, _ := r.gate.Flows(peerID(1)); return n == 0 })
}
