// Package endpoint says how phones find the tunnel: the host and UDP port that a new phone's config names.
//
// What the owner configured is used as it stands; what cannot be reached from outside by its very form is called so. Without it the answer is this machine's address on the LAN, and it is
// said plainly that such a phone connects at home only. The package never guesses a public address: an address that
// nobody has tried from outside strands the phone where its owner cannot mend it.
package endpoint

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Scope says from where an endpoint can be reached.
type Scope string

// The scopes of an endpoint.
const (
	Configured Scope = "configured" // the owner named it, and it can be reached from outside as far as one can tell by looking
	LAN        Scope = "lan"        // an address of this network: works at home only
)

// Endpoint is where phones send their packets.
type Endpoint struct {
	Address string // host:port; an IPv6 literal stands in brackets
	Scope   Scope
}

// Note is the sentence that a person who adds a phone must read; empty when there is nothing to say.
func (e Endpoint) Note() string {
	if e.Scope == LAN {
		return "Works at home only until an endpoint is set: forward UDP port " + port(e.Address) +
			" on your router to this machine, set your public name or address on the page or with --endpoint, and" +
			" give the phone a new code (hearthgate peer rekey)."
	}
	return ""
}

// homely are networks that no packet from the internet is addressed to: RFC 1918, 6598, 3927, 1122 (loopback), 4193, 4291.
var homely = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("::1/128"),
}

// AtHomeOnly tells whether HOST:PORT cannot mean this home to anybody outside: a private address, or a name that only a home's own
// network knows (RFC 6762, RFC 8375; "internal" is reserved for that by ICANN), such as one without a dot.
func AtHomeOnly(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap().WithZone("")
		return slices.ContainsFunc(homely, func(n netip.Prefix) bool { return n.Contains(addr) })
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	for _, end := range []string{".local", ".home.arpa", ".internal", ".lan", ".localhost"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return !strings.Contains(name, ".")
}

func port(address string) string {
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		return "51820"
	}
	return p
}

// ErrNoAddress is returned when this machine has no address that a phone could use.
var ErrNoAddress = errors.New("this machine has no network address that a phone could use")

// Current is the endpoint for a new config. configured is host:port as checked before, or empty; listenPort is the port
// that the tunnel really uses; lan finds the machine's own address on the link of its default route.
func Current(configured string, listenPort uint16, lan func() (netip.Addr, error)) (Endpoint, error) {
	if configured != "" {
		scope := Configured
		if AtHomeOnly(configured) {
			scope = LAN
		}
		return Endpoint{Address: configured, Scope: scope}, nil
	}
	addr, err := lan()
	if err != nil || !addr.IsValid() {
		return Endpoint{}, fmt.Errorf("%w; connect it to the network, or set --endpoint", ErrNoAddress)
	}
	host := addr.Unmap().WithZone("").String()
	return Endpoint{Address: net.JoinHostPort(host, strconv.Itoa(int(listenPort))), Scope: LAN}, nil
}
