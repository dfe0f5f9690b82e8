package netinfo

import (
	"net"
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// known are the states in which the kernel's neighbour table holds a link-layer address that it uses (arp(7)). It fills
// the table only for addresses that were just talked to, so ask after a connection, not before.
const known = unix.NUD_REACHABLE | unix.NUD_STALE | unix.NUD_DELAY | unix.NUD_PROBE | unix.NUD_PERMANENT

// Neighbour returns the link-layer address (the MAC on Ethernet and Wi-Fi) of the host with addr on one of our links. It
// is false when the kernel knows none: addr is not a neighbour, was not talked to lately, is our own, or its link has
// no such addresses.
func Neighbour(addr netip.Addr) (net.HardwareAddr, bool, error) {
	addr = addr.Unmap()
	mac, err := ask("neighbours", func(c *rtnetlink.Conn) (net.HardwareAddr, error) {
		messages, err := c.Neigh.List()
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			if m.State&known != 0 && isNeighbour(m, addr) && !blank(m.Attributes.LLAddress) {
				return m.Attributes.LLAddress, nil
			}
		}
		return nil, nil
	})
	return mac, mac != nil, err
}

// isNeighbour compares, with the zone of addr where it has one: two links may each have a host fe80::1.
func isNeighbour(m rtnetlink.NeighMessage, addr netip.Addr) bool {
	if m.Attributes == nil || unmapped(m.Attributes.Address) != addr.WithZone("") {
		return false
	}
	if addr.Zone() == "" {
		return true
	}
	link, ok := linkName(m.Index)
	return ok && link == addr.Zone()
}

// blank tells the zeros that the kernel shows on links without link-layer addresses.
func blank(mac net.HardwareAddr) bool {
	for _, b := range mac {
		if b != 0 {
			return false
		}
	}
	return true
}
