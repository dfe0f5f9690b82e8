package netinfo

import (
	"net"
	"net/netip"
	"slices"

	"github.com/jsimonetti/rtnetlink/v2"
)

// OwnAddresses lists the addresses of this host, of every link and in both families, loopback and link-local ones too.
// They carry no zone, because they are meant for comparing; compare with addr.Unmap().WithZone("").
//
// A host may own more than is listed here: all of 127.0.0.0/8, and whatever stands in its local routing table. Whoever
// must know about one certain address asks [IsOwn].
func OwnAddresses() ([]netip.Addr, error) {
	return ask("addresses", func(c *rtnetlink.Conn) ([]netip.Addr, error) {
		messages, err := c.Address.List()
		if err != nil {
			return nil, err
		}
		var addrs []netip.Addr
		for _, m := range messages {
			if addr := unmapped(ownIP(m.Attributes)); addr.IsValid() {
				addrs = append(addrs, addr)
			}
		}
		slices.SortFunc(addrs, netip.Addr.Compare)
		return slices.Compact(addrs), nil
	})
}

// ownIP picks our end of an address: on a point-to-point link IFA_ADDRESS is the peer and IFA_LOCAL is us; an IPv6
// address without a peer comes as IFA_ADDRESS alone (rtnetlink(7)).
func ownIP(a *rtnetlink.AddressAttributes) net.IP {
	switch {
	case a == nil:
		return nil
	case a.Local != nil:
		return a.Local
	default:
		return a.Address
	}
}
