package peers

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/hearthgate/hearthgate/internal/key"
)

// ClientConfig is what a phone needs to come in, as wg-quick(8) writes it. Its
// fields can hold nothing but keys, numbers and a checked endpoint, so its text
// can have no line that was not meant.
type ClientConfig struct {
	// PrivateKey is the phone's; zero when the phone brought its own key, and then
	// the text has no such line.
	PrivateKey key.Secret
	// Addresses are the phone's own in the tunnel.
	Addresses []netip.Prefix
	// PublicKey is the server's.
	PublicKey    key.Public
	PresharedKey key.Secret
	// AllowedIPs are the server's tunnel addresses, and those of the admin page for
	// a peer that has it: never a network, so that the phone's other traffic, and
	// the home's at home, stays as it is.
	AllowedIPs []netip.Prefix

	endpoint string // as ParseEndpoint gives it
}

// Endpoint is where the phone finds the server, HOST:PORT.
func (c ClientConfig) Endpoint() string { return c.endpoint }

// Config gives the enrolment's client config for a server found at endpoint
// (HOST:PORT, as ParseEndpoint gives it).
func (e Enrolment) Config(s Server, endpoint string) (ClientConfig, error) {
	endpoint, err := ParseEndpoint(endpoint, 0)
	if err != nil {
		return ClientConfig{}, fmt.Errorf("making the config of peer %s: %w", shown(e.Peer.Name), err)
	}
	allowed := hosts(s.Address4, s.Address6)
	if e.Peer.Pair.Admin {
		allowed = append(allowed, hosts(s.Admin4, s.Admin6)...)
	}
	return ClientConfig{
		PrivateKey:   e.PrivateKey,
		Addresses:    hosts(e.Peer.Pair.IPv4, e.Peer.Pair.IPv6),
		PublicKey:    s.PublicKey,
		PresharedKey: e.Peer.Pair.PresharedKey,
		AllowedIPs:   allowed,
		endpoint:     endpoint,
	}, nil
}

// Text is the config as both mobile apps read it, from a QR code or a file. It
// has only keys that both accept and that a phone needs: no comment and no
// spaces, which would only make the code denser; no MTU, because without one the
// apps take the safe 1280; no keepalive, which costs a phone its battery.
//
// The text is a secret: it goes to whoever asked for the enrolment, and nowhere else.
func (c ClientConfig) Text() string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			b.WriteString(key + "=" + value + "\n")
		}
	}
	b.WriteString("[Interface]\n")
	line("PrivateKey", c.PrivateKey.Reveal())
	line("Address", joinPrefixes(c.Addresses))
	b.WriteString("[Peer]\n")
	line("PublicKey", c.PublicKey.String())
	line("PresharedKey", c.PresharedKey.Reveal())
	line("Endpoint", c.endpoint)
	line("AllowedIPs", joinPrefixes(c.AllowedIPs))
	return b.String()
}

func hosts(addrs ...netip.Addr) []netip.Prefix {
	list := make([]netip.Prefix, len(addrs))
	for i, a := range addrs {
		list[i] = netip.PrefixFrom(a, a.BitLen())
	}
	return list
}

func joinPrefixes(list []netip.Prefix) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.String()
	}
	return strings.Join(texts, ",")
}
