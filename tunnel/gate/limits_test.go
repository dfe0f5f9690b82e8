package gate

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// TestTCPLimit: the 257th connection of a phone is reset, whichever address it comes from; another phone has its own 256;
// and a connection that has been silent for long makes room.
func TestTCPLimit(t *testing.T) {
	r := newRig(t, Config{})
	var later atomic.Int64
	r.gate.ledger.now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	r.policy([]Service{web(serve(t, hold))}, 1, 2)
	anna, ben := r.phone(1), r.phone(2)
	four, six := netip.AddrPortFrom(ours4.Addr(), 8080), netip.AddrPortFrom(ours6.Addr(), 8080)
	first := anna.tcp(four)
	for i := 1; i < maxTCP; i++ {
		anna.patientTCP([]netip.AddrPort{four, six}[i%2])
	}
	wantReset(t, "one too many, v4", anna, four)
	wantReset(t, "one too many, v6", anna, six)
	if tcp, _ := r.gate.Flows(peerID(1)); tcp != maxTCP {
		t.Errorf("the phone has %d flows, want %d", tcp, maxTCP)
	}
	_, _ = ben.tcp(four).Write([]byte("x"))

	later.Store(int64(evictAfter + time.Minute))
	eventually(t, "room in place of an idle flow", func() bool {
		_, err := anna.tryTCP(four)
		return err == nil
	})
	if _, err := first.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the flow that was idle for longest: %v, want a reset", err)
	}
}

// TestPendingLimit: a phone has 32 dials under way and no more, TCP and UDP together; other phones have theirs.
func TestPendingLimit(t *testing.T) {
	slow := newSlowNames("127.0.0.1")
	target := serve(t, echo)
	fast := Service{Name: "fast", Target: target, Port: 81, Protocol: TCP}
	slowly := web("slow.test" + target[strings.LastIndex(target, ":"):])
	slowUDP := talk("slow.test:9")
	r := newRig(t, Config{Resolver: slow.resolver()})
	r.policy([]Service{slowly, slowUDP, fast}, 1, 2)
	anna, ben := r.phone(1), r.phone(2)
	at := netip.AddrPortFrom(ours4.Addr(), slowly.Port)
	var dials sync.WaitGroup
	for range maxPending - 2 {
		dials.Go(func() { _ = exchangeOn(anna, at) })
	}
	for range 2 {
		_, _ = anna.udp(netip.AddrPortFrom(ours4.Addr(), slowUDP.Port)).Write([]byte("x"))
	}
	eventually(t, "all dials under way", func() bool {
		tcp, udp := r.gate.Flows(peerID(1))
		return tcp+udp == maxPending
	})
	wantReset(t, "one dial too many", anna, at)
	wantReset(t, "one dial too many, to a target that is there", anna, netip.AddrPortFrom(ours4.Addr(), fast.Port))
	wantUnreachable(t, "one dial too many, UDP", anna.udp(netip.AddrPortFrom(ours4.Addr(), slowUDP.Port)))
	if err := exchangeOn(ben, netip.AddrPortFrom(ours4.Addr(), fast.Port)); err != nil {
		t.Errorf("another phone: %v", err)
	}
	close(slow.wait)
	dials.Wait()
	if err := exchangeOn(anna, at); err != nil {
		t.Errorf("once the dials are over: %v", err)
	}
}

func exchangeOn(p *phone, at netip.AddrPort) error {
	c, err := p.tryTCP(at)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return exchange(c, "hello")
}

// syn makes a SYN of a phone that will never finish its handshake.
func syn(from netip.AddrPort, to netip.AddrPort) []byte {
	b := make([]byte, header.IPv4MinimumSize+header.TCPMinimumSize)
	src, dst := tcpip.AddrFrom4(from.Addr().As4()), tcpip.AddrFrom4(to.Addr().As4())
	ip := header.IPv4(b)
	ip.Encode(&header.IPv4Fields{TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(header.TCPProtocolNumber), SrcAddr: src, DstAddr: dst})
	ip.SetChecksum(^ip.CalculateChecksum())
	seg := header.TCP(b[header.IPv4MinimumSize:])
	seg.Encode(&header.TCPFields{
		SrcPort: from.Port(), DstPort: to.Port(), SeqNum: 1, DataOffset: header.TCPMinimumSize, Flags: header.TCPFlagSyn, WindowSize: 65535,
	})
	seg.SetChecksum(^seg.CalculateChecksum(header.PseudoHeaderChecksum(header.TCPProtocolNumber, src, dst, header.TCPMinimumSize)))
	return b
}

// TestHalfOpen: handshakes that a phone does not finish count as pending, and end.
func TestHalfOpen(t *testing.T) {
	r := newRig(t, Config{})
	r.gate.handshake = 200 * time.Millisecond
	r.policy([]Service{web(serve(t, echo))}, 1)
	at := netip.AddrPortFrom(ours4.Addr(), 8080)
	for i := range 4 * maxPending {
		_, _ = r.link.Write([][]byte{syn(netip.AddrPortFrom(phone4(1), uint16(2000+i)), at)}, 0)
	}
	if tcp, _ := r.gate.Flows(peerID(1)); tcp > maxPending {
		t.Errorf("%d handshakes under way, want at most %d", tcp, maxPending)
	}
	eventually(t, "an end of the handshakes", func() bool { tcp, _ := r.gate.Flows(peerID(1)); return tcp == 0 })
	if err := exchangeOn(r.phone(1), at); err != nil {
		t.Errorf("after the flood: %v", err)
	}
	r.gate.ledger.mu.Lock()
	defer r.gate.ledger.mu.Unlock()
	if n := len(r.gate.ledger.coming); n != 0 {
		t.Errorf("%d handshakes are still remembered", n)
	}
}

