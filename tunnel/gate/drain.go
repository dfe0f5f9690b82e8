package gate

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// drainTime is how long a phone may take for the last bytes after both sides have said their last. It is what Linux gives
// a connection that nobody owns any more (tcp_orphan_retries: about 100 s), rounded up.
const drainTime = 2 * time.Minute

// drain waits until the phone has taken everything, so that the flow counts for as long as it costs. The end of the flow aborts
// the phone's end.
func drain(f *flow, phone tcpip.Endpoint, queue *waiter.Queue) {
	entry, changed := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventHUp | waiter.EventErr)
	queue.EventRegister(&entry)
	defer queue.EventUnregister(&entry)
	phone.Close()
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	for !isOver(phone) {
		select {
		case <-changed:
		case <-timer.C:
			phone.Abort()
			return
		case <-f.ctx.Done():
			phone.Abort()
			return
		}
	}
}

func isOver(ep tcpip.Endpoint) bool {
	s := tcp.EndpointState(ep.State())
	return s == tcp.StateClose || s == tcp.StateError
}
