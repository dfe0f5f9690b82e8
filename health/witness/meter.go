package witness

import (
	"errors"
	"sync"
)

// meter keeps the promise that no more bytes go out than came in. Everything that the witness sends for a caller is spent here
// first, at what it costs at most with its IP and TCP headers; what cannot be paid is not sent. What came in is counted
// without headers.
type meter struct {
	mu   sync.Mutex
	left int
}

// What things cost at most, in bytes of IP packets. A SYN has 60 bytes, or 80 over IPv6 (20 bytes of TCP header and 20 of
// options), and the kernel sends it at most 6 times within an attempt (Linux 6.5 and later: after 1, 2, 3, 4 and 6 s). If it is
// answered there are at most an acknowledgement, a FIN and its repetition.
const (
	synCost      = 80
	attemptCost  = 6*synCost + 3*72
	hopCost      = 3 * synCost
	datagramCost = 48 + 48 // payload, IPv6 and UDP headers
	segment      = 1200    // payload of one packet, at least, of what is sent in one piece
	headers      = 72      // of one packet: IPv6, TCP and its timestamps
	openCost     = 8 * headers
)

// received credits what came in, less the acknowledgements that it made the kernel send: one for two segments.
func (m *meter) received(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left += n - (n/(2*segment)+1)*headers
}

// spend takes n, if there is as much.
func (m *meter) spend(n int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left < n {
		return false
	}
	m.left -= n
	return true
}

// refund gives back what was put aside.
func (m *meter) refund(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left += n
}

// sending is what n bytes cost that go out in one piece over TCP.
func sending(n int) int { return n + (n/segment+1)*headers }

var errSpent = errors.New("more would be sent than was received")
