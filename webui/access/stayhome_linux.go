package access

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// stayHome lets no packet of a socket, nor of what it accepts, go over a router: whoever is not on a directly connected network
// never hears that anything is here, not even the answer to a first SYN (ip(7), IP_TTL; ipv6(7), IPV6_UNICAST_HOPS). A port scan
// from the internet finds nothing, whatever the router lets in. It needs no privilege, unlike a filter on the socket
// (SO_ATTACH_FILTER), for which some kernels want CAP_NET_ADMIN, and it costs nobody anything: only neighbours are admitted.
func stayHome(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, 1)
		if six := unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, 1); !errors.Is(six, unix.ENOPROTOOPT) {
			set = errors.Join(set, six)
		}
	})
	return errors.Join(err, set)
}
