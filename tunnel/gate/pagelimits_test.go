package gate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestPageHasLimits: one phone cannot hold all connections to a page, nor does it lose its own by that.
func TestPageHasLimits(t *testing.T) {
	r := newRig(t, Config{})
	anna, ben := r.phone(1), r.phone(2)
	serveSite(t, r.gate.Portal(), greet("portal"))
	portal, _ := pages()
	r.gate.SetPolicy(grantAll(builtins(), map[int][]string{1: nil, 2: nil}))
	var held []tcpConn
	for range maxPage {
		held = append(held, anna.tcp(portal[0]))
	}
	wantReset(t, "one connection more", anna, portal[0])
	wantReset(t, "one connection more, of the other family", anna, portal[1])
	wantPage(t, browser(t, ben), portal[0], fmt.Sprintf("portal for peer-2 at %s on %s", phone4(2), portal[0]))
	for _, c := range held {
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Errorf("a connection that was held says %q, %v", line, err)
		}
		_ = c.Close()
	}
	eventually(t, "room for another", func() bool {
		c, err := anna.tryTCP(portal[0])
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// TestPageRoom: what makes room for one connection more, by the clock.
func TestPageRoom(t *testing.T) {
	l, now := ledgerOf(2)
	open := func(port int) (*flow, answer) {
		k := key{TCP, netip.AddrPortFrom(phone4(1), uint16(port)), netip.AddrPortFrom(ours4.Addr(), PortalPort)}
		f, a := l.admitTCP(k, 1)
		if a == carry {
			l.opened(f)
		}
		return f, a
	}
	other := fill(t, l, now, 1, 3)
	var flows []*flow
	for i := range maxPage {
		f, a := open(i + 100)
		if a != carry {
			t.Fatalf("connection %d was refused", i)
		}
		flows = append(flows, f)
		*now = now.Add(time.Millisecond)
	}
	if _, a := open(1000); a != refuse {
		t.Error("one more was admitted while all others are busy")
	}
	l.drained(flows[5])
	if _, a := open(1001); a != carry || flows[5].ctx.Err() == nil {
		t.Error("one that is over but for its last acknowledgement made no room")
	}
	*now = now.Add(pageEvictAfter)
	flows[0].touch(*now)
	if _, a := open(1002); a != carry || flows[1].ctx.Err() == nil || flows[0].ctx.Err() != nil {
		t.Error("the one that was silent for longest made no room")
	}
	for _, f := range other {
		if f.ctx.Err() != nil {
			t.Error("a connection to a service made room for one to a page")
		}
	}
	*now = now.Add(pageIdle)
	for _, f := range l.stale() {
		if !f.service.isPage() {
			t.Error("a connection to a service is stale as soon as one to a page")
		}
	}
	if n := len(l.stale()); n != maxPage {
		t.Errorf("%d connections are stale, want all %d", n, maxPage)
	}
}

// TestPageWhoseServerHangs: a phone is told soon, and a connection that was accepted stays.
func TestPageWhoseServerHangs(t *testing.T) {
	r := newRig(t, Config{})
	r.gate.taken = 50 * time.Millisecond
	anna := r.phone(1)
	portal, _ := pages()
	r.gate.SetPolicy(grantAll(builtins(), map[int][]string{1: nil}))
	first, taken := acceptOne(t, r.gate.Portal(), anna, portal[0])
	wantCut(t, anna.tcp(portal[0])) // nobody accepts this one
	if err := exchangeWith(first, taken); err != nil {
		t.Errorf("the connection that was accepted: %v", err)
	}
}

// acceptOne makes a connection to a page that is accepted, the only one.
func acceptOne(t *testing.T, l net.Listener, p *phone, at netip.AddrPort) (phones tcpConn, ours net.Conn) {
	t.Helper()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	eventually(t, "a server that accepts", func() bool { return l.(*page).serving.Load() })
	phones = p.tcp(at)
	ours = <-accepted
	t.Cleanup(func() { _ = ours.Close() })
	return phones, ours
}

// TestPageThatNobodyServes: the phone is told at once, before and after there is a server.
func TestPageThatNobodyServes(t *testing.T) {
	r := newRig(t, Config{})
	anna := r.phone(1)
	portal, admin := pages()
	r.gate.SetPolicy(grantAll(builtins(), map[int][]string{1: {Admin}}))
	wantReset(t, "a portal before its server", anna, portal[0])
	wantReset(t, "an admin page without a server", anna, admin[0])
	for _, s := range r.gate.Status() {
		if s.Name == Admin && (s.State != Down || s.Error == "") {
			t.Errorf("the admin page is %+v", s)
		}
	}

	l := r.gate.Portal()
	first, taken := acceptOne(t, l, anna, portal[0])
	queued := make(chan error, 1)
	waits := anna.tcp(portal[1])
	eventually(t, "a connection in the queue", func() bool { return len(l.(*page).queue) > 0 })
	go func() {
		_, err := waits.Read(make([]byte, 1))
		queued <- err
	}()
	_ = l.Close()
	if err := <-queued; err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("a connection that waited for a server that went reads %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepting after Close gives %v", err)
	}
	wantReset(t, "a portal whose server is gone", anna, portal[0])
	if err := exchangeWith(first, taken); err != nil {
		t.Errorf("the connection that was accepted, after that: %v", err)
	}
}

// exchangeWith sends something both ways.
func exchangeWith(a, b net.Conn) error {
	for range 2 {
		if _, err := a.Write([]byte("hello")); err != nil {
			return err
		}
		if err := readWant(b, "hello"); err != nil {
			return err
		}
		a, b = b, a
	}
	return nil
}

// TestPageQueueIsBounded: a server that accepts nothing more holds up nobody, and holds little.
func TestPageQueueIsBounded(t *testing.T) {
	r := newRig(t, Config{})
	p := r.gate.portal
	p.serving.Store(true)
	var phones []*phone
	lists := map[int][]string{}
	for n := range 4 {
		phones = append(phones, r.phone(n+1))
		lists[n+1] = nil
	}
	r.gate.SetPolicy(grantAll(append(builtins(), web(serve(t, echo))), lists))
	portal, _ := pages()
	for i := range maxWaitingPage {
		phones[i%3].patientTCP(portal[0])
	}
	eventually(t, "a full queue", func() bool { return len(p.queue) == maxWaitingPage })
	wantReset(t, "one connection more", phones[3], portal[0])
	lists[4] = []string{"web"}
	r.gate.SetPolicy(grantAll(append(builtins(), web(serve(t, echo))), lists))
	if err := exchangeOn(phones[3], netip.AddrPortFrom(ours4.Addr(), 8080)); err != nil {
		t.Errorf("a service beside it: %v", err)
	}
}

// TestPageDeadlines: the server's timeouts work on a phone that says nothing and on one that takes nothing.
func TestPageDeadlines(t *testing.T) {
	r := newRig(t, Config{})
	anna := r.phone(1)
	wrote := make(chan error, 1)
	serveSite(t, r.gate.Admin(), greet("admin"), func(s *http.Server) { s.ReadHeaderTimeout = 50 * time.Millisecond })
	serveSite(t, r.gate.Portal(), func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, err := io.CopyN(w, zeros{}, 64<<20)
		wrote <- err
	})
	r.gate.SetPolicy(grantAll(builtins(), map[int][]string{1: {Admin}}))
	portal, admin := pages()
	silent := anna.tcp(admin[0])
	if n, err := silent.Read(make([]byte, 1)); err == nil || n != 0 {
		t.Errorf("a phone that says nothing reads %d, %v", n, err)
	}
	deaf := anna.tcp(portal[1])
	fmt.Fprintf(deaf, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := <-wrote; err == nil || !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "timeout") {
		t.Errorf("writing to a phone that takes nothing gives %v", err)
	}
}
