package lab

import (
	"bufio"
	"fmt"
	"net/netip"
	"strings"
)

// A conf is a phone's .conf file, as far as wg-quick(8) and the apps do something with it that wg(8) does not.
type conf struct {
	addresses  []netip.Prefix // Address: the phone's own
	allowed    []netip.Prefix // AllowedIPs: what goes into the tunnel
	peer       string         // PublicKey of the one peer
	forSetconf string         // the file as wg setconf reads it
}

// readConf separates what wg setconf understands from what it does not. Of all that wg-quick adds to the format
// (Address, DNS, MTU, Table, PreUp, PostUp, PreDown, PostDown, SaveConfig; wg-quick(8)) only Address is taken out, for
// only that may be in a file that both mobile apps accept and that Hearthgate prints: anything else stays, and wg will
// refuse it by name.
func readConf(text string) (conf, error) {
	var c conf
	var kept strings.Builder
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		value = strings.TrimSpace(value)
		var err error
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "address":
			c.addresses, err = prefixes(c.addresses, value)
		case "allowedips":
			c.allowed, err = prefixes(c.allowed, value)
		case "publickey":
			if c.peer != "" {
				err = fmt.Errorf("a second peer: a phone has one")
			}
			c.peer = value
		}
		if err != nil {
			return conf{}, fmt.Errorf("reading %q: %w", lines.Text(), err)
		}
		if !strings.EqualFold(strings.TrimSpace(name), "address") {
			fmt.Fprintln(&kept, lines.Text())
		}
	}
	if c.peer == "" || len(c.addresses) == 0 || len(c.allowed) == 0 {
		return conf{}, fmt.Errorf("a phone's config needs Address, PublicKey and AllowedIPs")
	}
	c.forSetconf = kept.String()
	return c, lines.Err()
}

// prefixes adds a list as wg writes it; an address without a length is that address alone.
func prefixes(to []netip.Prefix, list string) ([]netip.Prefix, error) {
	for one := range strings.SplitSeq(list, ",") {
		one = strings.TrimSpace(one)
		if addr, err := netip.ParseAddr(one); err == nil {
			to = append(to, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(one)
		if err != nil {
			return nil, err
		}
		to = append(to, prefix)
	}
	return to, nil
}
