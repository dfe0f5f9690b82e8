package vantage

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// This file is a canary while it is out: what stands open to the internet for two minutes at most.

// serve lasts until the listener is closed.
func (o *OpenCanary) serve() {
	for range canaryVisits {
		conn, err := o.listener.Accept()
		if err != nil {
			return
		}
		select {
		case o.guests <- struct{}{}:
			go func() {
				defer func() { <-o.guests }()
				o.greet(conn)
			}()
		default:
			o.note(conn) // it was seen open, and that is all it is for
			conn.Close()
		}
	}
	o.listener.Close() // whoever comes that often is not a vantage
}

func (o *OpenCanary) greet(conn net.Conn) {
	defer conn.Close()
	o.note(conn)
	_ = conn.SetDeadline(time.Now().Add(canaryPatience))        // of an open connection: it cannot fail
	_, _ = fmt.Fprintf(conn, "hearthgate canary %s\n", o.Nonce) // who does not take it has been here all the same
}

func (o *OpenCanary) note(conn net.Conn) {
	who, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return
	}
	addr := who.AddrPort().Addr().Unmap().WithZone("")
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.seen) < canaryVisits && !slices.Contains(o.seen, addr) {
		o.seen = append(o.seen, addr)
	}
}

// Seen tells whether somebody connected from an address.
func (o *OpenCanary) Seen(from netip.Addr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Contains(o.seen, from.Unmap().WithZone(""))
}

// Close stops listening and has the router forget the port; it may be called again, and waits for the first call. Where the
// router cannot be told, it forgets by itself after 120 s, and nobody listens.
func (o *OpenCanary) Close() {
	o.once.Do(func() {
		defer close(o.gone)
		o.listener.Close()
		o.mu.Lock()
		end := o.end
		o.mu.Unlock()
		if end != nil {
			end()
		}
		ctx, cancel := context.WithTimeout(context.Background(), unmapPatience)
		defer cancel()
		_ = o.unmap(ctx) // see above
		o.done()
	})
	<-o.gone
}
