package tunnel

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.zx2c4.com/wireguard/conn/bindtest"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun/tuntest"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"
)

// realDevice is wireguard-go itself, without a network.
func realDevice(t *testing.T) *device.Device {
	t.Helper()
	binds := bindtest.NewChannelBinds()
	d := device.NewDevice(tuntest.NewChannelTUN().TUN(), binds[0], device.NewLogger(device.LogLevelSilent, ""))
	t.Cleanup(d.Close)
	return d
}

func TestWhatIsWrittenToTheDeviceIsReadBack(t *testing.T) {
	d := realDevice(t)
	private, port := deviceKey(newSecret(t)), 51820
	keepalive := 25 * time.Second
	a := newAccess(t, 3)
	psk := deviceKey(a.Pair.PresharedKey)
	peer := wgtypes.PeerConfig{
		PublicKey: wgtypes.Key(a.Pair.PublicKey), PresharedKey: &psk,
		PersistentKeepaliveInterval: &keepalive, ReplaceAllowedIPs: true,
		AllowedIPs: []net.IPNet{hostNet(a.Pair.IPv4), hostNet(a.Pair.IPv6)},
	}
	if err := d.IpcSet(encodeUAPI(wgtypes.Config{PrivateKey: &private, ListenPort: &port, Peers: []wgtypes.PeerConfig{peer}})); err != nil {
		t.Fatal(err)
	}
	text, err := d.IpcGet()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeUAPI(text)
	if err != nil {
		t.Fatal(err)
	}
	if got.PrivateKey != private || got.PublicKey != private.PublicKey() || got.ListenPort == 0 || len(got.Peers) != 1 {
		t.Fatalf("device: %+v", got)
	}
	p := got.Peers[0]
	if p.PublicKey != peer.PublicKey || p.PresharedKey != psk || p.PersistentKeepaliveInterval != keepalive ||
		!sameNets(p.AllowedIPs, peer.AllowedIPs) || !p.LastHandshakeTime.IsZero() {
		t.Errorf("peer: %+v", p)
	}
	if err := d.IpcSet(encodeUAPI(wgtypes.Config{Peers: []wgtypes.PeerConfig{{PublicKey: peer.PublicKey, Remove: true}}})); err != nil {
		t.Fatal(err)
	}
	if text, err = d.IpcGet(); err != nil || strings.Contains(text, "public_key=") {
		t.Errorf("a removed peer is still there (%v)", err)
	}
}

func TestDecodeUAPIReadsEachPeersOwnTimes(t *testing.T) {
	a, b := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	got, err := decodeUAPI("public_key=" + a + "\nlast_handshake_time_sec=1700000000\nlast_handshake_time_nsec=5\n" +
		"endpoint=[2001:db8::1]:51820\nrx_bytes=7\ntx_bytes=9\nfuture_key=1\npublic_key=" + b +
		"\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\n")
	if err != nil {
		t.Fatal(err)
	}
	if !got.Peers[0].LastHandshakeTime.Equal(time.Unix(1700000000, 5)) || !got.Peers[1].LastHandshakeTime.IsZero() {
		t.Errorf("handshakes: %v, %v", got.Peers[0].LastHandshakeTime, got.Peers[1].LastHandshakeTime)
	}
	if got.Peers[0].ReceiveBytes != 7 || got.Peers[0].TransmitBytes != 9 ||
		got.Peers[0].Endpoint.AddrPort() != netip.MustParseAddrPort("[2001:db8::1]:51820") {
		t.Errorf("peer: %+v", got.Peers[0])
	}
}

func TestDecodeUAPINeverShowsAKeyInAnError(t *testing.T) {
	secret := strings.Repeat("ab", 31) + "zz"
	_, err := decodeUAPI("private_key=" + secret + "\n")
	if err == nil || strings.Contains(err.Error(), "abab") {
		t.Errorf("error: %v", err)
	}
}

func FuzzDecodeUAPI(f *testing.F) {
	f.Add("private_key=00\nlisten_port=1\n")
	f.Add("public_key=" + strings.Repeat("ab", 32) + "\nallowed_ip=10.0.0.1/32\nendpoint=1.2.3.4:5\n")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = decodeUAPI(text) // must not panic; what it makes of nonsense is an error
	})
}
