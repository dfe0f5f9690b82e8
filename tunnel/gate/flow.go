package gate

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// Why flows end before their two ends want it.
var (
	errNotAdmitted = errors.New("the policy does not admit this any more")
	errEvicted     = errors.New("the peer opened another flow and had no room for this idle one")
	errIdle        = errors.New("idle for too long")
	errFinished    = errors.New("finished")
)

// key names a flow: who asks for what.
type key struct {
	protocol    Protocol
	phone, ours netip.AddrPort
}

func keyOf(p Protocol, id stack.TransportEndpointID) key {
	return key{
		protocol: p,
		phone:    netip.AddrPortFrom(addrOf(id.RemoteAddress), id.RemotePort),
		ours:     netip.AddrPortFrom(addrOf(id.LocalAddress), id.LocalPort),
	}
}

func addrOf(a tcpip.Address) netip.Addr {
	addr, _ := netip.AddrFromSlice(a.AsSlice())
	return addr
}

// stage is how far a flow is.
type stage uint8

const (
	pending stage = iota // the target is being dialled, or the phone's handshake is under way
	open                 // bytes move
	closing              // both sides have said their last; the phone's end still has to take or acknowledge it
)

// flow is one TCP connection or UDP conversation of a phone, from its first packet to its last. What its account needs of it
// is guarded by the ledger.
type flow struct {
	key     key
	peer    string
	service Service
	nic     tcpip.NICID // of the stack, where its first packet came in
	relay   *relay      // of UDP only

	// ctx is the flow's life: whatever waits for the flow's sake waits for this too, and end ends it.
	ctx    context.Context
	cancel context.CancelCauseFunc

	epoch time.Time    // the ledger's: all flows count from there
	moved atomic.Int64 // when bytes last moved, in nanoseconds since epoch

	stage stage // guarded by the ledger
	wide  bool  // has large buffers; guarded by the ledger
	gone  bool  // counts no more; guarded by the ledger
}

func newFlow(k key, nic tcpip.NICID, peer string, s Service, epoch, now time.Time) *flow {
	f := &flow{key: k, nic: nic, peer: peer, service: s, epoch: epoch}
	f.ctx, f.cancel = context.WithCancelCause(context.Background())
	f.touch(now)
	if k.protocol == UDP {
		f.relay = &relay{}
	}
	return f
}

// end makes whoever carries the flow drop both of its ends. The first cause stays.
func (f *flow) end(cause error) { f.cancel(cause) }

// touch notes that bytes moved. It is counted by the monotonic clock: the wall clock of a Pi jumps by years when the network
// time arrives, and every flow would be idle for years.
func (f *flow) touch(now time.Time) { f.moved.Store(int64(now.Sub(f.epoch))) }

// maxIdle is how long it may be idle.
func (f *flow) maxIdle() time.Duration {
	switch {
	case f.key.protocol == UDP:
		return udpIdle
	case f.service.isPage():
		return pageIdle
	}
	return tcpIdle
}

// goesBefore says that f makes room before g does: whatever both sides have finished with first, then what has been idle for
// longer. The ledger must be held.
func (f *flow) goesBefore(g *flow) bool {
	if (f.stage == closing) != (g.stage == closing) {
		return f.stage == closing
	}
	return f.moved.Load() < g.moved.Load()
}

// idle is for how long none have.
func (f *flow) idle(now time.Time) time.Duration {
	return now.Sub(f.epoch) - time.Duration(f.moved.Load())
}
