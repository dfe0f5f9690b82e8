package lab_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// wgServer makes the appliance a WireGuard server with Debian's own programs, and returns the config of its one phone.
// What is proved here is the lab's half of the later tests, without a line of the product.
func wgServer(t *testing.T, l *lab.Lab, endpoint netip.AddrPort) (config string) {
	t.Helper()
	genkey := func() (private, public string) {
		private = strings.TrimSpace(l.Appliance.Run(t, "wg", "genkey"))
		public = strings.TrimSpace(l.Appliance.Run(t, "sh", "-c", "echo "+private+" | wg pubkey"))
		return private, public
	}
	server, serverPublic := genkey()
	phone, phonePublic := genkey()
	preshared := strings.TrimSpace(l.Appliance.Run(t, "wg", "genpsk"))

	l.Appliance.WireGuard(t, fmt.Sprintf(`[Interface]
PrivateKey = %s
ListenPort = 51820
Address = 10.7.0.1, fd07::1
[Peer]
PublicKey = %s
PresharedKey = %s
AllowedIPs = 10.7.0.2/32, fd07::2/128
`, server, phonePublic, preshared), lab.Allowed)
	return fmt.Sprintf(`[Interface]
PrivateKey = %s
Address = 10.7.0.2/32, fd07::2/128

[Peer]
PublicKey = %s
PresharedKey = %s
AllowedIPs = 10.7.0.1/32, fd07::1/128
Endpoint = %s
`, phone, serverPublic, preshared, endpoint)
}

func TestDebiansWireGuardShakesHandsThroughTheRouter(t *testing.T) {
	lab.Need(t, "wireguard-go", "wg", lab.TUN)
	for name, endpoint := range map[string]string{"IPv4": "11.0.0.2:51820", "IPv6": "[2a77:db8:77::10]:51820"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lab.New(t)
			phone := l.AddPhone(t, "anna")
			tunnel := phone.WireGuard(t, wgServer(t, l, netip.MustParseAddrPort(endpoint)), lab.Allowed)
			if at := tunnel.LatestHandshake(t); !at.IsZero() {
				t.Errorf("a handshake at %v, before anything was sent", at)
			}
			before := time.Now()
			if !tunnel.Handshake(t, patient) {
				t.Fatal("no handshake")
			}
			if at := tunnel.LatestHandshake(t); at.Before(before.Add(-2*time.Second)) || at.After(time.Now().Add(2*time.Second)) {
				t.Errorf("the handshake is said to be of %v", at)
			}
			bait := l.Appliance.Bait(t, 8123)
			for _, addr := range []string{"10.7.0.1:8123", "[fd07::1]:8123"} {
				if !greeted(t, phone, netip.MustParseAddrPort(addr)) {
					t.Errorf("%s is not reached through the tunnel", addr)
				}
			}
			if got := bait.Visitors(t); len(got) != 2 || !strings.HasPrefix(got[0], "tcp 10.7.0.2:") {
				t.Errorf("the appliance was visited by %q; the phone's tunnel addresses were expected", got)
			}
			if got := phone.Run(t, "ip", "link", "show", "wg0"); !strings.Contains(got, "mtu 1280") {
				t.Errorf("the phone's link: %s", got)
			}
			if reaches(t, phone, netip.MustParseAddrPort("192.168.77.30:80")) {
				t.Error("the LAN is reached although only the server's address goes into the tunnel")
			}
		})
	}
}

// A phone that sends everything into the tunnel reaches the LAN when the server lets it: that is what makes the later
// tests, in which it does not, mean something.
func TestEverythingGoesIntoTheTunnel(t *testing.T) {
	lab.Need(t, "wireguard-go", "wg", lab.TUN)
	for name, endpoint := range map[string]string{"IPv4": "11.0.0.2:51820", "IPv6": "[2a77:db8:77::10]:51820"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lab.New(t)
			phone := l.AddPhone(t, "anna")
			config := wgServer(t, l, netip.MustParseAddrPort(endpoint))
			l.Appliance.Run(t, "sh", "-c", `echo 1 >/proc/sys/net/ipv4/ip_forward
				echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
				nft 'table inet careless {
					chain out { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
				}'`)
			tunnel := phone.WireGuard(t, config, lab.Everything)
			if !tunnel.Handshake(t, patient) {
				t.Fatal("no handshake")
			}
			for _, addr := range []netip.Addr{l.Neighbour.Addr4, l.Neighbour.Addr6} {
				if !greeted(t, phone, netip.AddrPortFrom(addr, lab.BaitPort)) {
					t.Errorf("%v is not reached through a careless server", addr)
				}
			}
			tunnel.Close(t)
			if reaches(t, phone, netip.AddrPortFrom(l.Neighbour.Addr4, lab.BaitPort)) {
				t.Error("the neighbour is reached with the tunnel down")
			}
		})
	}
}

func TestPhonesAreApart(t *testing.T) {
	lab.Need(t, "wireguard-go", "wg", lab.TUN)
	t.Parallel()
	l := lab.New(t)
	config := wgServer(t, l, netip.MustParseAddrPort("11.0.0.2:51820"))
	// The same device name and socket path on each, in namespaces of their own.
	for _, name := range []string{"anna", "ben"} {
		l.AddPhone(t, name).WireGuard(t, config, lab.Allowed)
	}
}
