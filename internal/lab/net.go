package lab

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Dial opens a connection from the host. The address is an IP address and a port, for a name would be asked for by
// goroutines that are not on the host; there is no DNS here anyway.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, fmt.Errorf("dialing from %s: %w", h.Name, err)
	}
	var conn net.Conn
	err := h.Do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens on the host: on an IP address and a port, or ":80" for all of the host's addresses of both families.
// What is accepted is the host's too.
func (h *Host) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	var l net.Listener
	err := h.Do(func() (err error) {
		l, err = new(net.ListenConfig).Listen(ctx, network, address)
		return err
	})
	return l, err
}

// ListenPacket is Listen for UDP.
func (h *Host) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	var c net.PacketConn
	err := h.Do(func() (err error) {
		c, err = new(net.ListenConfig).ListenPacket(ctx, network, address)
		return err
	})
	return c, err
}

// HTTPClient is a client on the host. It uses no proxy, and URLs have IP addresses for hosts, as in Dial. It has no
// time limit of its own, because some answers never end: give the request a context.
func (h *Host) HTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:     h.Dial,
		IdleConnTimeout: 5 * time.Second, // so that a forgotten connection does not keep the host's network for long
	}}
}
