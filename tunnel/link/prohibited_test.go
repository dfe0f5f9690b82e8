package link

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// written gives the packets that the link answers to one Write.
func written(t testing.TB, l *Link, packets ...[]byte) [][]byte {
	t.Helper()
	if n, err := l.Write(packets, 0); n != len(packets) || err != nil {
		t.Fatalf("Write gave %d, %v; want %d packets taken", n, err, len(packets))
	}
	var out [][]byte
	for pkt := l.out.more(); pkt != nil; pkt = l.out.more() {
		b := make([]byte, 65536)
		out = append(out, b[:unload(pkt, b)])
	}
	return out
}

func TestProhibited4(t *testing.T) {
	asked := datagram(anna4, router4, header.TCPProtocolNumber, bytes.Repeat([]byte{7}, 1000))
	got := written(t, testLink(t), asked)
	if len(got) != 1 {
		t.Fatalf("%d answers, want 1", len(got))
	}
	ip := header.IPv4(got[0])
	if !ip.IsValid(len(got[0])) || !ip.IsChecksumValid() {
		t.Fatal("the answer is no valid IPv4 packet")
	}
	if len(ip) != maxQuoting4 {
		t.Errorf("the answer has %d bytes, want as much of the packet as fits in %d", len(ip), maxQuoting4)
	}
	if ip.SourceAddress() != gv(ours4.Addr()) || ip.DestinationAddress() != gv(anna4) {
		t.Errorf("the answer goes from %s to %s", ip.SourceAddress(), ip.DestinationAddress())
	}
	m := header.ICMPv4(ip.Payload())
	if m.Type() != header.ICMPv4DstUnreachable || m.Code() != 13 || checksum.Checksum(m, 0) != 0xffff {
		t.Errorf("type %d, code %d; want 3, 13 and a right checksum", m.Type(), m.Code())
	}
	if !bytes.HasPrefix(asked, m.Payload()) {
		t.Error("the answer does not quote the packet that it is about")
	}
}

func TestProhibited6(t *testing.T) {
	asked := datagram(anna6, router6, header.UDPProtocolNumber, bytes.Repeat([]byte{7}, 1400))
	got := written(t, testLink(t), asked)
	if len(got) != 1 {
		t.Fatalf("%d answers, want 1", len(got))
	}
	ip := header.IPv6(got[0])
	if !ip.IsValid(len(ip)) || len(ip) != maxQuoting6 {
		t.Fatalf("the answer has %d bytes, want a valid packet of %d", len(ip), maxQuoting6)
	}
	if ip.SourceAddress() != gv(ours6.Addr()) || ip.DestinationAddress() != gv(anna6) {
		t.Errorf("the answer goes from %s to %s", ip.SourceAddress(), ip.DestinationAddress())
	}
	m := header.ICMPv6(ip.Payload())
	sum := header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: m, Src: ip.SourceAddress(), Dst: ip.DestinationAddress()})
	if m.Type() != header.ICMPv6DstUnreachable || m.Code() != 1 || m.Checksum() != sum {
		t.Errorf("type %d, code %d; want 1, 1 and a right checksum", m.Type(), m.Code())
	}
	if !bytes.HasPrefix(asked, m.Payload()) {
		t.Error("the answer does not quote the packet that it is about")
	}
}

// TestRefusalsArePerPhone: who scans the LAN uses up the own answers and nobody else's.
func TestRefusalsArePerPhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLink(t)
		scan := make([][]byte, 0, 200)
		for range cap(scan) {
			scan = append(scan, datagram(anna4, router4, header.TCPProtocolNumber, make([]byte, 20)))
		}
		if got := len(written(t, l, scan...)); got != errorBurst {
			t.Errorf("a scan of %d packets got %d answers, want %d", len(scan), got, errorBurst)
		}
		if got := len(written(t, l, datagram(ben4, router4, header.TCPProtocolNumber, make([]byte, 20)))); got != 1 {
			t.Error("another phone is not answered while the first one scans")
		}
		time.Sleep(time.Second)
		if got := len(written(t, l, scan...)); got != errorRate {
			t.Errorf("a second later the scan got %d answers, want %d", got, errorRate)
		}
	})
}

func TestLimiterForgets(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiter(1, 2)
	l.now = func() time.Time { return now }
	at := netip.MustParseAddr("fd83::")
	for range maxBuckets {
		at = at.Next()
		if !l.allow(at) {
			t.Fatal("an address is refused its first token")
		}
	}
	if l.allow(at.Next()) {
		t.Error("more addresses are remembered than the bound allows")
	}
	now = now.Add(time.Second)
	if !l.allow(at.Next()) || len(l.buckets) != 1 {
		t.Errorf("%d addresses remembered after all buckets have filled again, want the newest only", len(l.buckets))
	}
}

// TestFragmentsArePerPhone: a flood of fragments from one phone does not reach the stack as one.
func TestFragmentsArePerPhone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLink(t)
		part := datagram(anna4, ours4.Addr(), header.UDPProtocolNumber, make([]byte, 64))
		header.IPv4(part).SetFlagsFragmentOffset(header.IPv4FlagMoreFragments, 0)
		p, _ := parse(part)
		admitted := 0
		for range 500 {
			if l.judge(p) == admit {
				admitted++
			}
		}
		if admitted != fragmentBurst {
			t.Errorf("%d fragments of a flood got in, want %d", admitted, fragmentBurst)
		}
		p.src = ben4
		if l.judge(p) != admit {
			t.Error("another phone's fragment is refused")
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLink(t)
		if e := <-l.Events(); e == 0 {
			t.Error("no event that the device is up")
		}
		ended := make(chan error)
		go func() {
			_, err := l.Read([][]byte{make([]byte, 1500)}, make([]int, 1), 0)
			ended <- err
		}()
		synctest.Wait()
		for range 2 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read ended with %v, want os.ErrClosed", err)
		}
		if _, open := <-l.Events(); open {
			t.Error("the events are not closed")
		}
		if _, err := l.Write([][]byte{{1}}, 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Write after Close gave %v, want os.ErrClosed", err)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		mtu   int
		addrs []netip.Prefix
	}{
		"no address":           {MTU, nil},
		"one address twice":    {MTU, []netip.Prefix{ours4, ours4}},
		"three of a family":    {MTU, []netip.Prefix{ours4, second4, third4}},
		"another network":      {MTU, []netip.Prefix{ours4, netip.MustParsePrefix("10.84.16.2/20")}},
		"another length":       {MTU, []netip.Prefix{ours4, netip.PrefixFrom(second4.Addr(), 24)}},
		"the broadcast":        {MTU, []netip.Prefix{ours4, netip.MustParsePrefix("10.83.31.255/20")}},
		"the anycast address":  {MTU, []netip.Prefix{ours6, netip.MustParsePrefix("fd83::/64")}},
		"no valid address":     {MTU, []netip.Prefix{{}}},
		"v4-mapped":            {MTU, []netip.Prefix{netip.PrefixFrom(addr("::ffff:10.0.0.1"), 120)}},
		"less than IPv6 needs": {1279, []netip.Prefix{ours4}},
		"more than IP has":     {65536, []netip.Prefix{ours4}},
	} {
		if _, err := New(tc.mtu, tc.addrs...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
