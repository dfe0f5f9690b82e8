package netinfo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// DefaultLinks lists the links through which each family has a default route: in any routing table, at any metric, as
// one of several ways, or written in halves. A default route whose link cannot be told is an error, for who asks wants
// to know them all.
func DefaultLinks() (ipv4, ipv6 []string, err error) {
	messages, err := ask("routes", func(c *rtnetlink.Conn) ([]rtnetlink.RouteMessage, error) { return c.Route.List() })
	if err != nil {
		return nil, nil, err
	}
	for _, m := range messages {
		if !carries(m) || m.DstLength >= fewestBits || destination(m).Addr().IsMulticast() {
			continue
		}
		links, err := waysOut(m)
		if err != nil {
			return nil, nil, err
		}
		if m.Family == unix.AF_INET {
			ipv4 = append(ipv4, links...)
		} else {
			ipv6 = append(ipv6, links...)
		}
	}
	return sortedNames(ipv4), sortedNames(ipv6), nil
}

func waysOut(m rtnetlink.RouteMessage) ([]string, error) {
	indexes := []uint32{m.Attributes.OutIface}
	if hops := m.Attributes.Multipath; len(hops) > 0 {
		indexes = nil
		for _, h := range hops {
			indexes = append(indexes, h.Hop.IfIndex)
		}
	}
	var links []string
	for _, index := range indexes {
		if index == 0 { // a nexthop object, and net.ipv4.nexthop_compat_mode is off
			return nil, errors.New("reading routes from the kernel: a default route names no link")
		}
		if link, ok := linkName(index); ok {
			links = append(links, link)
		}
	}
	return links, nil
}

func sortedNames(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// Forwards tells for each family whether this host passes packets on between its links: forwarding is on for one of
// them, and there is another. Loopback is not counted. A family that the kernel does not have is not forwarded.
func Forwards() (ipv4, ipv6 bool, err error) {
	if ipv4, err = forwards("/proc/sys/net/ipv4/conf"); err != nil {
		return false, false, err
	}
	ipv6, err = forwards("/proc/sys/net/ipv6/conf")
	if errors.Is(err, fs.ErrNotExist) {
		return ipv4, false, nil
	}
	return ipv4, ipv6, err
}

// forwards reads the switches (ip-sysctl in the kernel's documentation). IPv4 obeys the one of the link that a packet came
// over. IPv6 obeys the one for "all", whatever the links say, and since Linux 6.17 a link's force_forwarding. Any that is on
// is taken for a yes.
func forwards(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, fmt.Errorf("reading whether this host forwards: %w", err)
	}
	links, forwarding := 0, false
	for _, e := range entries {
		if e.Name() == "lo" || e.Name() == "default" {
			continue
		}
		on, err := switchedOn(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the link went away while we were reading
		}
		if err != nil {
			return false, fmt.Errorf("reading whether this host forwards: %w", err)
		}
		if e.Name() != "all" {
			links++
		}
		forwarding = forwarding || on
	}
	return forwarding && links > 1, nil
}

func switchedOn(dir string) (bool, error) {
	value, err := os.ReadFile(filepath.Join(dir, "forwarding"))
	if err != nil {
		return false, err
	}
	forced, err := os.ReadFile(filepath.Join(dir, "force_forwarding"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	const off = "0\n"
	return string(value) != off || len(forced) > 0 && string(forced) != off, err
}
