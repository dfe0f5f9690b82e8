package gateway

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// joinGroup makes a socket hear searches.
func joinGroup(conn *net.UDPConn, on netip.Addr) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	group := &syscall.IPMreq{Multiaddr: multicast.As4(), Interface: on.As4()}
	var joined error
	err = raw.Control(func(fd uintptr) {
		joined = syscall.SetsockoptIPMreq(int(fd), syscall.IPPROTO_IP, syscall.IP_ADD_MEMBERSHIP, group)
	})
	return errors.Join(err, joined)
}
