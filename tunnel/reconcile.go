package tunnel

import (
	"bytes"
	"net"
	"net/netip"
	"slices"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/peers"
)

// desired is what the device should be: the server's key and one peer for each pair that is allowed in now.
type desired struct {
	privateKey key.Secret
	access     []peers.Access
}

// reconcile says what to change so that have becomes want, and nothing else: a peer that is right already is not named,
// so its session goes on. Applying the result twice changes nothing the second time. The second value is false when
// there is nothing to do.
func reconcile(have *wgtypes.Device, want desired) (wgtypes.Config, bool) {
	var cfg wgtypes.Config
	if private := deviceKey(want.privateKey); have.PrivateKey != private {
		cfg.PrivateKey = &private
	}
	present := make(map[wgtypes.Key]*wgtypes.Peer, len(have.Peers))
	for i := range have.Peers {
		present[have.Peers[i].PublicKey] = &have.Peers[i]
	}
	wanted := make(map[wgtypes.Key]bool, len(want.access))
	var set []wgtypes.PeerConfig
	for _, a := range want.access {
		pub := wgtypes.Key(a.Pair.PublicKey)
		wanted[pub] = true
		if change, differs := peerChange(present[pub], a.Pair); differs {
			set = append(set, change)
		}
	}
	// Removals go first: an allowed IP that moves from one key to another must be free before it is given away.
	for i := range have.Peers {
		if pub := have.Peers[i].PublicKey; !wanted[pub] {
			cfg.Peers = append(cfg.Peers, wgtypes.PeerConfig{PublicKey: pub, Remove: true})
		}
	}
	cfg.Peers = append(cfg.Peers, set...)
	return cfg, cfg.PrivateKey != nil || len(cfg.Peers) > 0
}

// all is a change as it is.
func all(cfg wgtypes.Config) wgtypes.Config { return cfg }

// arrivals is the part of a change that ends nobody's session: peers that come or are set right. No peer that leaves can
// stand in their way, because no tunnel address is given away before it has rested.
func arrivals(cfg wgtypes.Config) wgtypes.Config {
	cfg.PrivateKey = nil // a new key ends every session
	cfg.Peers = slices.DeleteFunc(slices.Clone(cfg.Peers), func(p wgtypes.PeerConfig) bool { return p.Remove })
	return cfg
}

func peerChange(have *wgtypes.Peer, want peers.Pair) (wgtypes.PeerConfig, bool) {
	psk := deviceKey(want.PresharedKey)
	allowed := []net.IPNet{hostNet(want.IPv4), hostNet(want.IPv6)}
	if have != nil && have.PresharedKey == psk && sameNets(have.AllowedIPs, allowed) {
		return wgtypes.PeerConfig{}, false
	}
	return wgtypes.PeerConfig{
		PublicKey:         wgtypes.Key(want.PublicKey),
		UpdateOnly:        have != nil,
		PresharedKey:      &psk,
		ReplaceAllowedIPs: true,
		AllowedIPs:        allowed,
	}, true
}

func hostNet(a netip.Addr) net.IPNet { return ipNet(netip.PrefixFrom(a, a.BitLen())) }

// sameNets compares two sets of networks; their order means nothing to WireGuard.
func sameNets(a, b []net.IPNet) bool {
	if len(a) != len(b) {
		return false
	}
	for _, n := range a {
		if !slices.ContainsFunc(b, func(m net.IPNet) bool {
			return n.IP.Equal(m.IP) && bytes.Equal(n.Mask, m.Mask)
		}) {
			return false
		}
	}
	return true
}
