package access

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A listener hands out connections that are admitted, and those only.
type listener struct {
	*net.TCPListener
	door *Door
	done chan struct{}
	end  sync.Once
	work sync.WaitGroup
}

// keepQuiet renews the filter as networks come and go, until Close.
func (l *listener) keepQuiet(filter []netip.Prefix) {
	c, err := l.SyscallConn()
	if err != nil {
		return
	}
	l.work.Go(func() {
		tick := time.NewTicker(relook)
		defer tick.Stop()
		for {
			select {
			case <-l.done:
				return
			case <-tick.C:
				filter = l.door.quieten(c, filter)
			}
		}
	})
}

// Close ends the listening.
func (l *listener) Close() error {
	l.end.Do(func() { close(l.done) })
	l.work.Wait()
	return l.TCPListener.Close()
}

// Accept resets whoever is refused and goes on to the next. Its errors are the socket's own.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptTCP()
		if err != nil {
			return nil, err
		}
		if leave, ok := l.door.welcome(conn); ok {
			return &guest{TCPConn: conn, leave: leave}, nil
		}
		_ = conn.SetLinger(0) // close(2) then resets: the kernel keeps nothing for who was refused
		_ = conn.Close()
	}
}

// welcome admits a connection and takes a place for it. The room is looked at first, for that costs nothing.
func (d *Door) welcome(conn *net.TCPConn) (leave func(), ok bool) {
	remote := remoteAddr(conn)
	err := d.room.enter(remote)
	if err == nil {
		if err = d.admitConn(remote, conn); err == nil {
			return sync.OnceFunc(func() { d.room.leave(remote) }), true
		}
		d.room.leave(remote)
	}
	d.note(remote, err)
	return nil, false
}

func (d *Door) admitConn(remote netip.Addr, conn *net.TCPConn) error {
	arrived, known, err := d.kernel.ArrivedOn(conn)
	if err != nil {
		return err
	}
	if !known {
		arrived = ""
	}
	return d.admit(remote, arrived)
}

// note tells the log, a question that failed apart from an answer.
func (d *Door) note(remote netip.Addr, err error) {
	if !d.notes.due(networkOf(remote)) {
		return
	}
	if reason, ok := errors.AsType[refusal](err); ok {
		d.log.Info("somebody was kept from the page", "from", remote, "because", string(reason))
		return
	}
	d.log.Warn("somebody was kept from the page, because the network could not be asked", "from", remote, "error", err)
}

func remoteAddr(conn net.Conn) netip.Addr {
	at, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return at.AddrPort().Addr().Unmap()
}

// A guest is a connection that has a place in the room until it is closed.
type guest struct {
	*net.TCPConn
	leave func()
}

func (g *guest) Close() error {
	defer g.leave()
	return g.TCPConn.Close()
}
