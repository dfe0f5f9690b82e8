package netinfo

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// ArrivedOn names the link over which the handshake of an accepted TCP connection came in. It is not known (false) where
// the kernel does not say. A connection from this host to itself came over loopback, or over the link whose address it
// went to.
//
// The kernel keeps the link of the handshake's last packet as the socket's link for multicast, the only one of these fields that
// TCP has no other use for (tcp_v6_syn_recv_sock and tcp_v4_syn_recv_sock in the kernel's net/ipv6 and net/ipv4).
func ArrivedOn(conn syscall.Conn) (link string, known bool, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return "", false, fmt.Errorf("reading over which link a connection came: %w", err)
	}
	index := uint32(0)
	failed := raw.Control(func(fd uintptr) { index, err = arrival(int(fd)) })
	if err = errors.Join(failed, err); err != nil {
		return "", false, fmt.Errorf("reading over which link a connection came: %w", err)
	}
	if index == 0 {
		return "", false, nil
	}
	link, known = linkName(index)
	if !known {
		return "", false, fmt.Errorf("reading over which link a connection came: link %d is gone", index)
	}
	return link, true, nil
}

func arrival(fd int) (uint32, error) {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return 0, err
	}
	if domain == unix.AF_INET6 { // also for IPv4 on a socket for both
		index, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF)
		return uint32(index), err
	}
	return arrival4(fd)
}

// arrival4 asks for the packet options that TCP keeps (IP_PKTOPTIONS in do_ip_getsockopt, the kernel's
// net/ipv4/ip_sockglue.c): a control message with a struct in_pktinfo, whose first word is the link. Package unix has no
// wrapper for that; ICMPv6Filter is one for any option that fills up to eight words.
func arrival4(fd int) (uint32, error) {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1); err != nil {
		return 0, err
	}
	words, err := unix.GetsockoptICMPv6Filter(fd, unix.IPPROTO_IP, unix.IP_PKTOPTIONS)
	if errors.Is(err, unix.ENOPROTOOPT) || errors.Is(err, unix.EOPNOTSUPP) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	const header = unix.SizeofCmsghdr / 4 // its last two words are level and type
	if words.Data[header-2] != unix.IPPROTO_IP || words.Data[header-1] != unix.IP_PKTINFO {
		return 0, nil
	}
	return words.Data[header], nil
}

// OnLinkThrough is [OnLink] for one link: whether addr is directly connected there, wherever else it may be too.
func OnLinkThrough(addr netip.Addr, link string) (bool, error) {
	index, ok := linkIndex(link)
	addr = addr.Unmap()
	if zone := addr.Zone(); !ok || zone != "" && zone != link {
		return false, nil
	}
	addr = addr.WithZone("")
	if !addr.IsValid() || addr.IsMulticast() || addr.IsUnspecified() {
		return false, nil
	}
	found, err := ask("the route to "+addr.String(), func(c *rtnetlink.Conn) (rtnetlink.RouteMessage, error) {
		found, err := lookup(c, addr, index, unix.RTM_F_FIB_MATCH)
		if unreachable(err) {
			return rtnetlink.RouteMessage{}, nil
		}
		return found, err
	})
	if err != nil {
		return false, err
	}
	return direct(found) && found.Attributes.OutIface == index, nil
}
