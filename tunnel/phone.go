package tunnel

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun/netstack"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/hearthgate/hearthgate/peers"
)

// Phone is the other end: a WireGuard peer with a userspace stack of its own, made from the very config that a phone
// scans. The demo uses it, and tests that want a true handshake without privileges.
type Phone struct {
	dev *device.Device
	net *netstack.Net
}

// NewPhone starts a phone. With everything set it behaves like one whose owner has edited AllowedIPs to 0.0.0.0/0 and
// ::/0: it sends whatever it likes into the tunnel. The endpoint must be an address, not a name.
func NewPhone(cfg peers.ClientConfig, everything bool) (*Phone, error) {
	endpoint, err := netip.ParseAddrPort(cfg.Endpoint())
	if err != nil {
		return nil, fmt.Errorf("starting a phone: endpoint %q: %w", cfg.Endpoint(), err)
	}
	addresses := make([]netip.Addr, 0, len(cfg.Addresses))
	for _, a := range cfg.Addresses {
		addresses = append(addresses, a.Addr())
	}
	tun, stack, err := netstack.CreateNetTUN(addresses, nil, MTU)
	if err != nil {
		return nil, fmt.Errorf("starting a phone: %w", err)
	}
	allowed := cfg.AllowedIPs
	if everything {
		allowed = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	}
	dev := device.NewDevice(tun, conn.NewDefaultBind(), device.NewLogger(device.LogLevelSilent, ""))
	err = dev.IpcSet(encodeUAPI(phoneConfig(cfg, endpoint, allowed)))
	if err == nil {
		err = dev.Up()
	}
	if err != nil {
		dev.Close()
		return nil, fmt.Errorf("starting a phone: %w", err)
	}
	return &Phone{dev: dev, net: stack}, nil
}

func phoneConfig(cfg peers.ClientConfig, endpoint netip.AddrPort, allowed []netip.Prefix) wgtypes.Config {
	private, psk := deviceKey(cfg.PrivateKey), deviceKey(cfg.PresharedKey)
	peer := wgtypes.PeerConfig{
		PublicKey: wgtypes.Key(cfg.PublicKey), PresharedKey: &psk,
		Endpoint: net.UDPAddrFromAddrPort(endpoint), ReplaceAllowedIPs: true,
	}
	for _, p := range allowed {
		peer.AllowedIPs = append(peer.AllowedIPs, ipNet(p))
	}
	return wgtypes.Config{PrivateKey: &private, Peers: []wgtypes.PeerConfig{peer}}
}

// DialContext connects through the tunnel; network is tcp or udp, address an IP address and port.
func (p *Phone) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return p.net.DialContext(ctx, network, address)
}

// Listen accepts TCP connections at the phone's own tunnel address.
func (p *Phone) Listen(at netip.AddrPort) (net.Listener, error) {
	return p.net.ListenTCPAddrPort(at)
}

// Close ends the phone.
func (p *Phone) Close() { p.dev.Close() }
