package peers

import (
	"net/netip"
	"strconv"
	"strings"
)

// ParseEndpoint checks where phones find the tunnel and gives it as HOST:PORT,
// with an IPv6 address in brackets, as both mobile apps need it. It accepts
// HOST, HOST:PORT, an IPv4 or IPv6 address, and [IPv6]:PORT; a missing port
// becomes defaultPort. Only letters, digits, dots, hyphens, colons and brackets
// can come out, so an endpoint can never bring a line of its own into a config.
func ParseEndpoint(s string, defaultPort int) (string, error) {
	host, port, ok := splitEndpoint(s)
	if !ok {
		return "", badEndpoint(s, "is not a host and a port")
	}
	number := defaultPort
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port[0] == '0' {
			return "", invalidf("endpoint %s has a bad port: expected a number from 1 to 65535", quote(s))
		}
		number = int(n)
	}
	if number < 1 || number > 65535 {
		return "", invalidf("endpoint %s has no port: expected HOST:PORT", quote(s))
	}
	host, why := cleanHost(host)
	if why != "" {
		return "", badEndpoint(s, why)
	}
	return host + ":" + strconv.Itoa(number), nil
}

func badEndpoint(s, why string) error {
	return invalidf("endpoint %s %s: expected a host name or address, such as home.example.org:51820 or [2001:db8::1]:51820", quote(s), why)
}

// splitEndpoint separates host and port; a bare IPv6 address is all host. The
// host keeps its brackets.
func splitEndpoint(s string) (host, port string, ok bool) {
	if rest, bracket := strings.CutPrefix(s, "["); bracket {
		inside, after, closed := strings.Cut(rest, "]")
		port, colon := strings.CutPrefix(after, ":")
		return "[" + inside + "]", port, closed && (after == "" || colon && port != "")
	}
	if strings.Count(s, ":") > 1 {
		return "[" + s + "]", "", true
	}
	host, port, colon := strings.Cut(s, ":")
	return host, port, !colon || port != ""
}

// cleanHost gives the host as a config carries it, or says what is wrong with it.
func cleanHost(host string) (clean, why string) {
	inside, bracket := strings.CutPrefix(host, "[")
	addr, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
	switch {
	case err != nil && bracket:
		return "", "has no IPv6 address in its brackets"
	case err != nil:
		return cleanHostName(host)
	case bracket && addr.Is4():
		return "", "has an IPv4 address in brackets"
	case addr.Zone() != "" || addr.Is6() && addr.IsLinkLocalUnicast():
		return "", "is an address of one link only"
	}
	addr = addr.Unmap()
	if addr.IsUnspecified() || addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return "", "is not the address of one host"
	}
	if addr.Is6() {
		return "[" + addr.String() + "]", ""
	}
	return addr.String(), ""
}

// cleanHostName holds a name to RFC 1123, section 2.1, and to one rule more:
// the last label begins with a letter. Android's app reads the endpoint as a
// java.net.URI, which finds no host (and so no port) in "my_home.lan" or "1.2.3".
func cleanHostName(host string) (clean, why string) {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if len(name) > 253 { // RFC 1035, section 2.3.4, less length bytes
		return "", "has a host name longer than 253 characters"
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		switch {
		case label == "":
			return "", "has an empty part in its host name"
		case len(label) > 63:
			return "", "has a part longer than 63 characters in its host name"
		case strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			return "", "has a character that a host name cannot have (names in other scripts are written xn--...)"
		case label[0] == '-' || label[len(label)-1] == '-':
			return "", "has a hyphen at the edge of a part of its host name"
		}
	}
	if last := labels[len(labels)-1]; last[0] < 'a' {
		return "", "is neither an address nor a host name"
	}
	return name, ""
}
