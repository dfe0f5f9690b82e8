package link

import (
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// Second addresses of ours, and one too many.
var (
	second4 = netip.MustParsePrefix("10.83.31.254/20")
	second6 = netip.MustParsePrefix("fd83::ffe/64")
	third4  = netip.MustParsePrefix("10.83.31.253/20")
)

func testLink(t testing.TB) *Link {
	t.Helper()
	l, err := New(MTU, ours4, ours6)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestJudge(t *testing.T) {
	const tcp, udp = header.TCPProtocolNumber, header.UDPProtocolNumber
	us4, us6 := ours4.Addr(), ours6.Addr()
	later4 := datagram(anna4, router4, udp, make([]byte, 64))
	header.IPv4(later4).SetFlagsFragmentOffset(0, 1280)
	first4 := datagram(anna4, router4, udp, make([]byte, 64))
	header.IPv4(first4).SetFlagsFragmentOffset(header.IPv4FlagMoreFragments, 0)
	options := datagram(anna4, us4, tcp, make([]byte, 60))
	header.IPv4(options).SetHeaderLength(60)
	fragment6 := func(b []byte, next uint8, offset uint8) []byte {
		return extended(b, extFragment, []byte{next, 0, 0, offset, 0, 0, 0, 7})
	}

	for name, tc := range map[string]struct {
		packet []byte
		want   verdict
	}{
		"tcp to us":                      {datagram(anna4, us4, tcp, make([]byte, 20)), admit},
		"tcp to us, v6":                  {datagram(anna6, us6, tcp, make([]byte, 20)), admit},
		"udp to us":                      {datagram(anna4, us4, udp, make([]byte, 8)), admit},
		"ip options":                     {options, admit},
		"echo to us":                     {icmpTo(anna4, us4, 8, 0, nil), admit},
		"echo to us, v6":                 {icmpTo(anna6, us6, 128, 0, nil), admit},
		"echo behind extension headers":  {extended(icmpTo(anna6, us6, 128, 0, nil), extHopByHop, []byte{extDestination, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0}), admit},
		"first fragment to us, v6":       {fragment6(icmpTo(anna6, us6, 128, 0, nil), 58, 1), admit},
		"later fragment to us, v6":       {fragment6(datagram(anna6, us6, udp, make([]byte, 8)), 17, 8), admit},
		"an ICMP error":                  {icmpTo(anna4, us4, 3, 4, make([]byte, 28)), discard},
		"an ICMP error, v6":              {icmpTo(anna6, us6, 2, 0, make([]byte, 48)), discard},
		"neighbour solicitation":         {icmpTo(anna6, us6, 135, 0, make([]byte, 16)), discard},
		"neighbour solicitation in part": {fragment6(icmpTo(anna6, us6, 135, 0, make([]byte, 16)), 58, 1), discard},
		"router advertisement":           {icmpTo(anna6, us6, 134, 0, make([]byte, 16)), discard},
		"redirect":                       {icmpTo(anna4, us4, 5, 0, make([]byte, 28)), discard},
		"the other family's ICMP":        {datagram(anna6, us6, header.ICMPv4ProtocolNumber, []byte{8, 0, 0, 0, 0, 0, 0, 0}), discard},
		"igmp":                           {datagram(anna4, us4, 2, make([]byte, 8)), discard},
		"gre":                            {datagram(anna4, us4, 47, make([]byte, 8)), discard},
		"empty icmp":                     {datagram(anna4, us4, header.ICMPv4ProtocolNumber, nil), discard},
		"the LAN":                        {datagram(anna4, router4, tcp, make([]byte, 20)), prohibit},
		"the LAN, v6":                    {datagram(anna6, router6, tcp, make([]byte, 20)), prohibit},
		"another phone":                  {datagram(anna4, ben4, tcp, make([]byte, 20)), prohibit},
		"another phone, v6":              {datagram(anna6, ben6, udp, make([]byte, 20)), prohibit},
		"loopback":                       {datagram(anna4, addr("127.0.0.1"), tcp, make([]byte, 20)), discard},
		"loopback, v6":                   {datagram(anna6, addr("::1"), tcp, make([]byte, 20)), discard},
		"echo to the LAN":                {icmpTo(anna4, router4, 8, 0, nil), prohibit},
		"echo to the LAN, v6":            {icmpTo(anna6, router6, 128, 0, nil), prohibit},
		"an ICMP error to the LAN":       {icmpTo(anna4, router4, 3, 1, make([]byte, 28)), discard},
		"an ICMP error to the LAN, v6":   {icmpTo(anna6, router6, 1, 0, make([]byte, 48)), discard},
		"an echo reply to the LAN":       {icmpTo(anna4, router4, 0, 0, nil), discard},
		"an ICMP error behind headers":   {extended(icmpTo(anna6, router6, 3, 0, nil), extDestination, []byte{58, 0, 1, 4, 0, 0, 0, 0}), discard},
		"first fragment to the LAN":      {first4, prohibit},
		"later fragment to the LAN":      {later4, discard},
		"later fragment to the LAN, v6":  {fragment6(datagram(anna6, router6, udp, make([]byte, 8)), 17, 8), discard},
		"broadcast":                      {datagram(anna4, addr("255.255.255.255"), udp, make([]byte, 8)), discard},
		"the network's broadcast":        {datagram(anna4, addr("10.83.31.255"), udp, make([]byte, 8)), discard},
		"the network itself":             {datagram(anna4, addr("10.83.16.0"), udp, make([]byte, 8)), discard},
		"multicast":                      {datagram(anna4, addr("224.0.0.251"), udp, make([]byte, 8)), discard},
		"multicast, v6":                  {datagram(anna6, addr("ff02::fb"), udp, make([]byte, 8)), discard},
		"solicited-node multicast":       {icmpTo(anna6, addr("ff02::1:ff00:1"), 135, 0, make([]byte, 16)), discard},
		"anycast":                        {datagram(anna6, addr("fd83::"), udp, make([]byte, 8)), discard},
		"unspecified":                    {datagram(anna4, addr("0.0.0.0"), udp, make([]byte, 8)), discard},
		"from ourselves":                 {datagram(us4, us4, tcp, make([]byte, 20)), discard},
		"from loopback":                  {datagram(addr("127.0.0.1"), us4, tcp, make([]byte, 20)), discard},
		"from the LAN":                   {datagram(router4, us4, tcp, make([]byte, 20)), discard},
		"from broadcast":                 {datagram(addr("10.83.31.255"), router4, tcp, make([]byte, 20)), discard},
		"from multicast":                 {datagram(addr("224.0.0.1"), router4, tcp, make([]byte, 20)), discard},
		"from nobody, v6":                {datagram(addr("::"), us6, udp, make([]byte, 8)), discard},
		"from link-local":                {datagram(addr("fe80::2"), us6, udp, make([]byte, 8)), discard},
		"v4-mapped to us":                {datagram(anna6, addr("::ffff:10.83.16.1"), tcp, make([]byte, 20)), prohibit},
		"v4-mapped from a phone":         {datagram(addr("::ffff:10.83.16.2"), us6, tcp, make([]byte, 20)), discard},
	} {
		t.Run(name, func(t *testing.T) {
			p, ok := parse(tc.packet)
			if !ok {
				t.Fatal("a packet whose lengths are right was not understood")
			}
			if got := testLink(t).judge(p); got != tc.want {
				t.Errorf("verdict %d, want %d", got, tc.want)
			}
		})
	}
}

// TestJudgeSecond: a second address of ours is ours, and only where there is one.
func TestJudgeSecond(t *testing.T) {
	const tcp, udp = header.TCPProtocolNumber, header.UDPProtocolNumber
	l, err := New(MTU, ours4, second6, ours6, second4)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	more4, more6 := second4.Addr(), second6.Addr()
	for name, tc := range map[string]struct {
		packet        []byte
		want, without verdict
	}{
		"tcp":                 {datagram(anna4, more4, tcp, make([]byte, 20)), admit, prohibit},
		"tcp, v6":             {datagram(anna6, more6, tcp, make([]byte, 20)), admit, prohibit},
		"udp":                 {datagram(anna4, more4, udp, make([]byte, 8)), admit, prohibit},
		"echo, v6":            {icmpTo(anna6, more6, 128, 0, nil), admit, prohibit},
		"an ICMP error":       {icmpTo(anna4, more4, 3, 4, make([]byte, 28)), discard, discard},
		"gre":                 {datagram(anna4, more4, 47, make([]byte, 8)), discard, prohibit},
		"the first one":       {datagram(anna4, ours4.Addr(), tcp, make([]byte, 20)), admit, admit},
		"the first one, v6":   {datagram(anna6, ours6.Addr(), tcp, make([]byte, 20)), admit, admit},
		"its neighbour":       {datagram(anna4, more4.Prev(), tcp, make([]byte, 20)), prohibit, prohibit},
		"its neighbour, v6":   {datagram(anna6, more6.Next(), tcp, make([]byte, 20)), prohibit, prohibit},
		"from itself":         {datagram(more4, ours4.Addr(), tcp, make([]byte, 20)), discard, admit},
		"from itself, v6":     {datagram(more6, more6, tcp, make([]byte, 20)), discard, prohibit},
		"from the first one":  {datagram(ours4.Addr(), more4, tcp, make([]byte, 20)), discard, discard},
		"the LAN":             {datagram(anna4, router4, tcp, make([]byte, 20)), prohibit, prohibit},
		"the other phone, v6": {datagram(anna6, ben6, tcp, make([]byte, 20)), prohibit, prohibit},
	} {
		p, ok := parse(tc.packet)
		if !ok {
			t.Fatalf("%s: a packet whose lengths are right was not understood", name)
		}
		if got := l.judge(p); got != tc.want {
			t.Errorf("%s: verdict %d, want %d", name, got, tc.want)
		}
		if got := testLink(t).judge(p); got != tc.without {
			t.Errorf("%s: verdict %d where there is no second address, want %d", name, got, tc.without)
		}
	}
}

// TestParseLies gives lengths that do not fit the bytes.
func TestParseLies(t *testing.T) {
	four := datagram(anna4, ours4.Addr(), header.TCPProtocolNumber, make([]byte, 20))
	six := datagram(anna6, ours6.Addr(), header.TCPProtocolNumber, make([]byte, 20))
	bend := func(b []byte, at int, v ...byte) []byte {
		out := append([]byte{}, b...)
		copy(out[at:], v)
		return out
	}
	for name, b := range map[string][]byte{
		"nothing":                     {},
		"one byte":                    {0x45},
		"no version":                  bend(four, 0, 0x05),
		"version 5":                   bend(four, 0, 0x55),
		"v4 header cut short":         four[:19],
		"v4 header length too small":  bend(four, 0, 0x44),
		"v4 header longer than all":   bend(four, 0, 0x4f, 0, 0, 41),
		"v4 total less than header":   bend(four, 2, 0, 19),
		"v4 total more than there is": bend(four, 2, 0, 41),
		"v6 header cut short":         six[:39],
		"v6 payload more than there":  bend(six, 4, 0, 21),
		"v6 payload that wraps":       bend(six, 4, 0xff, 0xff),
		"v6 extension cut short":      bend(six, 6, extHopByHop)[:41],
		"v6 extension too long":       bend(six, 6, extHopByHop, 64, 0, 0),
	} {
		if _, ok := parse(b); ok && name != "v6 extension too long" {
			t.Errorf("%s: understood", name)
		}
	}
	long := extended(six, extDestination, []byte{6, 9, 0, 0, 0, 0, 0, 0})
	if _, ok := parse(long); ok {
		t.Error("an extension header that is longer than its packet was understood")
	}
	var chain []byte
	for range maxExtensions {
		chain = append(chain, extDestination, 0, 1, 4, 0, 0, 0, 0)
	}
	if _, ok := parse(extended(six, extDestination, chain)); ok {
		t.Error("an endless chain of extension headers was understood")
	}
	padded := append(bend(four, 0, 0x45), 1, 2, 3)
	if p, ok := parse(padded); !ok || len(p.raw) != len(four) {
		t.Error("what follows the packet's own length was not cut off")
	}
}
