package gate

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestDatagrams go to the target and come back to the port that asked, small and large.
func TestDatagrams(t *testing.T) {
	families(t, func(t *testing.T, us netip.Addr) {
		r := newRig(t, Config{})
		r.policy([]Service{talk(serveUDP(t, bytes.ToUpper))}, 1)
		anna := r.phone(1)
		for _, size := range []int{1, 1200, 1300, 9000, 40000} { // from 1232 on they travel in fragments
			c := anna.udp(netip.AddrPortFrom(us, 5000))
			sent := bytes.Repeat([]byte("a"), size)
			got := make([]byte, 65536)
			if _, err := c.Write(sent); err != nil {
				t.Fatal(err)
			}
			if n, err := c.Read(got); err != nil || !bytes.Equal(got[:n], bytes.ToUpper(sent)) {
				t.Errorf("%d bytes: got %d back, %v", size, n, err)
			}
		}
		if _, udp := r.gate.Flows(peerID(1)); udp != 5 {
			t.Errorf("%d flows, want one for each of the phone's ports", udp)
		}
		if s := r.gate.Status()[0]; s.State != Up || s.Flows != 5 {
			t.Errorf("the service is %+v, want up with 5 flows", s)
		}
	})
}

// TestUDPTargetIsDown: when the target's machine says that nobody listens, the phone hears the same.
func TestUDPTargetIsDown(t *testing.T) {
	dead, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	r := newRig(t, Config{})
	r.policy([]Service{talk(dead.LocalAddr().String())}, 1)
	c := r.phone(1).udp(netip.AddrPortFrom(ours4.Addr(), 5000))
	eventually(t, "port unreachable", func() bool {
		_, err := c.Write([]byte("anyone?"))
		return err != nil && strings.Contains(err.Error(), "refused")
	})
	if s := r.gate.Status()[0]; s.State != Down || s.Error != "nothing listens at "+dead.LocalAddr().String() {
		t.Errorf("the service is %+v, want down and why", s)
	}
}

// TestUDPWaitsForTheDial: what a phone says first is kept while its target's name is looked up, up to a bound.
func TestUDPWaitsForTheDial(t *testing.T) {
	slow := newSlowNames("127.0.0.1")
	target := serveUDP(t, func(b []byte) []byte { return b })
	r := newRig(t, Config{Resolver: slow.resolver()})
	r.policy([]Service{talk("slow.test" + target[strings.LastIndex(target, ":"):])}, 1)
	c := r.phone(1).udp(netip.AddrPortFrom(ours4.Addr(), 5000))
	for i := range maxWaiting + 5 {
		_, _ = c.Write([]byte{byte(i)})
	}
	eventually(t, "a full relay", func() bool {
		for _, f := range r.gate.ledger.all() {
			f.relay.mu.Lock()
			n := len(f.relay.waiting)
			f.relay.mu.Unlock()
			return n == maxWaiting
		}
		return false
	})
	close(slow.wait)
	b := make([]byte, 1)
	for i := range maxWaiting {
		if _, err := c.Read(b); err != nil || b[0] != byte(i) {
			t.Fatalf("datagram %d: got %d, %v", i, b[0], err)
		}
	}
}

// TestUDPIdleEnds: a conversation that has been silent ends, and its next datagram begins a new one.
func TestUDPIdleEnds(t *testing.T) {
	r := newRig(t, Config{})
	r.policy([]Service{talk(serveUDP(t, func(b []byte) []byte { return b }))}, 1)
	c := r.phone(1).udp(netip.AddrPortFrom(ours4.Addr(), 5000))
	if err := exchange(c, "hello"); err != nil {
		t.Fatal(err)
	}
	for _, f := range r.gate.ledger.all() {
		f.touch(time.Now().Add(-udpIdle))
	}
	for _, f := range r.gate.ledger.stale() {
		f.end(errIdle)
	}
	eventually(t, "the end of the flow", func() bool { _, udp := r.gate.Flows(peerID(1)); return udp == 0 })
	if err := exchange(c, "again"); err != nil {
		t.Errorf("after it had ended: %v", err)
	}
}

// TestUDPPolicyCut: a conversation that is no longer admitted ends, and the phone is told.
func TestUDPPolicyCut(t *testing.T) {
	r := newRig(t, Config{})
	s := talk(serveUDP(t, func(b []byte) []byte { return b }))
	r.policy([]Service{s}, 1)
	c := r.phone(1).udp(netip.AddrPortFrom(ours4.Addr(), 5000))
	if err := exchange(c, "hello"); err != nil {
		t.Fatal(err)
	}
	r.gate.SetPolicy(Policy{Services: []Service{s}, Peers: []PeerPolicy{peerPolicy(1, nil)}})
	eventually(t, "the end of the flow", func() bool { _, udp := r.gate.Flows(peerID(1)); return udp == 0 })
	wantUnreachable(t, "after the cut", c)
}

// TestBadDatagrams: what is no datagram makes no flow.
func TestBadDatagrams(t *testing.T) {
	r := newRig(t, Config{})
	r.policy([]Service{talk(serveUDP(t, func(b []byte) []byte { return b }))}, 1)
	good := udpOf(netip.AddrPortFrom(phone4(1), 4000), netip.AddrPortFrom(ours4.Addr(), 5000))
	for name, bend := range map[string]func(b []byte){
		"longer than it is":   func(b []byte) { b[25] = 200 },
		"shorter than itself": func(b []byte) { b[25] = 7 },
		"a wrong checksum":    func(b []byte) { b[26], b[27] = 1, 2 },
	} {
		b := bytes.Clone(good)
		bend(b)
		_, _ = r.link.Write([][]byte{b}, 0)
		if n := len(r.gate.ledger.all()); n != 0 {
			t.Errorf("%s: %d flows", name, n)
		}
	}
	_, _ = r.link.Write([][]byte{good}, 0)
	if n := len(r.gate.ledger.all()); n != 1 {
		t.Errorf("a good datagram made %d flows", n)
	}
}
