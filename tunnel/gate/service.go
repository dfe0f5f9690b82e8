package gate

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Protocol is what a service speaks on its port in the tunnel, and towards its target.
type Protocol string

// The protocols.
const (
	TCP Protocol = "tcp"
	UDP Protocol = "udp"
)

// HomeAssistant is the name of the service that is always there, and HomeAssistantPort is its TCP port in the tunnel,
// whatever port Home Assistant itself listens on.
const (
	HomeAssistant     = "home-assistant"
	HomeAssistantPort = 8123
)

// Admin is the name of the service that is Hearthgate's own page inside the tunnel: on TCP port 80 of the admin addresses,
// where nothing else is, because a browser would send the page's cookies to whatever else listened there. No service of the
// household has this name.
const Admin = "admin"

// PortalPort is the TCP port of the portal, the page that each peer has on our tunnel addresses, and of the admin page.
const PortalPort = 80

// Service is something that phones can reach inside the tunnel.
type Service struct {
	Name     string   `json:"name"`
	Target   string   `json:"target,omitempty"` // HOST:PORT as it is dialled; empty for those that are built in
	Port     uint16   `json:"port"`             // on our tunnel addresses; when adding, 0 means the target's
	Protocol Protocol `json:"protocol"`         // when adding, empty means tcp
	Builtin  bool     `json:"builtin,omitempty"`
}

// Errors that callers tell apart. What they say to the user stands before them in the message.
var (
	ErrInvalidService = errors.New("nothing was changed")
	ErrServiceTaken   = errors.New("nothing was changed")
	ErrNoService      = errors.New("no such service")
	ErrBuiltin        = errors.New("it is built in")
)

// builtins are the services that are there from the start.
func builtins() []Service {
	return []Service{{Name: HomeAssistant, Port: HomeAssistantPort, Protocol: TCP, Builtin: true}, adminService()}
}

// isBuiltin says whether a name belongs to one of them.
func isBuiltin(name string) bool { return name == HomeAssistant || name == Admin }

// adminService is the admin page. It ends in this process.
func adminService() Service {
	return Service{Name: Admin, Port: PortalPort, Protocol: TCP, Builtin: true}
}

// portalService is the portal. Every peer has it, so that it stands on no list, and its name is one that no list can hold.
func portalService() Service {
	return Service{Name: "the portal", Port: PortalPort, Protocol: TCP, Builtin: true}
}

var serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// checked gives s with what it leaves open filled in, or says what is wrong with it. It looks at the words only: where a
// target leads is looked at whenever it is dialled, because a name may lead elsewhere by then.
func (s Service) checked() (Service, error) {
	if !serviceName.MatchString(s.Name) {
		return s, fmt.Errorf("its name must be 1 to 32 lower-case letters, digits and hyphens, and start with no hyphen; %w", ErrInvalidService)
	}
	target, port, err := checkTarget(s.Target)
	if err != nil {
		return s, err
	}
	s.Target = target
	if s.Port == 0 {
		s.Port = port
	}
	switch s.Protocol {
	case "":
		s.Protocol = TCP
	case TCP, UDP:
	default:
		return s, fmt.Errorf("protocol %q is neither tcp nor udp; %w", s.Protocol, ErrInvalidService)
	}
	s.Builtin = false
	return s, nil
}

// checkTarget takes HOST:PORT apart and gives it back as it is kept.
func checkTarget(target string) (kept string, port uint16, err error) {
	bad := func(expected string) (string, uint16, error) {
		return "", 0, fmt.Errorf("target %q is not HOST:PORT: %s; %w", target, expected, ErrInvalidService)
	}
	host, portText, err := net.SplitHostPort(target)
	if err != nil {
		return bad("expected a name or an address and a port, as in 192.168.1.5:3000 or [fd00::5]:3000")
	}
	p, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || p == 0 {
		return bad("expected a port from 1 to 65535")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if reason := unusable(addr); reason != "" {
			return bad(reason)
		}
		return netip.AddrPortFrom(addr.Unmap(), uint16(p)).String(), uint16(p), nil
	}
	if !isHostname(host) {
		return bad("expected a host name of letters, digits, hyphens and dots, or an IP address (IPv6 in brackets)")
	}
	return net.JoinHostPort(strings.ToLower(host), strconv.FormatUint(p, 10)), uint16(p), nil
}

// unusable says why a literal address cannot be a target, or nothing.
func unusable(a netip.Addr) string {
	switch a = a.Unmap(); {
	case a.IsUnspecified():
		return "expected the address of one host, not of all"
	case a.IsMulticast(), a == broadcast:
		return "expected the address of one host, not of many"
	case a.Zone() != "" && !isZone(a.Zone()):
		return "expected the name of an interface after the %"
	}
	return ""
}

var (
	broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	label     = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
	digits    = regexp.MustCompile(`^([0-9]+|0[xX][0-9A-Fa-f]*)$`)
	zone      = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,15}$`)
)

// isHostname accepts what DNS and hosts files hold (RFC 1123, section 2.1; underscores are common). A last label of digits
// only would be an IPv4 address in one of its old spellings (127.1, 0x7f.1), which systems read differently.
func isHostname(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if len(host) > 253 {
		return false
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if !label.MatchString(l) {
			return false
		}
	}
	return !digits.MatchString(labels[len(labels)-1])
}

// isZone accepts the name of a Linux interface (IFNAMSIZ less one, no slash or space) or its number.
func isZone(s string) bool { return zone.MatchString(s) }
