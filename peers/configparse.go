package peers

import (
	"net/netip"
	"strings"

	"github.com/hearthgate/hearthgate/internal/key"
)

// ParseClientConfig reads the text of a client config. It accepts less than
// either mobile app does, so what it accepts neither of them refuses: the
// sections and keys that Text writes, spelt so, each once, one section of a
// kind, Unix line ends, no comment. Spaces around "=" and "," and empty lines
// are fine. It is how tests, and whoever has a config in hand, tell whether it
// is one of ours; a missing PrivateKey is a phone that brought its own.
func ParseClientConfig(text string) (ClientConfig, error) {
	p := configParser{seen: map[string]bool{}}
	for line := range strings.SplitSeq(text, "\n") {
		if err := p.line(line); err != nil {
			return ClientConfig{}, err
		}
	}
	for _, must := range []string{"[Interface]", "Address", "[Peer]", "PublicKey", "Endpoint", "AllowedIPs"} {
		if !p.seen[must] {
			return ClientConfig{}, invalidf("config has no %s", must)
		}
	}
	return p.c, nil
}

type configParser struct {
	c       ClientConfig
	section string
	seen    map[string]bool // keys and sections, each of which comes once
}

func (p *configParser) line(line string) error {
	line = strings.Trim(line, " ")
	name, value, isKey := strings.Cut(line, "=")
	name, value = strings.Trim(name, " "), strings.Trim(value, " ")
	switch {
	case line == "":
		return nil
	case p.seen[name]:
		return invalidf("config has %s more than once", quoteKey(name))
	case line == "[Interface]" || line == "[Peer]":
		p.section = line
		p.seen[line] = true
		return nil
	case !isKey:
		return invalidf("config line %s is neither a section nor a key with a value", quoteKey(line))
	}
	p.seen[name] = true
	return p.value(name, value)
}

// value reads one key's value. No error quotes a value: it may be a secret.
func (p *configParser) value(name, value string) (err error) {
	switch p.section + name {
	case "[Interface]PrivateKey":
		p.c.PrivateKey, err = parseSecret(name, value)
	case "[Interface]Address":
		p.c.Addresses, err = parsePrefixes(name, value)
	case "[Peer]PublicKey":
		p.c.PublicKey, err = key.ParsePublic(value)
		if err != nil {
			return invalidf("config has a bad PublicKey: %v", err)
		}
	case "[Peer]PresharedKey":
		p.c.PresharedKey, err = parseSecret(name, value)
	case "[Peer]Endpoint":
		p.c.endpoint, err = ParseEndpoint(value, 0)
	case "[Peer]AllowedIPs":
		p.c.AllowedIPs, err = parsePrefixes(name, value)
	default:
		return invalidf("config has the key %s, which is not expected there", quoteKey(name))
	}
	return err
}

func parseSecret(name, value string) (key.Secret, error) {
	secret, err := key.ParseSecret(value)
	if err != nil {
		return key.Secret{}, invalidf("config has a bad %s: expected 44 characters of base64, not all zero", name)
	}
	return secret, nil
}

func parsePrefixes(name, value string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for part := range strings.SplitSeq(value, ",") {
		prefix, err := netip.ParsePrefix(strings.Trim(part, " "))
		if err != nil || prefix.Addr().Is4In6() {
			return nil, invalidf("config has a bad %s %s: expected addresses such as 10.77.0.2/32", name, quote(part))
		}
		list = append(list, prefix)
	}
	return list, nil
}

// quoteKey shows the start of a line that is not understood, and not the secret
// that may stand on it.
func quoteKey(line string) string {
	const enough = 16 // less than half a key
	if len(line) <= enough {
		return quote(line)
	}
	return quote(line[:enough]) + "..."
}
