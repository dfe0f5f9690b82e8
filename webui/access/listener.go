package access

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
)

// A listener hands out connections that are admitted, and those only.
type listener struct {
	*net.TCPListener
	door *Door
}

// Accept resets whoever is refused and goes on to the next. Its errors are the socket's own.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptTCP()
		if err != nil {
			return nil, err
		}
		if g, ok := l.door.welcome(conn); ok {
			return g, nil
		}
		reset(conn)
	}
}

// reset closes so that the kernel keeps nothing (SO_LINGER, socket(7)).
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// welcome admits a connection and takes a place for it, which costs nothing and is looked at first.
func (d *Door) welcome(conn *net.TCPConn) (*guest, bool) {
	remote := remoteAddr(conn)
	g := &guest{TCPConn: conn, source: remote, room: d.room}
	victim, err := d.room.enter(g)
	if victim != nil {
		reset(victim.TCPConn)
	}
	if err == nil {
		if err = d.admitConn(remote, conn); err == nil {
			return g, true
		}
		d.room.leave(g)
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

// maxLines bounds the lines of a request, header and body. net/http bounds bytes only, and a header of 20 KB out of lines as short as
// can be takes it 300. A browser sends twenty, a program's JSON has a few.
const maxLines = 200

// A guest is a connection that has a place in the room until it is closed.
type guest struct {
	*net.TCPConn
	source netip.Addr
	room   *room
	lines  atomic.Int32 // of the request that is being read
}

var errManyLines = errors.New("the request has too many lines")

// Read counts lines.
func (g *guest) Read(b []byte) (int, error) {
	n, err := g.TCPConn.Read(b)
	if g.lines.Add(int32(bytes.Count(b[:n], []byte{'\n'}))) > maxLines {
		return 0, errManyLines
	}
	return n, err
}

// Close gives the place back.
func (g *guest) Close() error {
	defer g.room.leave(g)
	return g.TCPConn.Close()
}

// nextRequest is http.Server's ConnState.
func nextRequest(c net.Conn, now http.ConnState) {
	if g, ok := c.(*guest); ok && now == http.StateIdle {
		g.lines.Store(0)
	}
}
