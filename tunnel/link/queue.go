package link

import (
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const (
	// queueLength is how many outbound packets may wait for wireguard-go: two of its batches, so that it always finds the
	// next one ready, and at most 320 KiB.
	queueLength = 2 * batch

	// patience is how long the stack waits for room before a packet is dropped after all. wireguard-go reads as fast as this
	// machine encrypts and its UDP socket takes packets, which is a matter of microseconds, and of some hundred milliseconds
	// where the machine is overloaded; a second without any progress means that it does not read at all, and then nobody may
	// be stuck with it.
	patience = time.Second
)

// queue holds outbound packets between the stack and wireguard-go. It is bounded, and when it is full the stack is made to
// wait: a packet dropped inside this very process would be sent again and would halve the sender's window for a shortage
// that was only ours. What a phone cannot take is never in here: that is in its connections' own buffers, and wireguard-go
// sends without waiting for anybody's answer.
type queue struct {
	packets chan *stack.PacketBuffer
	done    chan struct{}
	once    sync.Once
	stuck   atomic.Bool // nobody reads: do not wait again until somebody does
	lost    atomic.Uint64
}

func newQueue(length int) *queue {
	return &queue{packets: make(chan *stack.PacketBuffer, length), done: make(chan struct{})}
}

// put takes over the caller's reference to pkt and says whether it was queued. With wait it waits for room, up to patience.
func (q *queue) put(pkt *stack.PacketBuffer, wait bool) bool {
	select {
	case <-q.done:
	default:
		select {
		case q.packets <- pkt:
			return true
		default:
			if wait && !q.stuck.Load() && q.putLater(pkt) {
				return true
			}
		}
	}
	q.lost.Add(1)
	pkt.DecRef()
	return false
}

func (q *queue) putLater(pkt *stack.PacketBuffer) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case q.packets <- pkt:
		return true
	case <-q.done:
	case <-timer.C:
		q.stuck.Store(true)
	}
	return false
}

// get waits for a packet. It gives nil once the queue is closed.
func (q *queue) get() *stack.PacketBuffer {
	select {
	case <-q.done:
		return nil
	default:
	}
	select {
	case pkt := <-q.packets:
		if q.stuck.Load() {
			q.stuck.Store(false)
		}
		return pkt
	case <-q.done:
		return nil
	}
}

// more gives a packet that is already there, or nil.
func (q *queue) more() *stack.PacketBuffer {
	select {
	case pkt := <-q.packets:
		return pkt
	default:
		return nil
	}
}

// close wakes everybody who waits.
func (q *queue) close() {
	q.once.Do(func() { close(q.done) })
}

func (q *queue) closed() bool {
	select {
	case <-q.done:
		return true
	default:
		return false
	}
}
