package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// carrier moves the bytes of a TCP flow both ways, as they come. An end of stream on one side is passed on to the other while
// bytes still move the other way; anything else that ends one side resets both.
type carrier struct {
	gate   *Gate
	flow   *flow
	phone  tcpip.Endpoint
	queue  *waiter.Queue
	target *net.TCPConn
	raw    syscall.RawConn
	chunks *pool
}

func newCarrier(g *Gate, f *flow, phone tcpip.Endpoint, queue *waiter.Queue, target net.Conn) *carrier {
	return &carrier{gate: g, flow: f, phone: phone, queue: queue, target: target.(*net.TCPConn), chunks: g.chunks}
}

// resize fixes what the phone's end may hold, each way, and what waits for the target; the stack and the kernel would let them
// grow by themselves otherwise. A system that does not let us has its own bounds.
func (c *carrier) resize(phone, target int) {
	c.phone.SocketOptions().SetReceiveBufferSize(int64(phone), true)
	c.phone.SocketOptions().SetSendBufferSize(int64(phone), true)
	_ = c.target.SetWriteBuffer(target)
}

// abort resets both ends, and by that wakes whoever waits for one of them.
func (c *carrier) abort() {
	c.phone.Abort()
	reset(c.target)
}

// run carries until both directions have ended or the flow has.
func (c *carrier) run() {
	stop := context.AfterFunc(c.flow.ctx, c.abort)
	defer stop()
	raw, err := c.target.SyscallConn()
	if err != nil {
		c.abort()
		return
	}
	c.raw = raw
	c.resize(c.gate.sizes.small, targetSmall)
	up := make(chan struct{})
	go func() {
		defer close(up)
		c.direction(c.toTarget)
	}()
	c.direction(c.toPhone)
	<-up
	if c.flow.ctx.Err() == nil {
		_ = c.target.Close()
		c.gate.ledger.drained(c.flow)
		drain(c.flow, c.phone, c.queue)
	}
}

// direction runs one way of the flow; its failure is the end of the other way too.
func (c *carrier) direction(move func() error) {
	if err := move(); err != nil {
		c.flow.end(err)
		c.abort() // again, by AfterFunc, which does no harm; this one is done when direction is
	}
}

// meter notes what one direction has moved.
type meter struct {
	c     *carrier
	moved int
	next  int
}

func (c *carrier) meter() meter { return meter{c: c, next: widenAfter} }

func (m *meter) add(n int) {
	m.c.flow.touch(m.c.gate.ledger.now())
	m.moved += n
	if m.moved < m.next {
		return
	}
	m.next = m.moved + widenAgain
	if m.c.gate.ledger.widen(m.c.flow) {
		m.c.resize(m.c.gate.sizes.large, targetLarge)
	}
}

// toTarget moves what the phone sends.
func (c *carrier) toTarget() error {
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventHUp | waiter.EventErr)
	c.queue.EventRegister(&entry)
	defer c.queue.EventUnregister(&entry)
	m := c.meter()
	for {
		n, err := c.moveUp()
		switch {
		case errors.Is(err, io.EOF):
			return ignoreGone(c.target.CloseWrite())
		case err != nil:
			return err
		case n == 0:
			<-ready
		default:
			m.add(n)
		}
	}
}

// moveUp moves one chunk from the phone to the target; none if nothing is there.
func (c *carrier) moveUp() (int, error) {
	chunk := c.chunks.get()
	defer c.chunks.put(chunk)
	into := tcpip.SliceWriter(*chunk)
	res, err := c.phone.Read(&into, tcpip.ReadOptions{})
	switch err.(type) {
	case nil:
		return c.target.Write((*chunk)[:res.Count])
	case *tcpip.ErrWouldBlock:
		return 0, nil
	case *tcpip.ErrClosedForReceive:
		return 0, io.EOF
	}
	return 0, fmt.Errorf("reading from the phone: %s", err)
}

// toPhone moves what the target sends.
func (c *carrier) toPhone() error {
	entry, ready := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventHUp | waiter.EventErr)
	c.queue.EventRegister(&entry)
	defer c.queue.EventUnregister(&entry)
	m := c.meter()
	for {
		chunk, n, err := readWhenReady(c.raw, c.chunks)
		if n > 0 {
			err = c.give((*chunk)[:n], ready)
		}
		if chunk != nil {
			c.chunks.put(chunk)
		}
		switch {
		case err != nil:
			return err
		case n == 0:
			return c.sayLast()
		}
		m.add(n)
	}
}

// give hands b to the stack, waiting for room as often as it takes.
func (c *carrier) give(b []byte, ready <-chan struct{}) error {
	r := bytes.NewReader(b)
	for r.Len() > 0 {
		_, err := c.phone.Write(r, tcpip.WriteOptions{})
		switch err.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			<-ready
		default:
			return fmt.Errorf("sending to the phone: %s", err)
		}
	}
	return nil
}

// sayLast tells the phone that the target has said its last.
func (c *carrier) sayLast() error {
	if err := c.phone.Shutdown(tcpip.ShutdownWrite); err != nil {
		if _, gone := err.(*tcpip.ErrNotConnected); !gone {
			return fmt.Errorf("closing towards the phone: %s", err)
		}
	}
	return nil
}

// ignoreGone forgives a half-close of a connection that the other side has closed already.
func ignoreGone(err error) error {
	if errors.Is(err, syscall.ENOTCONN) {
		return nil
	}
	return err
}
