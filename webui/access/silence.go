package access

import (
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/bpf"
)

// To a stranger on the internet the page is not even a port that is open: a filter on the listening socket lets only those
// packets reach it that come from a private address or from a network that is served. What passes is judged again when it is
// accepted (admit.go); the filter decides nothing but whether the kernel answers at all. It needs no privilege
// (SO_ATTACH_FILTER, socket(7)), and where it cannot be had, a stranger sees a connection that is reset.

// alwaysHeard are the networks whose packets never come from the internet as they are: a caller in one of them, from another
// network of the house say, is refused where it can see that, and the log says why. RFC 1918, 3927, 4193, 4291.
var alwaysHeard = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

// relook is how often the networks are looked at again: who has just plugged in a cable waits no longer than this.
const relook = 2 * time.Second

// heard lists the networks that the socket listens to; nil when the kernel could not be asked.
func (d *Door) heard() []netip.Prefix {
	own, err := d.own.get()
	if err != nil {
		return nil
	}
	networks, err := d.kernel.OnLinkNetworks()
	if err != nil {
		return nil
	}
	out := slices.Clone(alwaysHeard)
	for _, a := range own {
		out = append(out, netip.PrefixFrom(a.Addr, a.Addr.BitLen()))
	}
	for network, links := range networks {
		if slices.ContainsFunc(links, func(link string) bool { return d.admitLink(link) == nil }) {
			out = append(out, network)
		}
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits()
	})
	return slices.Compact(out)
}

// pass and drop are what a filter returns: how many bytes of the packet to keep.
var (
	pass = bpf.RetConstant{Val: 1<<32 - 1}
	drop = bpf.RetConstant{Val: 0}
)

// Where the source stands in an IP header, in bytes (RFC 791, section 3.1; RFC 8200, section 3).
const (
	source4 = 12
	source6 = 8
)

// silence is a filter that passes packets from the given networks and drops all others. header is where the IP header begins:
// a socket's filter sees the packet from the TCP header on, and the rest at negative places (linux/filter.h, SKF_NET_OFF).
func silence(networks []netip.Prefix, header uint32) []bpf.Instruction {
	var four, six []bpf.Instruction
	for _, n := range networks {
		if n = n.Masked(); n.Addr().Is4() {
			four = append(four, from(n.Addr().AsSlice(), n.Bits(), header+source4)...)
		} else {
			six = append(six, from(n.Addr().AsSlice(), n.Bits(), header+source6)...)
		}
	}
	four, six = append(four, drop), append(six, drop)
	out := []bpf.Instruction{
		bpf.LoadAbsolute{Off: header, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0},
		// Conditional jumps reach 255 instructions, and a list may be longer: the way to IPv6 is an unconditional one.
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x40, SkipTrue: 1},
		bpf.Jump{Skip: uint32(len(four))},
	}
	return append(append(out, four...), six...)
}

// from passes packets whose source, at off, begins with the bits of addr.
func from(addr []byte, bits int, off uint32) (out []bpf.Instruction) {
	words := (bits + 31) / 32
	for i := range words {
		mask := ^uint32(0)
		if rest := bits - 32*i; rest < 32 {
			mask <<= 32 - rest
		}
		word := uint32(addr[4*i])<<24 | uint32(addr[4*i+1])<<16 | uint32(addr[4*i+2])<<8 | uint32(addr[4*i+3])
		left := uint8(3*(words-i-1) + 1) // what is left of this network after the jump
		out = append(out,
			bpf.LoadAbsolute{Off: off + uint32(4*i), Size: 4},
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: word & mask, SkipTrue: left},
		)
	}
	return append(out, pass)
}
