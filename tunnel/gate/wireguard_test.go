package gate

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"testing"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/conn/bindtest"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"
	"golang.zx2c4.com/wireguard/tun/netstack"

	"github.com/hearthgate/hearthgate/tunnel/link"
)

// TestThroughWireGuard runs what matters most once more with true handshakes, keys and wireguard-go's own batches between the
// phone and the gate.
func TestThroughWireGuard(t *testing.T) {
	r, anna := newTunnel(t, Config{})
	services := []Service{web(serve(t, echo)), talk(serveUDP(t, bytes.ToUpper))}
	r.policy(services, 1)
	for _, us := range []netip.Addr{ours4.Addr(), ours6.Addr()} {
		at := netip.AddrPortFrom(us, 8080)
		if err := exchangeOn(anna, at); err != nil {
			t.Fatal(err)
		}
		wantReset(t, "a port of nobody", anna, netip.AddrPortFrom(us, 22))
		u := anna.udp(netip.AddrPortFrom(us, 5000))
		if _, err := u.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if err := readWant(u, "HELLO"); err != nil {
			t.Error(err)
		}
		wantUnreachable(t, "a UDP port of nobody", anna.udp(netip.AddrPortFrom(us, 53)))

		c := anna.tcp(at)
		sent, want := noise(3, bulk/8)
		go func() {
			_, _ = io.Copy(c, sent)
			_ = c.CloseWrite()
		}()
		h := sha256.New()
		if n, err := io.Copy(h, c); err != nil || n != bulk/8 || !bytes.Equal(h.Sum(nil), want.Sum(nil)) {
			t.Errorf("got %d bytes back, %v, or others than were sent", n, err)
		}
	}
	c := anna.tcp(netip.AddrPortFrom(ours4.Addr(), 8080))
	if err := exchange(c, "hello"); err != nil {
		t.Fatal(err)
	}
	r.policy(services)
	wantCut(t, c)
	if n := r.link.Lost(); n != 0 {
		t.Errorf("%d packets were lost on the way to wireguard-go", n)
	}
}

// newTunnel is a rig with WireGuard in between: two wireguard-go devices with true handshakes and keys, joined in memory,
// and the one phone behind them.
func newTunnel(t testing.TB, cfg Config) (*rig, *phone) {
	t.Helper()
	r := bareRig(t, cfg)
	d, net, err := netstack.CreateNetTUN([]netip.Addr{phone4(1), phone6(1)}, nil, link.MTU)
	if err != nil {
		t.Fatal(err)
	}
	binds := bindtest.NewChannelBinds()
	server, serverKey := newDevice(t, r.link, binds[0])
	client, clientKey := newDevice(t, d, binds[1])
	configure(t, server, fmt.Sprintf("public_key=%s\nallowed_ip=%s/32\nallowed_ip=%s/128\n", clientKey, phone4(1), phone6(1)))
	configure(t, client, fmt.Sprintf("public_key=%s\nendpoint=127.0.0.1:2\nallowed_ip=0.0.0.0/0\nallowed_ip=::/0\n", serverKey))
	return r, &phone{t: t, Net: net}
}

func newDevice(t testing.TB, d tun.Device, bind conn.Bind) (*device.Device, string) {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dev := device.NewDevice(d, bind, device.NewLogger(device.LogLevelError, ""))
	configure(t, dev, "private_key="+hex.EncodeToString(key.Bytes())+"\n")
	if err := dev.Up(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	return dev, hex.EncodeToString(key.PublicKey().Bytes())
}

func configure(t testing.TB, d *device.Device, text string) {
	t.Helper()
	if err := d.IpcSet(text); err != nil {
		t.Fatal(err)
	}
}
