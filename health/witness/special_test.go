package witness

import (
	"net/netip"
	"testing"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"8.8.8.8": true, "11.0.1.5": true, "100.63.255.255": true, "100.128.0.0": true, "223.255.255.255": true, "9.255.255.255": true,
		"0.0.0.0": false, "10.1.2.3": false, "100.64.0.1": false, "100.127.255.255": false, "127.0.0.1": false, "169.254.1.1": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.0.0.9": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.1.1": false,
		"198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "240.0.0.1": false,
		"255.255.255.255": false,
		"2a77:db8::5":     true, "2001:4860:4860::8888": true, "2600::1": true,
		"::": false, "::1": false, "::ffff:8.8.8.8": false, "::8.8.8.8": false, "64:ff9b::808:808": false, "64:ff9b:1::1": false,
		"100::1": false, "2001::1": false, "2001:10::1": false, "2001:db8::1": false, "2002:808:808::1": false, "2620:4f:8000::1": false,
		"3fff::1": false, "4000::1": false, "5f00::1": false, "fc00::1": false, "fd12::1": false, "fe80::1": false, "fec0::1": false,
		"ff02::1": false, "2a77:db8::5%eth0": false,
	} {
		if got := Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is public: %t, want %t", text, got, want)
		}
	}
	if Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}
