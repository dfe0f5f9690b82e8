package netinfo

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink" // rtnetlink speaks of routes only
	"golang.org/x/sys/unix"
)

// The kernel's include/uapi/linux/inet_diag.h and sock_diag(7); package unix does not have these.
const (
	sockDiagByFamily = 20
	tcpListen        = 10
	diagRequestSize  = 56 // struct inet_diag_req_v2
	diagMessageSize  = 72 // struct inet_diag_msg
	diagOnly6        = 11 // INET_DIAG_SKV6ONLY
)

// Listeners lists the TCP ports at which this host takes connections, in its own network namespace: what runs in a
// container with another is not seen. It is [ErrUnsupported] where the kernel was built without the question.
func Listeners() ([]Listener, error) {
	c, err := netlink.Dial(unix.NETLINK_INET_DIAG, nil)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	defer func() { _ = c.Close() }()
	var all []Listener
	for _, family := range families {
		some, err := listeners(c, family)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) {
			err = ErrUnsupported
		}
		if err != nil {
			return nil, fmt.Errorf("reading listening sockets from the kernel: %w", err)
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b Listener) int { return cmp.Or(cmp.Compare(a.Port, b.Port), a.Addr.Compare(b.Addr)) })
	return slices.Compact(all), nil
}

var families = [2]uint8{unix.AF_INET, unix.AF_INET6}

func listeners(c *netlink.Conn, family uint8) ([]Listener, error) {
	request := make([]byte, diagRequestSize)
	request[0], request[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(request[4:], 1<<tcpListen)
	answers, err := c.Execute(netlink.Message{
		Header: netlink.Header{Type: sockDiagByFamily, Flags: netlink.Request | netlink.Dump},
		Data:   request,
	})
	if err != nil {
		return nil, err
	}
	var all []Listener
	for _, m := range answers {
		if l, ok := parseListener(m.Data); ok {
			all = append(all, l)
		}
	}
	return all, nil
}

// parseListener reads struct inet_diag_msg and the attributes behind it.
func parseListener(b []byte) (Listener, bool) {
	if len(b) < diagMessageSize || b[1] != tcpListen {
		return Listener{}, false
	}
	l := Listener{Port: binary.BigEndian.Uint16(b[4:])}
	switch b[0] {
	case unix.AF_INET:
		l.Addr = netip.AddrFrom4([4]byte(b[8:12]))
	case unix.AF_INET6:
		l.Addr = netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	default:
		return Listener{}, false
	}
	attributes, err := netlink.UnmarshalAttributes(b[diagMessageSize:])
	if err != nil {
		return l, true // who listens where is said already
	}
	for _, a := range attributes {
		if a.Type == diagOnly6 && len(a.Data) > 0 {
			l.Only6 = a.Data[0] != 0 && l.Addr == netip.IPv6Unspecified()
		}
	}
	return l, true
}
