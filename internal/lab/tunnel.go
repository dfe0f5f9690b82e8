package lab

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"
)

// A Reach is what a phone sends into its tunnel.
type Reach int

const (
	// Allowed is what its config says.
	Allowed Reach = iota
	// Everything is all there is, as an owner can have it who edits AllowedIPs to 0.0.0.0/0, ::/0 in the app. Only two
	// things stay outside: the endpoint's own address, or the tunnel could not reach it (so what is behind that address
	// is tried from outside, and the rest of the home from inside), and the network that the phone is plugged into.
	Everything
)

// A Tunnel is a phone's end of WireGuard: Debian's wireguard-go, set up by Debian's wg.
type Tunnel struct {
	Host      *Host
	Addresses []netip.Prefix // the phone's own, in the tunnel
	Allowed   []netip.Prefix // AllowedIPs of its config, whatever its reach
	Peer      string         // the server's public key

	process *Process
}

// WireGuard brings up a tunnel on the host, from the very text of a .conf file, until the end of the test. It does not
// shake hands: that is done for the first packet.
func (h *Host) WireGuard(t testing.TB, config string, reach Reach) *Tunnel {
	t.Helper()
	Need(t, "wireguard-go", "wg", TUN)
	c, err := readConf(config)
	if err != nil {
		t.Fatalf("bringing up WireGuard on %s: %v", h.Name, err)
	}
	w := &Tunnel{Host: h, Addresses: c.addresses, Allowed: c.allowed, Peer: c.peer}
	w.startDevice(t)
	if err := w.configure(c, reach); err != nil {
		t.Fatalf("bringing up WireGuard on %s: %v", h.Name, err)
	}
	return w
}

// LatestHandshake is when both sides last agreed on keys; zero when they never did.
func (w *Tunnel) LatestHandshake(t testing.TB) time.Time {
	t.Helper()
	text, err := w.show("latest-handshakes")
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("reading the latest handshake: %v", err)
	}
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// Handshake sends something into the tunnel and waits until the two sides have shaken hands, for at most limit. It tells
// whether they did.
func (w *Tunnel) Handshake(t testing.TB, limit time.Duration) bool {
	t.Helper()
	late := time.After(limit)
	for {
		w.Knock(t)
		for range 50 { // WireGuard itself tries again every 5 s (Rekey-Timeout, whitepaper 6.1); knocking is for peers that come late
			if !w.LatestHandshake(t).IsZero() {
				return true
			}
			select {
			case <-late:
				return false
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// Knock sends one packet to the first address of AllowedIPs, to the discard port (RFC 863), where nobody answers.
func (w *Tunnel) Knock(t testing.TB) {
	t.Helper()
	to := netip.AddrPortFrom(w.Allowed[0].Addr(), 9)
	conn, err := w.Host.Dial(t.Context(), "udp", net.JoinHostPort(to.Addr().String(), "9"))
	if err != nil {
		t.Fatalf("knocking at %s: %v", to, err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("knock")); err != nil {
		t.Fatalf("knocking at %s: %v", to, err)
	}
}

// Close takes the tunnel down, as when the app's switch is turned off. It ends by itself with the test.
func (w *Tunnel) Close(t testing.TB) {
	t.Helper()
	w.process.Stop(t)
}
