package homeassistant

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Home Assistant's ports: 8123 always, until Core 2026.8 under a Supervisor made 80 the default of new installations
// (home-assistant/core#174278).
const (
	port    = 8123
	newPort = 80
)

// A Target is a place to try. Host is an IP address, perhaps with a zone, or a host name.
type Target struct {
	Scheme string // http or https
	Host   string
	Port   uint16
}

// Addr is the target as host:port, for dialling.
func (t Target) Addr() string { return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))) }

// URL is the target as people write it: without a port where the scheme says it already.
func (t Target) URL() string {
	u := url.URL{Scheme: t.Scheme, Host: t.Addr()}
	if t.Port == schemePort(t.Scheme) {
		u.Host = strings.TrimSuffix(u.Host, ":"+strconv.Itoa(int(t.Port)))
	}
	return u.String()
}

// IP is the target's address, or the zero Addr when the host is a name.
func (t Target) IP() netip.Addr {
	addr, _ := netip.ParseAddr(t.Host)
	return addr.Unmap()
}

// at is the same place with the host resolved.
func (t Target) at(addr netip.Addr) Target {
	t.Host = addr.Unmap().String()
	return t
}

func schemePort(scheme string) uint16 {
	if scheme == "https" {
		return 443
	}
	return 80
}

var errAddress = errors.New("expected http://HOST[:PORT], https://HOST[:PORT] or HOST[:PORT], such as http://192.168.1.10:8123")

// ParseAddress reads where Home Assistant is, as people write it, and returns every target that they may mean, the likeliest
// first. A URL means one: its port, or the one of its scheme. A host with a port may be http or https. A host alone may
// also be at either of Home Assistant's ports.
func ParseAddress(s string) ([]Target, error) {
	targets, err := parseAddress(s)
	if err != nil {
		return nil, fmt.Errorf("reading Home Assistant's address %q: %w", s, err)
	}
	return targets, nil
}

func parseAddress(s string) ([]Target, error) {
	if len(s) > 512 {
		return nil, errors.New("it is longer than 512 characters")
	}
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		return parseURL(s, scheme)
	}
	host, p, err := splitHost(s)
	if err != nil {
		return nil, err
	}
	if p != 0 {
		return bothSchemes(host, p), nil
	}
	return append(bothSchemes(host, port), Target{"http", host, newPort}, Target{"https", host, 443}), nil
}

func parseURL(s, scheme string) ([]Target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errAddress // what url.Parse says is for programmers
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q is not http or https", scheme)
	case u.User != nil:
		return nil, errors.New("a user name or password must not be in it")
	case u.Path != "" && u.Path != "/":
		return nil, fmt.Errorf("a path (%q) must not be in it: Home Assistant is always at the top", u.Path)
	case u.RawQuery != "" || u.ForceQuery:
		return nil, errors.New("a query (?...) must not be in it")
	case u.Fragment != "" || strings.Contains(s, "#"):
		return nil, errors.New("a fragment (#...) must not be in it")
	}
	host, err := checkHost(u.Hostname())
	if err != nil {
		return nil, err
	}
	p := schemePort(u.Scheme)
	if strings.HasSuffix(u.Host, ":") {
		return nil, errors.New("there is no port after the colon")
	}
	if u.Port() != "" {
		if p, err = parsePort(u.Port()); err != nil {
			return nil, err
		}
	}
	return []Target{{u.Scheme, host, p}}, nil
}

// splitHost takes host, host:port, [v6]:port, [v6] and a bare v6 apart; the port is 0 when there is none.
func splitHost(s string) (host string, p uint16, err error) {
	if _, err := netip.ParseAddr(s); err == nil || !strings.Contains(s, ":") {
		host, err = checkHost(s)
		return host, 0, err
	}
	if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
		host, err = checkHost(strings.TrimSuffix(inner, "]"))
		return host, 0, err
	}
	host, portText, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, errAddress
	}
	if p, err = parsePort(portText); err != nil {
		return "", 0, err
	}
	host, err = checkHost(host)
	return host, p, err
}

func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || s[0] == '+' {
		return 0, fmt.Errorf("port %q is not a number from 1 to 65535", s)
	}
	return uint16(n), nil
}

// checkHost takes an address that a connection can go to, or a host name (RFC 1123, section 2.1, and the underscore that
// people use regardless), and returns it in its plain form.
func checkHost(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		if addr.IsUnspecified() || addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			return "", fmt.Errorf("%s is not the address of a machine", addr)
		}
		if strings.Trim(addr.Zone(), labelChars+"ABCDEFGHIJKLMNOPQRSTUVWXYZ.@") != "" {
			return "", fmt.Errorf("%q is not the name of a network interface", addr.Zone())
		}
		return addr.String(), nil
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "" {
		return "", errAddress
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "", fmt.Errorf("%q is neither an IP address nor a host name", host)
		}
	}
	// A name that ends in a number is a mistyped IPv4 address (https://url.spec.whatwg.org/#ends-in-a-number-checker).
	if last := labels[len(labels)-1]; len(name) > 253 || strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("%q is neither an IP address nor a host name", host)
	}
	return name, nil
}

const labelChars = "abcdefghijklmnopqrstuvwxyz0123456789-_"

func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.Trim(s, labelChars) == ""
}

func bothSchemes(host string, port uint16) []Target {
	return []Target{{"http", host, port}, {"https", host, port}}
}

// onThisMachine are the targets of the first find, in their order.
func onThisMachine() []Target {
	return append(bothSchemes("127.0.0.1", port), Target{"http", "127.0.0.1", newPort})
}
