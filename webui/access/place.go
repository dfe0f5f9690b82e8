package access

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A Place is where the page listens: on any address, on one, or on all of them for one link; and a TCP port. The zero
// value is any address, and a port that the system chooses.
type Place struct {
	addr netip.Addr // zero: any; never IPv4-mapped
	link string     // empty: any
	port uint16     // 0: the system chooses
}

// longestLink is the longest name that Linux gives a link: IFNAMSIZ in linux/if.h, less the closing NUL.
const longestLink = 15

// ParsePlace reads what --web names: ":51821", "192.168.1.5:51821", "[fd00::1]:51821" or "eth0:51821". Port 0 lets the
// system choose. Errors are sentences for a command line.
func ParsePlace(s string) (Place, error) {
	host, port, err := cutPort(s)
	if err != nil {
		return Place{}, err
	}
	p := Place{port: port}
	bare, bracketed := strings.CutPrefix(host, "[")
	switch {
	case host == "":
		return p, nil
	case bracketed:
		p.addr, err = netip.ParseAddr(strings.TrimSuffix(bare, "]"))
		if err != nil || p.addr.Is4() || !strings.HasSuffix(bare, "]") {
			return Place{}, fmt.Errorf("--web %q: %q is no IPv6 address; write it as in [fd00::1]:51821", s, host)
		}
	default:
		if p.addr, err = netip.ParseAddr(host); err == nil && p.addr.Is4() {
			break
		}
		if err := goodLink(s, host); err != nil {
			return Place{}, err
		}
		p.addr, p.link = netip.Addr{}, host
	}
	p.addr = p.addr.Unmap()
	if err := goodAddress(s, p.addr); err != nil {
		return Place{}, err
	}
	return p, nil
}

// cutPort splits at the last colon, and says what is meant where there is no port.
func cutPort(s string) (host string, port uint16, err error) {
	if strings.Contains(s, "://") {
		return "", 0, fmt.Errorf("--web %q: an address and a port were expected, not a URL; write 192.168.1.5:51821", s)
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Is6() {
		return "", 0, fmt.Errorf("--web %q: this has no port, or no brackets; write [%s]:51821", s, s)
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return "", 0, fmt.Errorf("--web %q: the port is missing; write %s", s, withPort(s))
	}
	n, err := strconv.ParseUint(s[i+1:], 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("--web %q: %q is no port; a number up to 65535 was expected, as in :51821", s, s[i+1:])
	}
	return s[:i], uint16(n), nil
}

func withPort(s string) string {
	if _, err := strconv.ParseUint(s, 10, 16); err == nil {
		return ":" + s
	}
	return s + ":51821"
}

// goodLink refuses what could be the name of a link, as far as the kernel cares, but was surely meant as something else.
func goodLink(s, name string) error {
	const examples = "write an address as in 192.168.1.5:51821, the name of a link as in eth0:51821, or only a port as in :51821"
	switch {
	case strings.Trim(name, "0123456789.") == "":
		return fmt.Errorf("--web %q: %q is no IPv4 address; %s", s, name, examples)
	case strings.Contains(name, ":"):
		return fmt.Errorf("--web %q: an IPv6 address needs brackets, as in [fd00::1]:51821", s)
	case name == "localhost":
		return fmt.Errorf("--web %q: name the address; write 127.0.0.1 or [::1] instead of localhost", s)
	case len(name) > longestLink || strings.ContainsFunc(name, neverInLink):
		return fmt.Errorf("--web %q: %q is neither an address nor the name of a link; %s", s, name, examples)
	}
	return nil
}

// neverInLink is stricter than the kernel (dev_valid_name in net/core/dev.c), which refuses only slashes, colons and space.
func neverInLink(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/\*?"'[]%,;`, r)
}

func goodAddress(s string, addr netip.Addr) error {
	switch {
	case addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("--web %q: %s is no address of one machine", s, addr)
	case addr.Is6() && addr.IsLinkLocalUnicast() && addr.Zone() == "":
		return fmt.Errorf("--web %q: a link-local address needs its link, as in [%s%%eth0]:51821", s, addr)
	}
	return nil
}

// Port is the TCP port; 0 lets the system choose.
func (p Place) Port() uint16 { return p.port }

// String writes the place as ParsePlace reads it.
func (p Place) String() string {
	port := strconv.Itoa(int(p.port))
	switch {
	case p.link != "":
		return p.link + ":" + port
	case !p.addr.IsValid():
		return ":" + port
	default:
		return netip.AddrPortFrom(p.addr, p.port).String()
	}
}

// anywhere tells a place that names neither a link nor an address: 0.0.0.0 and :: name a family at most.
func (p Place) anywhere() bool {
	return p.link == "" && (!p.addr.IsValid() || p.addr.IsUnspecified())
}
