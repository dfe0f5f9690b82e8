package access

import (
	"net/netip"
	"slices"
	"syscall"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// A Kernel answers what a door must know of this machine's network. The zero value stands for [Real]; whoever fills in
// one question starts from that. The functions of internal/netinfo with the same names say what each one means.
type Kernel struct {
	OnLink        func(addr netip.Addr) (link string, ok bool, err error)
	OnLinkThrough func(addr netip.Addr, link string) (bool, error)
	ArrivedOn     func(conn syscall.Conn) (link string, known bool, err error)
	Addresses     func() ([]netinfo.Address, error)
	Links         func() ([]netinfo.Link, error)
	DefaultLinks  func() (ipv4, ipv6 []string, err error)
	Forwards      func() (ipv4, ipv6 bool, err error)
}

// Real is the kernel that we run on.
func Real() Kernel {
	return Kernel{
		OnLink:        netinfo.OnLink,
		OnLinkThrough: netinfo.OnLinkThrough,
		ArrivedOn:     netinfo.ArrivedOn,
		Addresses:     netinfo.Addresses,
		Links:         netinfo.Links,
		DefaultLinks:  netinfo.DefaultLinks,
		Forwards:      netinfo.Forwards,
	}
}

// uplinks lists the links that carry a default route of a family in which this machine forwards. A link on the list is
// meant for both families: whoever is a stranger over IPv4 is one over IPv6.
func (k Kernel) uplinks() ([]string, error) {
	forwards4, forwards6, err := k.Forwards()
	if err != nil || !forwards4 && !forwards6 {
		return nil, err
	}
	links4, links6, err := k.DefaultLinks()
	if err != nil {
		return nil, err
	}
	var ups []string
	if forwards4 {
		ups = append(ups, links4...)
	}
	if forwards6 {
		ups = append(ups, links6...)
	}
	slices.Sort(ups)
	return slices.Compact(ups), nil
}
