package access

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// networkHeader is SKF_NET_OFF of linux/filter.h: -0x100000.
const networkHeader = 1<<32 - 0x100000

// longestFilter is BPF_MAXINSNS of linux/bpf_common.h. A machine with more networks than fit does without a filter.
const longestFilter = 4096

// attach makes a socket deaf to all networks but these.
func attach(c syscall.RawConn, networks []netip.Prefix) error {
	program, err := bpf.Assemble(silence(networks, networkHeader))
	if err != nil {
		return fmt.Errorf("writing the page's filter: %w", err)
	}
	if len(program) > longestFilter {
		return detach(c)
	}
	filters := make([]unix.SockFilter, len(program))
	for i, p := range program {
		filters[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	return control(c, func(fd int) error {
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]})
	})
}

// detach makes it hear everybody again. That there was no filter is fine.
func detach(c syscall.RawConn) error {
	return control(c, func(fd int) error {
		err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		return err
	})
}

func control(c syscall.RawConn, f func(fd int) error) error {
	var inner error
	if err := c.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// quieten gives a listening socket its filter, unless it is the one that it has.
func (d *Door) quieten(c syscall.RawConn, before []netip.Prefix) []netip.Prefix {
	now := d.heard()
	if now != nil && slices.Equal(now, before) {
		return before
	}
	var err error
	if now == nil {
		err = detach(c) // nobody at home is shut out because a question failed
	} else {
		err = attach(c, now)
	}
	if err != nil {
		d.log.Debug("page filter not set", "error", err)
	}
	return now
}
