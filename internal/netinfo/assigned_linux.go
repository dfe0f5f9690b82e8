package netinfo

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// AssignedAddresses lists the addresses of this host as they were assigned, loopback and link-local ones too.
func AssignedAddresses() ([]Assigned, error) {
	return ask("addresses", func(c *rtnetlink.Conn) ([]Assigned, error) {
		messages, err := c.Address.List()
		if err != nil {
			return nil, err
		}
		names := linkNames{}
		var all []Assigned
		for _, m := range messages {
			if a, ok := assigned(m, names); ok {
				all = append(all, a)
			}
		}
		slices.SortFunc(all, func(a, b Assigned) int {
			return cmp.Or(cmp.Compare(a.Link, b.Link), a.Prefix.Addr().Compare(b.Prefix.Addr()))
		})
		return slices.Compact(all), nil
	})
}

func assigned(m rtnetlink.AddressMessage, names linkNames) (Assigned, bool) {
	addr := unmapped(ownIP(m.Attributes))
	link, ok := names.of(m.Index)
	if !ok || !addr.IsValid() {
		return Assigned{}, false
	}
	bits := int(m.PrefixLength)
	if peer := unmapped(m.Attributes.Address); peer.IsValid() && peer != addr {
		bits = addr.BitLen() // the prefix is the other end's (rtnetlink(7))
	}
	// The old field has eight flags, the attribute all of them; an old kernel sends the field alone.
	flags := m.Attributes.Flags | uint32(m.Flags)
	a := Assigned{
		Link: link, Prefix: netip.PrefixFrom(addr, bits),
		Deprecated: flags&unix.IFA_F_DEPRECATED != 0,
		// An optimistic address is in use while it is being checked (RFC 4429).
		Tentative: flags&unix.IFA_F_DADFAILED != 0 || flags&unix.IFA_F_TENTATIVE != 0 && flags&unix.IFA_F_OPTIMISTIC == 0,
	}
	a.Temporary = addr.Is6() && flags&unix.IFA_F_TEMPORARY != 0 // for IPv4 the same flag says "secondary"
	return a, a.Prefix.IsValid()
}

// linkNames asks for the name of a link once.
type linkNames map[uint32]string

func (n linkNames) of(index uint32) (string, bool) {
	name, asked := n[index]
	if !asked {
		name, _ = linkName(index)
		n[index] = name
	}
	return name, name != ""
}
