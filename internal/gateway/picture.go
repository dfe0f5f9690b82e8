package gateway

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// Protocol is one that a router may speak.
type Protocol string

// The protocols.
const (
	UPnP   Protocol = "upnp"    // UPnP Forum, InternetGatewayDevice:1 and :2
	NATPMP Protocol = "nat-pmp" // RFC 6886
	PCP    Protocol = "pcp"     // RFC 6887
)

// Mapping is one row of the router's table. Text in it is the router's, bounded and printable.
type Mapping struct {
	Protocol    string     // "TCP" or "UDP"
	Remote      string     // from where it is passed on; empty: from anywhere
	External    uint16     // the port outside; 0: every port that no other row names
	Last        uint16     // of a range outside, else the same as External
	Client      string     // to whom, as the router writes it
	Internal    netip.Addr // the same as an address; zero: it is a name
	Port        uint16     // at the client; the first of a range; 0: the same as outside
	Enabled     bool
	Description string
	Lease       time.Duration // that is left; 0: without end, or the router does not say
	Service     string        // UPnP type of the service that lists it
	remote      string        // as the router writes it
}

// ID names the row by all that it does: one whose target has changed is another row.
func (m Mapping) ID() string {
	text := fmt.Sprintf("%s\x00%s\x00%d\x00%d\x00%s\x00%d", m.Protocol, m.Remote, m.External, m.Last, m.Client, m.Port)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// Leads tells whether the row passes a port outside on to port at addr, and which one. Where it passes on every port, that is
// the same port.
func (m Mapping) Leads(addr netip.Addr, port uint16) (external uint16, ok bool) {
	if m.Internal != addr || !addr.IsValid() || port == 0 {
		return 0, false
	}
	first := cmp.Or(m.Port, m.External)
	switch {
	case m.External == 0 && (m.Port == 0 || m.Port == port):
		return port, true
	case m.External == 0 || port < first || port-first > m.Last-m.External:
		return 0, false
	default:
		return m.External + (port - first), true
	}
}

// External is the address outside, by one protocol's word. Routers say nothing, 0.0.0.0, a private one, or an old one.
type External struct {
	By   Protocol
	Addr netip.Addr
}

// Firewall is what the router says of its IPv6 firewall. That it is on is no evidence: Debian's daemon says so always.
type Firewall int

// The firewall's states.
const (
	FirewallUnknown Firewall = iota
	FirewallOn
	FirewallOff
)

// Epoch is a router's count of seconds since it lost what it knew (RFC 6886, section 3.6; RFC 6887, section 8.5).
type Epoch struct {
	By      Protocol // empty: the router does not say
	Seconds uint32
	At      time.Time // when it said so
}

// Picture is what the router said at one moment.
type Picture struct {
	Gateway   netip.Addr
	Speaks    []Protocol
	Table     bool      // it has a table of mappings that can be asked for
	Complete  bool      // the table was read to its end
	Mappings  []Mapping // of a Glance: those of the ports that were asked for
	External  []External
	Firewall6 Firewall
	UDN       string // unique device name of the UPnP device; another one is another router
	BootID    string // BOOTID.UPNP.ORG; another one is a restart
	Epoch     Epoch
	At        time.Time
}

// Address is the address outside: the first that is on the internet; else the first that is one at all.
func (p Picture) Address() netip.Addr {
	var first netip.Addr
	for _, e := range p.External {
		if publicaddr.IsPublic(e.Addr) {
			return e.Addr
		}
		if !first.IsValid() {
			first = e.Addr
		}
	}
	return first
}

// Restarted tells whether the router is another one than in an earlier picture, or has started anew since.
func (p Picture) Restarted(before Picture) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	return differ(p.UDN, before.UDN) || differ(p.BootID, before.BootID) ||
		p.Gateway != before.Gateway && before.Gateway.IsValid() || p.Epoch.regressed(before.Epoch)
}

// regressed follows RFC 6886, section 3.6: a clock may run slow by an eighth, and two seconds are forgiven.
func (e Epoch) regressed(before Epoch) bool {
	// Some routers say 0 for ever, which says nothing.
	if e.By == "" || e.By != before.By || e.Seconds == 0 && before.Seconds == 0 {
		return false
	}
	elapsed := max(e.At.Sub(before.At), 0) / time.Second
	least := int64(before.Seconds) + int64(elapsed)*7/8 - 2
	return int64(e.Seconds) < least
}
