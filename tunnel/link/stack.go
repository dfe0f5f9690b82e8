package link

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// NIC is the number of the stack's only interface.
const NIC tcpip.NICID = 1

const (
	// smallBuffer is what a TCP connection starts with, each way. It holds the ten segments of an initial window (RFC 6928)
	// and some; whoever carries the connection gives it more when it has shown that it moves data.
	smallBuffer = 32 << 10
	// largeBuffer is the most that a TCP connection may be given each way. The stack offers half of a receive buffer as the
	// window (the rest is for what packets cost beyond their bytes): 256 KiB in flight are 40 Mbit/s at 50 ms.
	largeBuffer = 512 << 10
	// timeWait is how long a connection that we closed first is remembered. A full minute is for networks where an old segment
	// may wander for as long; inside a tunnel WireGuard's replay window refuses it much sooner. And while it is remembered a
	// new connection from the same port goes unanswered: the stack knows how to take it up for listeners only, and ours come
	// through a forwarder. A second answers a last FIN that is sent again, and is over when the phone sends its SYN again
	// (RFC 6298, section 2).
	timeWait = time.Second
)

// NewStack makes a network stack with our tunnel addresses, given as New takes them, and the link that
// it stands on. It speaks TCP, UDP and ICMP, knows a way to the tunnel networks and to nowhere else, forwards nothing, and
// neither solicits routers nor asks whether its address is taken. The caller ends both: first the wireguard-go device, which
// closes the link, then stack.Destroy.
func NewStack(mtu int, addrs ...netip.Prefix) (*stack.Stack, *Link, error) {
	l, err := New(mtu, addrs...)
	if err != nil {
		return nil, nil, err
	}
	s := stack.New(stack.Options{
		// The options' zero values are: no duplicate address detection, no router solicitation, no MLD, no IGMP, no link-local
		// address of its own making.
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocolCUBIC, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
	})
	if err := settle(s, l, addrs); err != nil {
		s.Destroy()
		return nil, nil, err
	}
	return s, l, nil
}

func settle(s *stack.Stack, l *Link, addrs []netip.Prefix) error {
	if err := tune(s); err != nil {
		return err
	}
	s.SetICMPLimit(rate.Inf) // the link limits them, for each phone
	if err := s.CreateNIC(NIC, l.Endpoint()); err != nil {
		return fmt.Errorf("making the tunnel's network stack: %s", err)
	}
	routed := make(map[netip.Prefix]bool, len(addrs))
	for _, p := range addrs {
		if err := settleAt(s, p); err != nil {
			return err
		}
		if !routed[p.Masked()] {
			routed[p.Masked()] = true
			s.AddRoute(tcpip.Route{Destination: withPrefix(p).Subnet(), NIC: NIC})
		}
	}
	return nil
}

// tune sets what the stack's TCP does by default otherwise.
func tune(s *stack.Stack) error {
	sack := tcpip.TCPSACKEnabled(true)
	wait := tcpip.TCPTimeWaitTimeoutOption(timeWait)
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: smallBuffer, Max: largeBuffer}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: smallBuffer, Max: largeBuffer}
	for _, opt := range []tcpip.SettableTransportProtocolOption{&sack, &wait, &receive, &send} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, opt); err != nil {
			return fmt.Errorf("setting %T of the tunnel's network stack: %s", opt, err)
		}
	}
	return nil
}

// settleAt gives the stack one address.
func settleAt(s *stack.Stack, p netip.Prefix) error {
	proto := header.IPv6ProtocolNumber
	if p.Addr().Is4() {
		proto = header.IPv4ProtocolNumber
	}
	at := tcpip.ProtocolAddress{Protocol: proto, AddressWithPrefix: withPrefix(p)}
	if err := s.AddProtocolAddress(NIC, at, stack.AddressProperties{}); err != nil {
		return fmt.Errorf("giving %s to the tunnel's network stack: %s", p, err)
	}
	return nil
}

func withPrefix(p netip.Prefix) tcpip.AddressWithPrefix {
	return tcpip.AddressWithPrefix{Address: tcpip.AddrFromSlice(p.Addr().AsSlice()), PrefixLen: p.Bits()}
}
