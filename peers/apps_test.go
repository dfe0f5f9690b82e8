package peers

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// This file reads a config as the two mobile apps do, written from what is known
// of their rules and apart from ParseClientConfig, so that a test can ask whether
// either of them would refuse what we hand out.

// An app is what differs between the two.
type app struct {
	name     string
	lineEnds string   // what ends a line for it
	keys     []string // that [Interface] may have besides the common ones
	repeats  bool     // whether a key may come twice
	endpoint func(string) error
}

var apps = []app{
	{name: "iOS", lineEnds: "\n\r\v\f\u0085\u2028\u2029", endpoint: iosEndpoint},
	{name: "Android", lineEnds: "\n\r", keys: []string{"excludedapplications", "includedapplications"}, repeats: true, endpoint: androidEndpoint},
}

var (
	interfaceKeys = []string{"privatekey", "listenport", "address", "dns", "mtu"}
	peerKeys      = []string{"publickey", "presharedkey", "allowedips", "endpoint", "persistentkeepalive"}
	listKeys      = []string{"address", "dns", "allowedips"}
)

// refuses says why an app would not import a text; nil is that it would.
func (a app) refuses(text string) error {
	section, seen := "", map[string]int{}
	lines := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(a.lineEnds, r) })
	for _, line := range lines {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		lower := strings.ToLower(line)
		if lower == "[interface]" || lower == "[peer]" {
			section = lower
			seen[section]++
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if !ok || section == "" {
			return fmt.Errorf("%s: line %q is in no section or has no value", a.name, line)
		}
		seen[section+key]++
		if seen[section+key] > 1 && !a.repeats && !slices.Contains(listKeys, key) {
			return fmt.Errorf("%s: %q comes twice", a.name, key)
		}
		if err := a.refusesKey(section, key, strings.TrimSpace(value)); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	if seen["[interface]"] != 1 || seen["[interface]privatekey"] == 0 || seen["[peer]"] != seen["[peer]publickey"] {
		return fmt.Errorf("%s: a section or a key is missing: %v", a.name, seen)
	}
	return nil
}

func (a app) refusesKey(section, key, value string) error {
	allowed := peerKeys
	if section == "[interface]" {
		allowed = append(slices.Clone(interfaceKeys), a.keys...)
	}
	switch {
	case !slices.Contains(allowed, key):
		return fmt.Errorf("%s may not have %q", section, key)
	case strings.HasSuffix(key, "key"):
		if b, err := base64.StdEncoding.DecodeString(value); err != nil || len(b) != 32 || len(value) != 44 {
			return fmt.Errorf("%q is no key", key)
		}
	case key == "address" || key == "allowedips":
		for part := range strings.SplitSeq(value, ",") {
			if _, err := netip.ParsePrefix(strings.TrimSpace(part)); err != nil {
				return err
			}
		}
	case key == "endpoint":
		return a.endpoint(value)
	}
	return nil
}

// iosEndpoint needs brackets around IPv6, a port, and a name or an address.
func iosEndpoint(s string) error {
	host, port, ok := strings.Cut(s, ":")
	if strings.HasPrefix(s, "[") {
		host, port, ok = strings.Cut(s[1:], "]:")
	}
	if n, err := strconv.ParseUint(port, 10, 16); !ok || host == "" || err != nil || n == 0 {
		return fmt.Errorf("endpoint %q", s)
	}
	return nil
}

// javaHost is what java.net.URI takes for a host name (RFC 2396, section 3.2.2).
var javaHost = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?\.?$`)

// androidEndpoint is read as the URI wg://endpoint.
func androidEndpoint(s string) error {
	u, err := url.Parse("wg://" + s)
	if err != nil || strings.ContainsAny(s, "/?#") || u.Port() == "" {
		return fmt.Errorf("endpoint %q: %w", s, err)
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && (addr.Is4() || strings.HasPrefix(s, "[")) {
		return nil
	}
	if !javaHost.MatchString(u.Hostname()) {
		return fmt.Errorf("endpoint %q has no host", s)
	}
	return nil
}
