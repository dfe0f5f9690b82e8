package surroundings

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// echoTime is how long answers to an echo request come in; whoever sleeps is missed.
	echoTime = 700 * time.Millisecond

	// solicitTime is how long the kernel takes to ask who has an address, and to hear: it asks at once (RFC 4861, section 7.2.2).
	solicitTime = 500 * time.Millisecond

	mostEchoes = 64

	discard = 9 // RFC 863: nothing comes of what is sent there
)

// stir makes the kernel find out which neighbours on a link have which IPv6 addresses. All nodes are asked for an echo, once
// from each of our networks, because they answer from the address that is nearest to the one that asks; then whoever
// answered, and whoever is named in to, gets one datagram, so that the kernel learns its MAC. What comes of it stands in the
// neighbour table. Machines that do not answer to all stay unknown.
func stir(ctx context.Context, link string, from, to []netip.Addr) {
	for _, own := range from {
		for _, addr := range echoes(ctx, link, own) {
			if !slices.Contains(to, addr) && len(to) < mostEchoes {
				to = append(to, addr)
			}
		}
	}
	knock(ctx, link, to...)
}

// knock sends every address one datagram, and waits until the kernel has heard who they are.
func knock(ctx context.Context, link string, to ...netip.Addr) {
	for _, addr := range to {
		poke(ctx, link, addr)
	}
	if len(to) > 0 {
		pause(ctx, solicitTime)
	}
}

func poke(ctx context.Context, link string, addr netip.Addr) {
	if addr.Is6() && addr.IsLinkLocalUnicast() {
		addr = addr.WithZone(link)
	}
	c, err := new(net.Dialer).DialContext(ctx, "udp", netip.AddrPortFrom(addr, discard).String())
	if err != nil {
		return // no way there: then it is no neighbour
	}
	defer c.Close()
	_, _ = c.Write([]byte{0}) // whether it arrives is seen in the neighbour table
}

// echoes are the addresses that answer an echo request to all nodes on the link, sent from own. It uses the kernel's socket for
// echoes, which needs no privilege where the machine lets its users ping (net.ipv4.ping_group_range); elsewhere nobody is heard.
func echoes(ctx context.Context, link string, own netip.Addr) (out []netip.Addr) {
	ifi, err := net.InterfaceByName(link)
	if err != nil {
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)
	if err != nil {
		return nil
	}
	defer func() { _ = unix.Close(fd) }()
	local := unix.SockaddrInet6{Addr: own.As16()}
	if own.IsLinkLocalUnicast() {
		local.ZoneId = uint32(ifi.Index)
	}
	const echoRequest = 128 // ICMPv6 (RFC 4443, section 4.1); the kernel sets the sum and the identifier
	request := binary.BigEndian.AppendUint64(nil, echoRequest<<56|1)
	all := unix.SockaddrInet6{Addr: netip.IPv6LinkLocalAllNodes().As16(), ZoneId: uint32(ifi.Index)}
	if unix.Bind(fd, &local) != nil || unix.Sendto(fd, request, 0, &all) != nil {
		return nil
	}
	for until := time.Now().Add(echoTime); ctx.Err() == nil && len(out) < mostEchoes; {
		left := time.Until(until)
		wait := unix.NsecToTimeval(min(left, 100*time.Millisecond).Nanoseconds())
		if left <= time.Millisecond || unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait) != nil {
			break
		}
		if addr, ok := answered(fd); ok && !slices.Contains(out, addr) {
			out = append(out, addr)
		}
	}
	return out
}

func answered(fd int) (netip.Addr, bool) {
	_, from, err := unix.Recvfrom(fd, make([]byte, 64), 0)
	if from, ok := from.(*unix.SockaddrInet6); ok && err == nil {
		return netip.AddrFrom16(from.Addr).Unmap(), true
	}
	return netip.Addr{}, false
}
