package gate

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// ledgerOf makes a ledger whose clock stands still and in which n peers may have web and talk.
func ledgerOf(n int) (*ledger, *time.Time) {
	now := time.Unix(1_000_000_000, 0)
	l := newLedger(func() time.Time { return now }, quiet())
	services := []Service{web("127.0.0.1:1"), talk("127.0.0.1:1")}
	p := Policy{Services: services}
	for i := range n {
		p.Peers = append(p.Peers, peerPolicy(i+1, services))
	}
	l.setPolicy(p)
	return l, &now
}

func tcpKey(phone, port int) key {
	return key{TCP, netip.AddrPortFrom(phone4(phone), uint16(port)), netip.AddrPortFrom(ours4.Addr(), 8080)}
}

func udpKey(phone, port int) key {
	return key{UDP, netip.AddrPortFrom(phone4(phone), uint16(port)), netip.AddrPortFrom(ours4.Addr(), 5000)}
}

func TestUDPEvictsLongestIdle(t *testing.T) {
	l, now := ledgerOf(1)
	var flows []*flow
	for i := range maxUDP {
		f, a := l.admitUDP(udpKey(1, i+1), 1)
		if a != carry || !l.opened(f) {
			t.Fatalf("flow %d was not admitted", i)
		}
		flows = append(flows, f)
		*now = now.Add(time.Second)
	}
	flows[0].touch(*now)
	if _, a := l.admitUDP(udpKey(1, 9999), 1); a != carry {
		t.Fatalf("answer %d at the limit, want a new flow", a)
	}
	if flows[1].ctx.Err() == nil || flows[0].ctx.Err() != nil {
		t.Error("the flow that went is not the one that was idle for longest")
	}
	if _, udp := l.count(peerID(1)); udp != maxUDP {
		t.Errorf("%d flows, want %d", udp, maxUDP)
	}
	if _, a := l.admitUDP(udpKey(1, 2), 1); a != carry {
		t.Error("the flow that went is still known")
	}
}

func TestTCPEvicts(t *testing.T) {
	l, now := ledgerOf(1)
	var flows []*flow
	for i := range maxTCP {
		f, _ := l.admitTCP(tcpKey(1, i+1), 1)
		l.opened(f)
		flows = append(flows, f)
	}
	if _, a := l.admitTCP(tcpKey(1, 9999), 1); a != refuse {
		t.Error("a flow beyond the limit was admitted while all others are busy")
	}
	*now = now.Add(2 * time.Second)
	l.drained(flows[7])
	if _, a := l.admitTCP(tcpKey(1, 9999), 1); a != carry || flows[7].ctx.Err() == nil {
		t.Error("a flow that is over but for its last acknowledgement made no room")
	}
	*now = now.Add(evictAfter)
	for _, f := range flows {
		f.touch(*now)
	}
	flows[3].touch(now.Add(-evictAfter))
	flows[4].touch(now.Add(-evictAfter - time.Second))
	if _, a := l.admitTCP(tcpKey(1, 10000), 1); a != carry || flows[4].ctx.Err() == nil || flows[3].ctx.Err() != nil {
		t.Error("the flow that was idle for longest did not make room")
	}
}

// TestIdle: nothing of TCP ends within a day, nothing of UDP within the time of RFC 4787, and both end some time.
func TestIdle(t *testing.T) {
	l, now := ledgerOf(1)
	tcp, _ := l.admitTCP(tcpKey(1, 1), 1)
	udp, _ := l.admitUDP(udpKey(1, 1), 1)
	l.opened(tcp)
	l.opened(udp)
	start := *now
	for _, tc := range []struct {
		after time.Duration
		want  []*flow
	}{
		{2 * time.Minute, nil}, {udpIdle, []*flow{udp}}, {24 * time.Hour, []*flow{udp}}, {tcpIdle, []*flow{tcp, udp}},
	} {
		*now = start.Add(tc.after)
		got := l.stale()
		if len(got) != len(tc.want) || len(got) == 1 && got[0] != tc.want[0] {
			t.Errorf("after %s %d flows are over, want %d", tc.after, len(got), len(tc.want))
		}
	}
}

// TestLedgerIsEmptyAfterwards: whatever happens to flows, in whatever order, nothing of them is left.
func TestLedgerIsEmptyAfterwards(t *testing.T) {
	l, _ := ledgerOf(3)
	var wg sync.WaitGroup
	for phone := 1; phone <= 3; phone++ {
		for i := range 400 {
			wg.Go(func() {
				f, a := l.admitTCP(tcpKey(phone, i+1), 1)
				if i%2 == 0 {
					f, a = l.admitUDP(udpKey(phone, i+1), 1)
				}
				if a != carry {
					return
				}
				if l.opened(f) {
					l.widen(f)
				}
				if i%3 == 0 {
					l.drained(f)
				}
				l.remove(f)
				l.remove(f)
			})
		}
	}
	wg.Wait()
	for _, f := range l.all() {
		l.remove(f)
	}
	if len(l.accounts)+len(l.coming)+len(l.talks)+l.wide != 0 {
		t.Errorf("left: %d accounts, %d coming, %d talks, %d wide", len(l.accounts), len(l.coming), len(l.talks), l.wide)
	}
}

func TestRepeatedSYNIsOneFlow(t *testing.T) {
	l, _ := ledgerOf(1)
	f, a := l.admitTCP(tcpKey(1, 1), 1)
	if a != carry {
		t.Fatal("not admitted")
	}
	if _, a := l.admitTCP(tcpKey(1, 1), 1); a != ongoing {
		t.Errorf("the same SYN again: answer %d, want that it is known", a)
	}
	l.opened(f)
	if _, a := l.admitTCP(tcpKey(1, 1), 1); a != carry {
		t.Errorf("a new connection from the same port: answer %d, want a new flow", a)
	}
	if got := fmt.Sprint(l.count(peerID(1))); got != "2 0" {
		t.Errorf("flows %s, want 2 0", got)
	}
}