// TestBadPhoneLeavesOthersAlone is the promise about limits: one phone holds all that it may hold, asks for more without an
// end, downloads what it does not read and sends floods, and another phone's requests take about as long as before.
func TestBadPhoneLeavesOthersAlone(t *testing.T) {
	endless := serve(t, func(c *net.TCPConn) {
		for {
			if _, err := c.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	page := Service{Name: "page", Target: serve(t, echo), Port: 81, Protocol: TCP}
	camera := web(endless)
	talking := talk(serveUDP(t, func(b []byte) []byte { return b }))
	r := newRig(t, Config{})
	r.policy([]Service{page, camera, talking}, 1, 2)
	bad, good := r.phone(1), r.phone(2)
	at := func(s Service) netip.AddrPort { return netip.AddrPortFrom(ours4.Addr(), s.Port) }

	before := latency(t, good, at(page))
	for range maxTCP {
		bad.patientTCP(at(camera)) // and never reads
	}
	stop := make(chan struct{})
	var floods sync.WaitGroup
	flood := func(packet func(i int) []byte) {
		floods.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					_, _ = r.link.Write([][]byte{packet(i)}, 0)
				}
				if i%32 == 0 { // some thousand packets a second, which is more than a phone's radio sends
					pause()
				}
			}
		})
	}
	flood(func(i int) []byte { return syn(netip.AddrPortFrom(phone4(1), uint16(i)|1), at(page)) })
	flood(func(i int) []byte { return udpOf(netip.AddrPortFrom(phone4(1), uint16(i)|1), at(talking)) })
	during := latency(t, good, at(page))
	close(stop)
	floods.Wait()
	t.Logf("median of a request: %s alone, %s beside the bad phone", before, during)
	// The floods keep the processors busy, and so may everything else on this machine: some waiting for a processor is fair,
	// being starved is not. A request that lost a packet would wait for a second.
	if during > 100*before && during > 3*time.Second {
		t.Errorf("a request takes %s beside a bad phone, %s without it", during, before)
	}
	if tcp, udp := r.gate.Flows(peerID(1)); tcp > maxTCP || udp > maxUDP {
		t.Errorf("the bad phone has %d TCP and %d UDP flows", tcp, udp)
	}
}

// latency is the median time of a connection, a request and its answer.
func latency(t *testing.T, p *phone, at netip.AddrPort) time.Duration {
	t.Helper()
	var took []time.Duration
	for range 25 {
		begin := time.Now()
		if err := exchangeOn(p, at); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func udpOf(from, to netip.AddrPort) []byte {
	b := make([]byte, header.IPv4MinimumSize+header.UDPMinimumSize+1)
	ip := header.IPv4(b)
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b)), TTL: 64, Protocol: uint8(header.UDPProtocolNumber),
		SrcAddr: tcpip.AddrFrom4(from.Addr().As4()), DstAddr: tcpip.AddrFrom4(to.Addr().As4()),
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	// A checksum of zero is none (RFC 768).
	header.UDP(b[header.IPv4MinimumSize:]).Encode(&header.UDPFields{SrcPort: from.Port(), DstPort: to.Port(), Length: header.UDPMinimumSize + 1})
	return b
}

// TestWideFlows: large buffers are for the flows that move data, up to a peer's share, and come back when a flow ends.
func TestWideFlows(t *testing.T) {
	r := newRig(t, Config{})
	r.policy([]Service{web(serve(t, echo))}, 1)
	anna := r.phone(1)
	at := netip.AddrPortFrom(ours4.Addr(), 8080)
	var conns []tcpConn
	for range maxWide + 4 {
		conns = append(conns, anna.patientTCP(at))
	}
	wide := func() int {
		r.gate.ledger.mu.Lock()
		defer r.gate.ledger.mu.Unlock()
		return r.gate.ledger.wide
	}
	if n := wide(); n != 0 {
		t.Errorf("%d flows have large buffers before they have moved anything", n)
	}
	for _, c := range conns {
		if err := exchange(c, strings.Repeat("x", widenAfter)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all large buffers in use", func() bool { return wide() == maxWide })
	for _, c := range conns {
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	}
	eventually(t, "all large buffers back", func() bool { return wide() == 0 })
}

// TestCloseEndsHandshakes: a phone that does not finish its handshakes does not hold up the end.
func TestCloseEndsHandshakes(t *testing.T) {
	r := newRig(t, Config{})
	r.policy([]Service{web(serve(t, hold))}, 1)
	for i := range maxPending {
		_, _ = r.link.Write([][]byte{syn(netip.AddrPortFrom(phone4(1), uint16(2000+i)), netip.AddrPortFrom(ours4.Addr(), 8080))}, 0)
	}
	begin := time.Now()
	r.gate.Close()
	if took := time.Since(begin); took > handshakeTimeout/2 {
		t.Errorf("Close took %s", took)
	}
}
