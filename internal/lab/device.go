package lab

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	device    = "wg0"
	tunnelMTU = 1280 // what both mobile apps use when a config names none; also IPv6's least (RFC 8200, section 5)
)

// startDevice starts wireguard-go in the foreground and waits for the socket through which wg speaks to it.
func (w *Tunnel) startDevice(t testing.TB) {
	t.Helper()
	cmd := w.Host.Command(t.Context(), "wireguard-go", "--foreground", device)
	cmd.Env = append(cmd.Env, "LOG_LEVEL=verbose")
	w.process = Start(t, cmd)
	socket := w.Host.Path("/run/wireguard/" + device + ".sock")
	for range 1000 {
		if _, err := os.Stat(socket); err == nil {
			return
		}
		select {
		case <-w.process.Ended():
			t.Fatalf("wireguard-go on %s ended:\n%s", w.Host.Name, w.process.Output())
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("wireguard-go on %s made no socket", w.Host.Name)
}

// configure does what the apps do with a config: keys and peer first, then addresses, then routes.
func (w *Tunnel) configure(c conf, reach Reach) error {
	if err := w.Host.feed(c.forSetconf, "wg", "setconf", device, "/dev/stdin"); err != nil {
		return err
	}
	var script strings.Builder
	for _, address := range c.addresses {
		fmt.Fprintf(&script, "addr add %s dev %s nodad\n", address, device) // for IPv4 nodad means nothing
	}
	fmt.Fprintf(&script, "link set dev %s mtu %d up\n", device, tunnelMTU)
	routes := c.allowed
	if reach == Everything {
		pin, err := w.pinEndpoint()
		if err != nil {
			return err
		}
		if err := w.Host.feed("", "wg", "set", device, "peer", c.peer, "allowed-ips", "0.0.0.0/0,::/0"); err != nil {
			return err
		}
		script.WriteString(pin)
		routes = halves()
	}
	for _, route := range routes {
		fmt.Fprintf(&script, "route replace %s dev %s\n", route.Masked(), device)
	}
	return w.Host.ip("%s", script.String())
}

// halves cover everything and are more specific than a default route, which therefore may stay.
func halves() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/1"), netip.MustParsePrefix("128.0.0.0/1"),
		netip.MustParsePrefix("::/1"), netip.MustParsePrefix("8000::/1"),
	}
}

// pinEndpoint is the line for ip(8) that keeps the server's endpoint outside of the tunnel, through the carrier's
// gateway, when all the rest goes in.
func (w *Tunnel) pinEndpoint() (string, error) {
	text, err := w.show("endpoints")
	if err != nil {
		return "", err
	}
	endpoint, err := netip.ParseAddrPort(text)
	if err != nil {
		return "", fmt.Errorf("reading the endpoint that wg shows: %w", err)
	}
	route, err := w.Host.ask("ip", "route", "get", endpoint.Addr().String())
	if err != nil {
		return "", err
	}
	fields := strings.Fields(route)
	via := slices.Index(fields, "via")
	if via < 0 || via+1 >= len(fields) {
		return "", nil // on the same network, where its own route is more specific than any half
	}
	return fmt.Sprintf("route replace %s via %s\n", endpoint.Addr(), fields[via+1]), nil
}

// show asks wg for one thing about the one peer: "wg show wg0 WHAT" prints its key, a tab and the value.
func (w *Tunnel) show(what string) (string, error) {
	text, err := w.Host.ask("wg", "show", device, what)
	if err != nil {
		return "", err
	}
	peer, value, ok := strings.Cut(strings.TrimSpace(text), "\t")
	if !ok || peer != w.Peer {
		return "", fmt.Errorf("wg show %s: one peer, %s, was expected: %q", what, w.Peer, text)
	}
	return value, nil
}
