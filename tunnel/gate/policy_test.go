package gate

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// TestPolicyCuts: each change that no longer admits a flow ends it with a reset, promptly, and ends no other.
func TestPolicyCuts(t *testing.T) {
	target, other := serve(t, echo), serve(t, echo)
	s := web(target)
	spare := Service{Name: "spare", Target: other, Port: 81, Protocol: TCP}
	both := []Service{s, spare}
	base := func() Policy {
		return Policy{Services: both, Peers: []PeerPolicy{peerPolicy(1, both), peerPolicy(2, both)}}
	}
	for name, tc := range map[string]struct {
		change    func(*Policy)
		spareToo  bool // the phone's flow to the spare service goes too
		v6Survive bool
	}{
		"the peer is gone":             {change: func(p *Policy) { p.Peers = p.Peers[1:] }, spareToo: true},
		"its address is gone":          {change: func(p *Policy) { p.Peers[0].Addresses = p.Peers[0].Addresses[1:] }, spareToo: true, v6Survive: true},
		"its address is another's now": {change: func(p *Policy) { p.Peers[0].ID = "somebody" }, spareToo: true},
		"the service is off its list":  {change: func(p *Policy) { p.Peers[0].Services = []string{"spare"} }},
		"the service is gone":          {change: func(p *Policy) { p.Services = both[1:] }},
		"the service points elsewhere": {change: func(p *Policy) {
			moved := s
			moved.Target = other
			p.Services = []Service{moved, spare}
		}},
		"the service has another port": {change: func(p *Policy) {
			moved := s
			moved.Port = 82
			p.Services = []Service{moved, spare}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Config{})
			r.gate.SetPolicy(base())
			anna, ben := r.phone(1), r.phone(2)
			four, six := ours4.Addr(), ours6.Addr()
			cut := anna.tcp(netip.AddrPortFrom(four, s.Port))
			cut6 := anna.tcp(netip.AddrPortFrom(six, s.Port))
			kept := anna.tcp(netip.AddrPortFrom(four, spare.Port))
			bens := ben.tcp(netip.AddrPortFrom(four, spare.Port))
			alive := func(when string, conns ...tcpConn) {
				t.Helper()
				for i, c := range conns {
					if err := exchange(c, "hello"); err != nil {
						t.Errorf("%s, connection %d: %v", when, i, err)
					}
				}
			}
			alive("before", cut, cut6, kept, bens)
			r.gate.SetPolicy(base())
			alive("after the same policy again", cut, cut6, kept, bens)

			p := base()
			tc.change(&p)
			begin := time.Now()
			r.gate.SetPolicy(p)
			wantCut(t, cut)
			if took := time.Since(begin); took > 5*time.Second { // the promise is one; this machine may be busy
				t.Errorf("the cut took %s", took)
			}
			if tc.v6Survive {
				alive("after the change", cut6)
			} else {
				wantCut(t, cut6)
			}
			if tc.spareToo {
				wantCut(t, kept)
			} else {
				alive("after the change", kept)
			}
			alive("after the change, another phone", bens)
		})
	}
}

func wantCut(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("read %d, %v; want a reset", n, err)
	}
}

// TestCutWhileDialling: a dial that comes back after the policy has changed does not slip through.
func TestCutWhileDialling(t *testing.T) {
	var said atomic.Int32
	slow := newSlowNames("127.0.0.1")
	target := serve(t, func(c *net.TCPConn) {
		if n, _ := io.Copy(io.Discard, c); n > 0 {
			said.Add(1)
		}
	})
	r := newRig(t, Config{Resolver: slow.resolver()})
	services := []Service{web("slow.test" + target[strings.LastIndex(target, ":"):])}
	r.policy(services, 1)
	anna := r.phone(1)
	result := make(chan error, 1)
	go func() {
		c, err := anna.tryTCP(netip.AddrPortFrom(ours4.Addr(), 8080))
		if err == nil {
			_, err = c.Write([]byte("in"))
		}
		result <- err
	}()
	eventually(t, "the dial", func() bool { tcp, _ := r.gate.Flows(peerID(1)); return tcp == 1 })
	r.policy(services)
	close(slow.wait)
	if err := <-result; err == nil {
		t.Error("the phone got a connection that it may not have")
	}
	eventually(t, "the end of the flow", func() bool { tcp, _ := r.gate.Flows(peerID(1)); return tcp == 0 })
	if said.Load() != 0 {
		t.Error("the phone's bytes reached the target")
	}
}

// TestPolicyUnderLoad changes the policy in a loop while phones come and go, so that the race detector sees all of it. Who is
// never taken off the list is never cut.
func TestPolicyUnderLoad(t *testing.T) {
	r := newRig(t, Config{})
	services := []Service{web(serve(t, echo)), talk(serveUDP(t, func(b []byte) []byte { return b }))}
	r.policy(services, 1, 2)
	at := netip.AddrPortFrom(ours4.Addr(), 8080)
	steady, flighty := r.phone(1), r.phone(2)
	stays := steady.tcp(at)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_ = exchangeOn(flighty, at)
				_, _ = flighty.udp(netip.AddrPortFrom(ours4.Addr(), 5000)).Write([]byte("x"))
			}
		}
	}()
	for i := range 200 {
		if i%2 == 0 {
			r.policy(services, 1)
		} else {
			r.policy(services, 1, 2)
		}
		if err := exchange(stays, "still here"); err != nil {
			t.Fatalf("after %d changes: %v", i, err)
		}
		_ = r.gate.Status()
	}
	close(stop)
	<-done
	r.policy(services, 1)
	eventually(t, "the end of the flighty phone's flows", func() bool {
		tcp, udp := r.gate.Flows(peerID(2))
		return tcp+udp == 0
	})
}

// TestCloseEndsEverything: after Close nothing of the gate is left, and nothing begins.
func TestCloseEndsEverything(t *testing.T) {
	r := newRig(t, Config{})
	services := []Service{web(serve(t, echo)), talk(serveUDP(t, func(b []byte) []byte { return b }))}
	r.policy(services, 1)
	anna := r.phone(1)
	c := anna.tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
	u := anna.udp(netip.AddrPortFrom(ours4.Addr(), 5000))
	if err := exchange(u, "hello"); err != nil {
		t.Fatal(err)
	}
	r.gate.Close()
	wantCut(t, c)
	if got := len(r.gate.ledger.all()); got != 0 {
		t.Errorf("%d flows after Close", got)
	}
	r.policy(services, 1)
	wantReset(t, "a connection after Close", anna, netip.AddrPortFrom(ours4.Addr(), 8080))
	r.gate.Close()
}

func TestTableFirstWins(t *testing.T) {
	a, b := web("127.0.0.1:1"), web("127.0.0.1:2")
	b.Name = "other"
	both := []Service{a, b}
	p := Policy{Services: both, Peers: []PeerPolicy{peerPolicy(1, both), {ID: "thief", Addresses: []netip.Addr{phone4(1)}, Services: []string{"other"}}}}
	peer, known, s, has := newTable(p, nil).find(tcpKey(1, 1))
	if !known || !has || peer != peerID(1) || s != a {
		t.Errorf("got %s, %+v; want the first of each", peer, s)
	}
	p.Peers[0].Addresses = []netip.Addr{netip.AddrFrom16(phone4(1).As16())}
	if peer, known, _, _ := newTable(p, nil).find(tcpKey(1, 1)); !known || peer != peerID(1) {
		t.Error("a v4-mapped address of a peer is not understood")
	}
}
