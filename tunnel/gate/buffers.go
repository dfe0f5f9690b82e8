package gate

import (
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"

	"github.com/hearthgate/hearthgate/tunnel/link"
)

// What the connections of phones may hold in memory. A flow starts with link.SmallBuffer each way; one that has carried
// widenAfter gets link.LargeBuffer each way if there is a place. A buffer costs only what is in it, and more than an
// instant's worth is in it only where one side does not take what the other sends.
//
// One phone at its worst fills all of it: 16 wide flows (16 MiB), 240 small ones (15 MiB) and a chunk of the carrier's for
// each way of each flow (8 MiB) are 39 MiB of the 64 that we have. The wide places of all phones together are bounded
// too: a second phone of that kind adds 39 MiB, later ones 23; no phone at all can take away more than width from the others.
const (
	maxWide    = 16 // of one peer: two browsers and an app at full speed
	maxWideAll = 32 // of all peers

	// widenAfter is a slow start of three round trips from an initial window of ten segments: whatever is larger than a page
	// of a dashboard, and not the many small requests around it.
	widenAfter = 64 << 10
	// widenAgain is when a flow that found no place asks again.
	widenAgain = 1 << 20

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

// setBuffers fixes the size of an endpoint's buffers; the stack would let them grow by itself otherwise.
func setBuffers(ep tcpip.Endpoint, size int64) {
	ep.SocketOptions().SetReceiveBufferSize(size, true)
	ep.SocketOptions().SetSendBufferSize(size, true)
}

func narrow(ep tcpip.Endpoint) { setBuffers(ep, link.SmallBuffer) }
func wide(ep tcpip.Endpoint)   { setBuffers(ep, link.LargeBuffer) }

// pool lends buffers of one size. A buffer is taken only when there is something to put into it, so that idle flows hold none.
type pool struct{ p sync.Pool }

func newPool(size int) *pool {
	return &pool{sync.Pool{New: func() any { b := make([]byte, size); return &b }}}
}

func (p *pool) get() *[]byte  { return p.p.Get().(*[]byte) }
func (p *pool) put(b *[]byte) { p.p.Put(b) }
