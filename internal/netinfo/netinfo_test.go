package netinfo

import (
	"net"
	"net/netip"
	"slices"
	"testing"
)

// The standard library asks the kernel by other means; whatever it sees, we must see.
func TestOwnAddressesAreTheHosts(t *testing.T) {
	ours, err := OwnAddresses()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	if len(theirs) == 0 {
		t.Log("this machine has no addresses at all")
	}
	for _, a := range theirs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil {
			t.Fatalf("net says %q: %v", a, err)
		}
		if !slices.Contains(ours, p.Addr().Unmap()) {
			t.Errorf("OwnAddresses() = %v, want %v among them", ours, p.Addr())
		}
		if own, err := IsOwn(p.Addr()); err != nil || !own {
			t.Errorf("IsOwn(%v) = %v, %v, want true", p.Addr(), own, err)
		}
	}
}

func TestLoopbackIsOurs(t *testing.T) {
	for _, s := range []string{"127.0.0.1", "127.9.8.7", "::ffff:127.0.0.1", "0.0.0.0", "::"} {
		if own, err := IsOwn(netip.MustParseAddr(s)); err != nil || !own {
			t.Errorf("IsOwn(%s) = %v, %v, want true", s, own, err)
		}
	}
}

func TestNobodysAddress(t *testing.T) {
	stranger := netip.MustParseAddr("203.0.113.77") // for documentation: on no network (RFC 5737)
	if own, err := IsOwn(stranger); err != nil || own {
		t.Errorf("IsOwn(%v) = %v, %v, want false", stranger, own, err)
	}
	if link, ok, err := OnLink(stranger); err != nil || ok {
		t.Errorf("OnLink(%v) = %q, %v, %v, want false", stranger, link, ok, err)
	}
	for _, s := range []string{"fe80::1", "fe80::1%nosuchlink", "ff02::1", "224.0.0.251", "0.0.0.0"} {
		if link, ok, err := OnLink(netip.MustParseAddr(s)); err != nil || ok {
			t.Errorf("OnLink(%s) = %q, %v, %v, want false", s, link, ok, err)
		}
	}
	if _, ok, err := OnLink(netip.Addr{}); err != nil || ok {
		t.Errorf("OnLink of no address = %v, %v, want false", ok, err)
	}
}

func TestIsNetwork(t *testing.T) {
	for s, want := range map[string]bool{
		"192.168.1.0/24": true,
		"10.0.0.0/8":     true,
		"fd00::/64":      true,
		"2001:db8::/32":  true,
		"10.1.2.3/32":    true,
		"0.0.0.0/0":      false,
		"0.0.0.0/1":      false, // half of a VPN's default
		"128.0.0.0/1":    false,
		"2000::/3":       false,
		"::/0":           false,
		"127.0.0.0/8":    false,
		"169.254.0.0/16": false,
		"fe80::/64":      false,
		"ff00::/8":       false,
	} {
		if got := isNetwork(netip.MustParsePrefix(s)); got != want {
			t.Errorf("isNetwork(%s) = %v, want %v", s, got, want)
		}
	}
}
