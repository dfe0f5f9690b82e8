package access

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// parseHost reads a Host field: a name or an address, and perhaps a port (RFC 9110, section 7.2). Exactly one of name and
// addr is set when it is well formed; a name is lower-case and has no trailing dot. An address in any form but the usual
// one ("3232235781", "0x7f.1", "192.168.001.005") is a name to us, and therefore nobody's.
func parseHost(host string) (name string, addr netip.Addr, ok bool) {
	if rest, bracketed := strings.CutPrefix(host, "["); bracketed {
		inside, port, closed := strings.Cut(rest, "]")
		addr, err := netip.ParseAddr(inside)
		if !closed || err != nil || !addr.Is6() || !goodPort(port) {
			return "", netip.Addr{}, false
		}
		return "", addr.WithZone("").Unmap(), true
	}
	name, port, found := strings.Cut(host, ":")
	if found && !goodPort(":"+port) {
		return "", netip.Addr{}, false
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if addr, err := netip.ParseAddr(name); err == nil {
		return "", addr, true
	}
	return name, netip.Addr{}, goodName(name)
}

// goodPort is for what may follow a host: nothing, a colon, or a colon and a port.
func goodPort(s string) bool {
	s, found := strings.CutPrefix(s, ":")
	if s == "" {
		return true
	}
	_, err := strconv.ParseUint(s, 10, 16)
	return found && err == nil
}

// CheckName tells whether a browser could ask for the page by this name: a host name or an address, without scheme or port.
func CheckName(name string) error {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if _, err := netip.ParseAddr(name); err == nil || goodName(name) {
		return nil
	}
	return fmt.Errorf("%q is no name for the page; expected a host name, like hearthgate.example.org, without http:// and without a port", name)
}

// goodName takes letters, digits, hyphens and underscores between dots, in plain ASCII, as browsers send them.
func goodName(name string) bool {
	if name == "" || len(name) > 253 { // RFC 1035, section 2.3.4
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// A nameList is what the page may be called, beside this machine's addresses.
type nameList struct {
	names map[string]bool
	addrs map[netip.Addr]bool
}

// newNameList takes names and addresses, with or without a port; what is ill-formed can match no Host and is left out.
func newNameList(names []string) nameList {
	l := nameList{make(map[string]bool), make(map[netip.Addr]bool)}
	for _, s := range names {
		if addr, err := netip.ParseAddr(s); err == nil {
			l.addrs[addr.WithZone("").Unmap()] = true
			continue
		}
		if name, addr, ok := parseHost(s); !ok {
			continue
		} else if addr.IsValid() {
			l.addrs[addr] = true
		} else {
			l.names[name] = true
		}
	}
	return l
}

// has adds what this machine is called: by itself, in mDNS, and out of the box.
func (l nameList) has(name string) bool {
	if l.names[name] || name == "localhost" || name == "hearthgate.local" {
		return true
	}
	hostname, err := os.Hostname()
	if err != nil {
		return false
	}
	hostname = strings.ToLower(strings.TrimSuffix(hostname, "."))
	return hostname != "" && (name == hostname || name == hostname+".local")
}
