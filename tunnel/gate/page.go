package gate

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxPage is how many connections to one page a peer may have: two browsers at six each, and some that a phone has
	// forgotten. Where it is reached, one that is done or was silent for pageEvictAfter makes room: pages answer at once, so
	// that such a one only waits for another request.
	maxPage        = 16
	pageEvictAfter = 5 * time.Second

	// pageIdle is when a silent connection to a page ends, whatever its server thinks of it. Live events say something
	// much more often.
	pageIdle = 10 * time.Minute

	// maxWaitingPage and pageTakenWithin bound what waits for Accept. A server that lives takes a connection within
	// microseconds; one that does not must not make a phone wait until its own patience ends.
	maxWaitingPage  = 32
	pageTakenWithin = 10 * time.Second
)

// page is a service that ends in this process: the portal and the admin page. It is the listener that their HTTP server
// accepts from. Nothing that the server does or leaves undone holds up the gate: a connection that finds no place in the
// queue, or nobody who has ever asked for one, is reset.
type page struct {
	queue   chan *pageConn
	done    chan struct{}
	once    sync.Once
	serving atomic.Bool // somebody has called Accept
}

var _ net.Listener = (*page)(nil)

func newPage() *page {
	return &page{queue: make(chan *pageConn, maxWaitingPage), done: make(chan struct{})}
}

// Accept waits for a connection of a phone. After Close it gives net.ErrClosed.
func (p *page) Accept() (net.Conn, error) {
	p.serving.Store(true)
	for {
		select {
		case <-p.done:
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: p.Addr(), Err: net.ErrClosed}
		case c := <-p.queue:
			if c.take() {
				return c, nil
			}
		}
	}
}

// Close lets nobody in any more. Connections that were accepted go on, as with every listener.
func (p *page) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// Addr names the port. The addresses are those of the tunnel, which the page's connections know.
func (p *page) Addr() net.Addr { return &net.TCPAddr{Port: PortalPort} }

// isServed says whether a connection that comes now would be taken.
func (p *page) isServed() bool {
	select {
	case <-p.done:
		return false
	default:
		return p.serving.Load() && len(p.queue) < cap(p.queue)
	}
}

// offer hands a connection over to whoever accepts next; false: there is no room.
func (p *page) offer(c *pageConn) bool {
	select {
	case <-p.done:
		return false
	default:
	}
	select {
	case p.queue <- c:
		return true
	default:
		return false
	}
}

// Portal accepts connections of phones to the portal: TCP port 80 on our tunnel addresses, for every peer of the policy. Each
// connection's RemoteAddr is the phone's tunnel address, its LocalAddr is ours, and PeerOf tells whose it is. One that the
// policy no longer admits ends at once. Gate.Close closes the listener; closing it turns phones away.
func (g *Gate) Portal() net.Listener { return g.portal }

// Admin is the same for the admin page: TCP port 80 on the admin addresses, for the peers that have the service Admin.
func (g *Gate) Admin() net.Listener { return g.admin }

// pageOf gives the page that a service is, or nil.
func (g *Gate) pageOf(s Service) *page {
	switch s {
	case portalService():
		return g.portal
	case adminService():
		return g.admin
	}
	return nil
}

// isPage says whether a service ends in this process.
func (s Service) isPage() bool { return s == portalService() || s == adminService() }

// roomOnPage makes room for a connection to a page, which has a limit of its own within the account.
func (l *ledger) roomOnPage(a *account, s Service, now time.Time) bool {
	if !s.isPage() {
		return true
	}
	n, victim := 0, (*flow)(nil)
	for f := range a.tcp {
		if f.service != s {
			continue
		}
		n++
		if victim == nil || f.goesBefore(victim) {
			victim = f
		}
	}
	switch {
	case n < maxPage:
		return true
	case victim.stage != closing && victim.idle(now) < pageEvictAfter:
		return false
	}
	l.drop(victim)
	return true
}
