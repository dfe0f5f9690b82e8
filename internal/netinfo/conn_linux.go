package netinfo

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// ask opens a netlink connection for one question. A socket for each call costs some microseconds and spares us a
// connection that somebody must own, guard and close.
func ask[T any](what string, question func(*rtnetlink.Conn) (T, error)) (answer T, err error) {
	conn, err := rtnetlink.Dial(nil)
	if err != nil {
		return answer, fmt.Errorf("opening a netlink socket: %w", err)
	}
	defer func() { _ = conn.Close() }()

	if answer, err = question(conn); err != nil {
		return answer, fmt.Errorf("reading %s from the kernel: %w", what, err)
	}
	return answer, nil
}

// family and bits describe an address as rtnetlink(7) wants it.
func family(addr netip.Addr) uint8 {
	if addr.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// linkName turns the kernel's number for a link into its name. A link may vanish between two questions; then it has
// no name, and the caller treats it as gone.
func linkName(index uint32) (string, bool) {
	ifi, err := net.InterfaceByIndex(int(index))
	if err != nil {
		return "", false
	}
	return ifi.Name, true
}
