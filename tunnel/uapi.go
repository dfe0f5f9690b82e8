package tunnel

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/hearthgate/hearthgate/internal/key"
)

// The device in this process is read and written in wgctrl's types. Between them and wireguard-go stands WireGuard's
// cross-platform configuration protocol (https://www.wireguard.com/xplatform/): lines of key=value, keys in hex.
// wgctrl itself speaks it only over a socket, which an unprivileged process cannot always make.

var errUAPI = errors.New("reading the WireGuard device: unexpected answer")

// encodeUAPI renders a set operation's body for cfg.
func encodeUAPI(cfg wgtypes.Config) string {
	var b strings.Builder
	if cfg.PrivateKey != nil {
		fmt.Fprintf(&b, "private_key=%s\n", hex.EncodeToString(cfg.PrivateKey[:]))
	}
	if cfg.ListenPort != nil {
		fmt.Fprintf(&b, "listen_port=%d\n", *cfg.ListenPort)
	}
	if cfg.ReplacePeers {
		b.WriteString("replace_peers=true\n")
	}
	for _, p := range cfg.Peers {
		encodePeer(&b, p)
	}
	return b.String()
}

func encodePeer(b *strings.Builder, p wgtypes.PeerConfig) {
	fmt.Fprintf(b, "public_key=%s\n", hex.EncodeToString(p.PublicKey[:]))
	if p.Remove {
		b.WriteString("remove=true\n")
		return
	}
	if p.UpdateOnly {
		b.WriteString("update_only=true\n")
	}
	if p.PresharedKey != nil {
		fmt.Fprintf(b, "preshared_key=%s\n", hex.EncodeToString(p.PresharedKey[:]))
	}
	if p.Endpoint != nil {
		fmt.Fprintf(b, "endpoint=%s\n", p.Endpoint)
	}
	if p.PersistentKeepaliveInterval != nil {
		fmt.Fprintf(b, "persistent_keepalive_interval=%d\n", int(p.PersistentKeepaliveInterval.Seconds()))
	}
	if p.ReplaceAllowedIPs {
		b.WriteString("replace_allowed_ips=true\n")
	}
	for _, n := range p.AllowedIPs {
		fmt.Fprintf(b, "allowed_ip=%s\n", n.String())
	}
}

// decodeUAPI reads the answer to a get operation. Keys it does not know are passed over, as the protocol asks.
func decodeUAPI(text string) (*wgtypes.Device, error) {
	d := &wgtypes.Device{Type: wgtypes.Userspace}
	lines := bufio.NewScanner(strings.NewReader(text))
	var handshake struct{ sec, nsec int64 }
	var peer *wgtypes.Peer
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), "=")
		if !ok {
			if lines.Text() == "" {
				continue
			}
			return nil, fmt.Errorf("%w: line without a value", errUAPI)
		}
		var err error
		switch key {
		case "private_key":
			d.PrivateKey, err = parseHexKey(value)
			d.PublicKey = d.PrivateKey.PublicKey()
		case "listen_port":
			d.ListenPort, err = strconv.Atoi(value)
		case "fwmark":
			d.FirewallMark, err = strconv.Atoi(value)
		case "public_key":
			d.Peers = append(d.Peers, wgtypes.Peer{})
			peer = &d.Peers[len(d.Peers)-1]
			peer.PublicKey, err = parseHexKey(value)
			handshake.sec, handshake.nsec = 0, 0
		default:
			if peer == nil {
				continue
			}
			switch key {
			case "last_handshake_time_sec":
				handshake.sec, err = strconv.ParseInt(value, 10, 64)
			case "last_handshake_time_nsec":
				handshake.nsec, err = strconv.ParseInt(value, 10, 64)
			default:
				err = decodePeerLine(peer, key, value)
			}
			if handshake.sec != 0 || handshake.nsec != 0 {
				peer.LastHandshakeTime = time.Unix(handshake.sec, handshake.nsec)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errUAPI, key, err)
		}
	}
	return d, lines.Err()
}

func decodePeerLine(p *wgtypes.Peer, key, value string) (err error) {
	switch key {
	case "preshared_key":
		p.PresharedKey, err = parseHexKey(value)
	case "endpoint":
		var ap netip.AddrPort
		ap, err = netip.ParseAddrPort(value)
		p.Endpoint = net.UDPAddrFromAddrPort(ap)
	case "rx_bytes":
		p.ReceiveBytes, err = strconv.ParseInt(value, 10, 64)
	case "tx_bytes":
		p.TransmitBytes, err = strconv.ParseInt(value, 10, 64)
	case "persistent_keepalive_interval":
		var seconds int
		seconds, err = strconv.Atoi(value)
		p.PersistentKeepaliveInterval = time.Duration(seconds) * time.Second
	case "protocol_version":
		p.ProtocolVersion, err = strconv.Atoi(value)
	case "allowed_ip":
		var prefix netip.Prefix
		prefix, err = netip.ParsePrefix(value)
		if err == nil {
			p.AllowedIPs = append(p.AllowedIPs, ipNet(prefix))
		}
	}
	return err
}

func parseHexKey(s string) (wgtypes.Key, error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != wgtypes.KeyLen {
		// The value may be a private key: it must not show in an error.
		return wgtypes.Key{}, errors.New("not a key of 32 bytes in hex")
	}
	return wgtypes.Key(raw), nil
}

func ipNet(p netip.Prefix) net.IPNet {
	return net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// deviceKey hands a secret to the device, and to nobody else. No key becomes the zero key, which WireGuard takes as none.
func deviceKey(s key.Secret) wgtypes.Key {
	k, err := wgtypes.ParseKey(s.Reveal())
	if err != nil {
		return wgtypes.Key{}
	}
	return k
}
