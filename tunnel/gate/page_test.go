package gate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/tunnel/link"
)

// TestPagesThroughWireGuard: the portal is everybody's, the admin page that of whoever has the service, and each is alone where
// it is.
func TestPagesThroughWireGuard(t *testing.T) {
	r, anna := newTunnel(t, Config{})
	site := serveSite(t, r.gate.Portal(), greet("portal"))
	serveSite(t, r.gate.Admin(), greet("admin"))
	portal, admin := pages()
	services := append(builtins(), web(serve(t, echo)))
	b := browser(t, anna)

	r.gate.SetPolicy(grantAll(services, map[int][]string{1: nil}))
	for i, from := range []netip.Addr{phone4(1), phone6(1)} {
		for range 3 {
			wantPage(t, b, portal[i], fmt.Sprintf("portal for peer-1 at %s on %s", from, portal[i]))
		}
		wantReset(t, "the admin page without the service", anna, admin[i])
	}
	if n := site.conns.Load(); n != 2 {
		t.Errorf("three requests in each family took %d connections", n)
	}

	r.gate.SetPolicy(grantAll(services, map[int][]string{1: {Admin, "web"}}))
	for i, from := range []netip.Addr{phone4(1), phone6(1)} {
		wantPage(t, b, admin[i], fmt.Sprintf("admin for peer-1 at %s on %s", from, admin[i]))
		wantPage(t, b, portal[i], fmt.Sprintf("portal for peer-1 at %s on %s", from, portal[i]))
		for _, port := range []uint16{8080, HomeAssistantPort, 81, 443} {
			wantReset(t, "another port of the admin address", anna, netip.AddrPortFrom(admin[i].Addr(), port))
		}
		wantUnreachable(t, "udp to the admin page", anna.udp(admin[i]))
		wantUnreachable(t, "udp to the portal", anna.udp(portal[i]))
	}
	if tcp, _ := r.gate.Flows(peerID(1)); tcp != 4 {
		t.Errorf("the pages' four connections count as %d", tcp)
	}
	for _, s := range r.gate.Status() {
		if s.Name == Admin && (s.State != Up || s.Flows != 2) {
			t.Errorf("the admin page is %+v", s)
		}
	}
}

// TestPagesBelongToNoService: a service that somebody called admin is not the admin page, and one on port 80 not the portal.
func TestPagesBelongToNoService(t *testing.T) {
	r := newRig(t, Config{})
	anna := r.phone(1)
	serveSite(t, r.gate.Portal(), greet("portal"))
	serveSite(t, r.gate.Admin(), greet("admin"))
	portal, admin := pages()
	target := serve(t, echo)
	r.policy([]Service{{Name: Admin, Target: target, Port: 80, Protocol: TCP}, {Name: "web", Target: target, Port: 80, Protocol: TCP}}, 1)
	wantPage(t, browser(t, anna), portal[0], fmt.Sprintf("portal for peer-1 at %s on %s", phone4(1), portal[0]))
	wantReset(t, "the admin page", anna, admin[0])
	c := asking(t, anna, portal[1])
	r.policy(nil)
	wantCut(t, c)
}

