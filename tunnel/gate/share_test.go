package gate

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// fill opens n TCP flows of a peer as fast as its pace allows.
func fill(t *testing.T, l *ledger, now *time.Time, phone, n int) []*flow {
	t.Helper()
	var out []*flow
	for i := range n {
		f, a := l.admitTCP(tcpKey(phone, i+1), 1)
		if a != carry || !l.opened(f) {
			t.Fatalf("phone %d: flow %d was not admitted", phone, i)
		}
		out = append(out, f)
		*now = now.Add(time.Second / newRate)
	}
	return out
}

// TestManyBadPhonesHoldNoMoreThanOne: where all phones together are at the limit, the one that has most makes room, and
// whoever has little keeps it.
func TestManyBadPhonesHoldNoMoreThanOne(t *testing.T) {
	l, now := ledgerOf(4)
	good := fill(t, l, now, 4, 6)
	for phone := 1; phone <= 3; phone++ {
		for i := range maxTCP {
			if f, a := l.admitTCP(tcpKey(phone, i+1), 1); a == carry {
				l.opened(f)
			}
			*now = now.Add(time.Second / newRate)
		}
		all := 0
		for p := range 4 {
			n, _ := l.count(peerID(p + 1))
			all += n
		}
		if all > maxTCPAll {
			t.Fatalf("after %d bad phones there are %d flows, the limit is %d", phone, all, maxTCPAll)
		}
	}
	for _, f := range good {
		if f.ctx.Err() != nil {
			t.Fatal("the good phone lost a flow")
		}
	}
	if _, a := l.admitTCP(tcpKey(4, 1000), 1); a != carry {
		t.Error("the good phone can open no other flow")
	}
}

func TestAPeerOpensFlowsAtAPace(t *testing.T) {
	l, now := ledgerOf(2)
	opened := 0
	for i := range 3 * newBurst {
		f, a := l.admitUDP(udpKey(1, i+1), 1)
		if a == carry {
			opened++
			l.remove(f)
		}
	}
	if opened != newBurst {
		t.Errorf("%d flows at once, want %d", opened, newBurst)
	}
	if _, a := l.admitUDP(udpKey(2, 1), 1); a != carry {
		t.Error("one phone's haste slows another")
	}
	*now = now.Add(time.Second)
	if _, a := l.admitUDP(udpKey(1, 1), 1); a != carry {
		t.Error("a second later the phone is still refused")
	}
	l.setPolicy(Policy{})
	if len(l.paces) != 0 {
		t.Error("the pace of a removed peer is kept")
	}
}

// TestTheWallClockMakesNothingIdle: the network time arrives and the clock jumps by years.
func TestTheWallClockMakesNothingIdle(t *testing.T) {
	start := time.Now() // with a monotonic reading, which is what counts
	now := start
	l := newLedger(func() time.Time { return now }, quiet())
	services := []Service{web("127.0.0.1:1"), talk("127.0.0.1:1")}
	l.setPolicy(Policy{Services: services, Peers: []PeerPolicy{peerPolicy(1, services)}})
	f, _ := l.admitTCP(tcpKey(1, 1), 1)
	l.opened(f)
	now = start.Add(tcpIdle - time.Second)
	if stale := l.stale(); len(stale) != 0 {
		t.Error("a flow is stale before its time")
	}
	now = start.Add(tcpIdle)
	if stale := l.stale(); len(stale) != 1 {
		t.Error("a flow is not stale after its time")
	}
	if strings.Contains(f.epoch.String(), "m=") != strings.Contains(start.String(), "m=") {
		t.Error("the flow's time is not counted by the monotonic clock")
	}
}

func TestGuardAsksTheKernelAndKnowsTranslators(t *testing.T) {
	ports := func() []OwnPort { return []OwnPort{{TCP, 51821}} }
	own := func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("192.168.1.5")}, nil }
	routed := netip.MustParseAddr("10.99.0.5")
	g := newGuard(Config{OwnPorts: ports, OwnAddresses: own, IsOwn: func(a netip.Addr) (bool, error) {
		if a == netip.MustParseAddr("10.99.0.6") {
			return false, errors.New("netlink is gone")
		}
		return a == routed, nil
	}})
	for _, at := range []string{
		"10.99.0.5:51821", "10.99.0.6:51821", "[::ffff:10.99.0.5]:51821",
		"[64:ff9b:1::c0a8:105]:51821", "[2001:0:1::1]:51821", "[fe80::5efe:c0a8:105]:51821", "[fd00::200:5efe:c0a8:105]:51821",
	} {
		if g.check(TCP, netip.MustParseAddrPort(at)) == nil {
			t.Errorf("%s may be dialled", at)
		}
	}
	for _, at := range []string{"10.99.0.7:51821", "10.99.0.5:8123", "[2001:db8::5]:51821"} {
		if err := g.check(TCP, netip.MustParseAddrPort(at)); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
}
