package gate

import (
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// TestBadPhoneMemory: a phone opens all that it may, earns all the large buffers that it can, and then takes nothing that it
// asked for and sends to targets that take nothing. What that costs is what buffers.go says, and stays so.
func TestBadPhoneMemory(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	pouring := serve(t, func(c *net.TCPConn) {
		go trickle(c)
		<-stuck // and never reads
	})
	r, p := newBatched(t, Config{})
	makeFrugal(t, p.stack)
	r.policy([]Service{web(pouring)}, 1)
	before := inUse()
	for i := range crowd {
		c := p.dial(netip.AddrPortFrom(ours4.Addr(), 8080))
		if i < maxWide {
			_, _ = io.CopyN(io.Discard, c, 4*widenAfter)
		}
		go trickle(c)
		defer func() { _ = c.Close() }()
	}
	// 42 MiB by the sum in buffers.go, and the rest for the records of both ends.
	const limit = 48 << 20
	var last int64
	eventually(t, "a standstill", func() bool {
		time.Sleep(100 * time.Millisecond)
		now := inUse()
		still := now < last+1<<18 && last < now+1<<18
		last = now
		return still
	})
	t.Logf("%d flows at a standstill hold %d MiB, both ends together", crowd, (last-before)>>20)
	if last-before > limit {
		t.Errorf("one phone makes us hold %d MiB", (last-before)>>20)
	}
}

// makeFrugal takes the phone's own buffers out of the sum, since it is in this process too.
func makeFrugal(t *testing.T, s *stack.Stack) {
	t.Helper()
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: tcp.MinBufferSize, Max: tcp.MinBufferSize}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: tcp.MinBufferSize, Max: tcp.MinBufferSize}
	for _, opt := range []tcpip.SettableTransportProtocolOption{&receive, &send} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, opt); err != nil {
			t.Fatal(err)
		}
	}
}

// trickle sends without an end and without a buffer worth counting.
func trickle(c net.Conn) {
	from := make([]byte, 2048)
	for {
		if _, err := c.Write(from); err != nil {
			return
		}
	}
}

// inUse is what is alive on the heap.
func inUse() int64 {
	for range 3 { // what pools hold outlives the first two
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