// asking is a phone that has had an answer and could ask again. One that has never said anything might not be told of the end:
// see ledger.ask.
func asking(t *testing.T, p *phone, at netip.AddrPort) tcpConn {
	t.Helper()
	c := p.tcp(at)
	fmt.Fprintf(c, "GET /greeting HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return c
}

// TestPageEndsWithThePolicy: in the middle of an answer, and while a connection rests between two.
func TestPageEndsWithThePolicy(t *testing.T) {
	for name, after := range map[string]Policy{
		"the peer is gone":     grantAll(builtins(), map[int][]string{2: {Admin}}),
		"the service is taken": grantAll(builtins(), map[int][]string{1: {HomeAssistant}}),
		"there is none":        grantAll(builtins()[:1], map[int][]string{1: {Admin}}),
	} {
		t.Run(name, func(t *testing.T) {
			families(t, func(t *testing.T, us netip.Addr) {
				r := newRig(t, Config{})
				anna := r.phone(1)
				gone := make(chan struct{})
				serveSite(t, r.gate.Admin(), func(w http.ResponseWriter, req *http.Request) {
					fmt.Fprintln(w, "event")
					if req.URL.Path != "/events" {
						return
					}
					_ = http.NewResponseController(w).Flush()
					<-req.Context().Done()
					close(gone)
				})
				_, admin := pages()
				at := admin[0]
				if us.Is6() {
					at = admin[1]
				}
				r.gate.SetPolicy(grantAll(builtins(), map[int][]string{1: {Admin}}))
				c := anna.tcp(at)
				rest := asking(t, anna, at)
				fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
				in := bufio.NewReader(c)
				for line := ""; line != "event\n"; {
					var err error
					if line, err = in.ReadString('\n'); err != nil {
						t.Fatal(err)
					}
				}
				r.gate.SetPolicy(after)
				<-gone
				if _, err := io.Copy(io.Discard, in); err == nil || !strings.Contains(err.Error(), "reset") {
					t.Errorf("the phone reads %v, want a reset", err)
				}
				wantCut(t, rest)
				eventually(t, "an empty account", func() bool { tcp, _ := r.gate.Flows(peerID(1)); return tcp == 0 })
			})
		})
	}
}

// TestPageDeliversItsLast: a large answer arrives whole though the server closes right behind it.
func TestPageDeliversItsLast(t *testing.T) {
	families(t, func(t *testing.T, us netip.Addr) {
		r := newRig(t, Config{})
		anna := r.phone(1)
		serveSite(t, r.gate.Portal(), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			_, _ = io.CopyN(w, zeros{}, 1<<20)
		})
		r.gate.SetPolicy(grantAll(nil, map[int][]string{1: nil}))
		got, err := get(t, browser(t, anna), netip.AddrPortFrom(us, PortalPort))
		if err != nil || len(got) != 1<<20 {
			t.Errorf("%d bytes arrived, %v", len(got), err)
		}
		eventually(t, "an empty account", func() bool { tcp, _ := r.gate.Flows(peerID(1)); return tcp == 0 })
	})
}

// TestPageOfAGateThatIsNotAttached: a server may start before the tunnel does, and ends with the gate.
func TestPageOfAGateThatIsNotAttached(t *testing.T) {
	g := New(Config{})
	ended := make(chan error, 2)
	for _, l := range []net.Listener{g.Portal(), g.Admin()} {
		go func() { ended <- http.Serve(l, greet("a page")) }() //nolint:gosec // it lives for a moment
	}
	s, l, err := link.NewStack(link.MTU, ours4, ours6)
	if err != nil {
		t.Fatal(err)
	}
	g.Attach(s)
	g.Close()
	for range 2 {
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("serving ended with %v", err)
		}
	}
	_ = l.Close()
	s.Destroy()
}

// TestPagesLeaveNothingBehind: whatever ended them.
func TestPagesLeaveNothingBehind(t *testing.T) {
	r := newRig(t, Config{})
	anna := r.phone(1)
	serveSite(t, r.gate.Portal(), greet("portal"))
	portal, _ := pages()
	policy := grantAll(nil, map[int][]string{1: nil})
	r.gate.SetPolicy(policy)
	wantPage(t, browser(t, anna), portal[0], fmt.Sprintf("portal for peer-1 at %s on %s", phone4(1), portal[0]))
	calm := func() bool { tcp, _ := r.gate.Flows(peerID(1)); return tcp <= 1 }
	eventually(t, "calm", calm)
	before := runtime.NumGoroutine()
	for round := range 12 {
		var open []tcpConn
		for i := range 8 {
			c := anna.patientTCP(portal[i%2])
			if i%2 == 0 {
				fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			}
			open = append(open, c)
		}
		switch round % 3 {
		case 0:
			r.gate.SetPolicy(Policy{})
			r.gate.SetPolicy(policy)
		case 1:
			for _, c := range open {
				_ = c.CloseWrite()
			}
		}
		for _, c := range open {
			_ = c.Close()
		}
		eventually(t, "calm", calm)
	}
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
	r.gate.ledger.mu.Lock()
	defer r.gate.ledger.mu.Unlock()
	if n := len(r.gate.ledger.coming); n != 0 {
		t.Errorf("%d flows are still pending", n)
	}
}

// TestPeerOf: through what wraps a connection, and of no other connection.
func TestPeerOf(t *testing.T) {
	c := &pageConn{flow: &flow{peer: "anna"}}
	if id, ok := PeerOf(wrapped{c}); !ok || id != "anna" {
		t.Errorf("it is %q's, %t", id, ok)
	}
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	for _, c := range []net.Conn{nil, a, wrapped{a}} {
		if id, ok := PeerOf(c); ok || id != "" {
			t.Errorf("%T is %q's", c, id)
		}
	}
}

type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }
