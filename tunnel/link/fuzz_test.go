package link

import (
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// FuzzWrite gives the link what a phone that holds a valid key could send: two packets, each anything at all. Nothing may
// panic, and whatever comes out is a whole packet of ours to a phone.
func FuzzWrite(f *testing.F) {
	us4, us6 := ours4.Addr(), ours6.Addr()
	syn := make([]byte, 20)
	header.TCP(syn).Encode(&header.TCPFields{SrcPort: 4000, DstPort: 8123, DataOffset: 20, Flags: header.TCPFlagSyn})
	part := datagram(anna4, us4, header.UDPProtocolNumber, make([]byte, 64))
	header.IPv4(part).SetFlagsFragmentOffset(header.IPv4FlagMoreFragments, 8)
	for _, seed := range [][]byte{
		nil,
		{0x45},
		datagram(anna4, us4, header.TCPProtocolNumber, syn),
		datagram(anna6, us6, header.TCPProtocolNumber, syn),
		datagram(anna4, router4, header.TCPProtocolNumber, syn),
		udpTo(netip.AddrPortFrom(anna4, 1), netip.AddrPortFrom(us4, 2), []byte("x")),
		udpTo(netip.AddrPortFrom(anna6, 1), netip.AddrPortFrom(us6, 2), []byte("x")),
		icmpTo(anna4, us4, 8, 0, []byte("ping")),
		icmpTo(anna6, us6, 128, 0, []byte("ping")),
		extended(icmpTo(anna6, us6, 128, 0, nil), extFragment, []byte{58, 0, 0, 1, 0, 0, 0, 7}),
		extended(icmpTo(anna6, us6, 128, 0, nil), extRouting, []byte{58, 2, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}),
		extended(icmpTo(anna6, us6, 128, 0, nil), extHopByHop, []byte{58, 0, 0xc2, 4, 0, 0, 0, 0}),
		part,
	} {
		f.Add(seed, seed)
	}
	s, l, err := NewStack(MTU, ours4, ours6)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Destroy)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, out := range written(t, l, a, b) {
			p, ok := parse(out)
			if !ok || len(p.raw) != len(out) || len(out) > MTU {
				t.Fatalf("sent %x, which is no whole packet of at most %d bytes", out, MTU)
			}
			h, _ := l.home(p.src)
			if p.src != h.addr || !h.mayCome(p.dst) {
				t.Fatalf("sent a packet from %s to %s", p.src, p.dst)
			}
		}
	})
}

// FuzzParse: what is understood stays inside its bytes, and judging it does not panic.
func FuzzParse(f *testing.F) {
	f.Add(datagram(anna6, ours6.Addr(), header.TCPProtocolNumber, make([]byte, 20)))
	f.Add(datagram(anna4, ours4.Addr(), header.TCPProtocolNumber, make([]byte, 20)))
	l := testLink(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parse(b)
		if !ok {
			return
		}
		if len(p.raw) > len(b) || len(p.upper) > len(p.raw) {
			t.Fatalf("%d bytes became %d with %d above", len(b), len(p.raw), len(p.upper))
		}
		if l.judge(p) == prohibit {
			h, _ := l.home(p.src)
			if answer := prohibited(p, h.addr); len(answer) > MTU {
				t.Fatalf("an answer of %d bytes", len(answer))
			}
		}
	})
}
