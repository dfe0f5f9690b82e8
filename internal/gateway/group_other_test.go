//go:build !linux

package gateway

import (
	"errors"
	"net"
	"net/netip"
)

func joinGroup(*net.UDPConn, netip.Addr) error { return errors.ErrUnsupported }
