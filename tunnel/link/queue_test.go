package link

import (
	"testing"
	"testing/synctest"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

func somePacket() *stack.PacketBuffer {
	return stack.NewPacketBuffer(stack.PacketBufferOptions{})
}

func fill(q *queue) {
	for q.put(somePacket(), false) {
	}
}

// TestQueueWaits: with a reader that comes late the stack waits and loses nothing.
func TestQueueWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(4)
		fill(q)
		go func() {
			time.Sleep(patience / 2)
			q.get()
		}()
		if !q.put(somePacket(), true) {
			t.Error("a packet was dropped although there was room soon enough")
		}
	})
}

// TestQueueGivesUp: without a reader nobody waits for long, and after the first time nobody waits at all, until somebody
// reads again.
func TestQueueGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(4)
		fill(q)
		took := func() time.Duration {
			begin := time.Now()
			if q.put(somePacket(), true) {
				t.Fatal("a full queue took a packet")
			}
			return time.Since(begin)
		}
		if got := took(); got != patience {
			t.Errorf("waited %v for room, want %v", got, patience)
		}
		if got := took(); got != 0 {
			t.Errorf("waited %v more although nobody reads", got)
		}
		q.get()
		fill(q)
		if got := took(); got != patience {
			t.Errorf("waited %v after a read, want %v again", got, patience)
		}
	})
}

func TestQueueCloseWakesWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		fill(q)
		ended := make(chan time.Duration)
		go func() {
			begin := time.Now()
			q.put(somePacket(), true)
			ended <- time.Since(begin)
		}()
		synctest.Wait()
		q.close()
		if got := <-ended; got != 0 {
			t.Errorf("a writer waited %v after close", got)
		}
		if q.put(somePacket(), true) || q.get() != nil {
			t.Error("a closed queue still works")
		}
	})
}
