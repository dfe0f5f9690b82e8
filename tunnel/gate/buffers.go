package gate

import (
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// What the connections of phones may hold in memory. How large a buffer is to begin with and how large it may become is the
// stack's: 32 KiB and 512 KiB in ours. A flow starts with the small size each way; one that has carried widenAfter gets the
// large one if there is a place. A buffer costs only what is in it, and more than an instant's worth is in it only where one
// side does not take what the other sends.
//
// A connection to a page keeps the small size and has its server's buffers, which are smaller, instead of the carrier's.
//
// Phones at their worst fill all of it: 12 wide flows (12 MiB), 276 small ones (17 MiB), a chunk of the carrier's for each
// way of each flow (9 MiB) and two goroutines (4 MiB) are 42 MiB of the 64 that we have, for one such phone or for many:
// flows and wide places of all phones together are bounded (maxTCPAll, maxWideAll). TestBadPhoneMemory is such a phone.
//
// What waits in the kernel for a target is bounded with them (it doubles what it is told, socket(7)). Left to itself it grows to
// megabytes for each connection, and 256 stalled ones fill all that a small machine has for TCP, until its kernel aborts the
// connections of everybody (seen in these tests: TCPAbortOnMemory). What has come from a target is left to the kernel: that
// grows only while we read fast, and a receive buffer of a fixed size (SO_RCVBUF) makes it drop what it had promised to
// take, which costs 200 ms each time and, where both ways are full, everything: Linux 6.18 then refuses the very
// acknowledgements that would open the window again.
const (
	maxWide    = 8  // of one peer: a browser and an app at full speed
	maxWideAll = 12 // of all peers

	// widenAfter is a slow start of three round trips from an initial window of ten segments: whatever is larger than a page
	// of a dashboard, and not the many small requests around it.
	widenAfter = 64 << 10
	// widenAgain is when a flow that found no place asks again.
	widenAgain = 1 << 20

	// targetSmall and targetLarge are for what waits in the kernel for a target, beside the stack's small and large buffers.
	// The large one is 2 Gbit/s at 1 ms, which is far in a house.
	targetSmall = 64 << 10
	targetLarge = 256 << 10

	// chunkSize is what the carrier moves at once.
	chunkSize = 16 << 10
	// datagramSize holds the largest UDP datagram.
	datagramSize = 64 << 10
)

// widen gives a flow one of the places for large buffers, if there is one.
func (l *ledger) widen(f *flow) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	acc := l.accounts[f.peer]
	if f.gone || f.wide || acc.wide >= maxWide || l.wide >= maxWideAll {
		return false
	}
	f.wide = true
	acc.wide++
	l.wide++
	return true
}

// sizes are those of an endpoint's buffers each way, in bytes.
type sizes struct{ small, large int }

// sizesOf asks a stack for its sizes; one without TCP has no use for them.
func sizesOf(s *stack.Stack) sizes {
	var r tcpip.TCPReceiveBufferSizeRangeOption
	if err := s.TransportProtocolOption(tcp.ProtocolNumber, &r); err != nil {
		return sizes{tcp.MinBufferSize, tcp.MinBufferSize}
	}
	return sizes{r.Default, r.Max}
}

// pool lends buffers of one size. A buffer is taken only when there is something to put into it, so that idle flows hold none.
type pool struct{ p sync.Pool }

func newPool(size int) *pool {
	return &pool{sync.Pool{New: func() any { b := make([]byte, size); return &b }}}
}

func (p *pool) get() *[]byte  { return p.p.Get().(*[]byte) }
func (p *pool) put(b *[]byte) { p.p.Put(b) }
