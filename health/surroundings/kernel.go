package surroundings

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// kernel is whom we ask about this machine. Tests give another.
type kernel struct {
	network func() (network, error)
	watch   func(context.Context, func(netinfo.Change)) error
	stir    func(ctx context.Context, link string, from, to []netip.Addr)
	knock   func(ctx context.Context, link string, to ...netip.Addr)
}

func theKernel() kernel { return kernel{network: look, watch: netinfo.Watch, stir: stir, knock: knock} }

// look asks for everything at once. What this operating system cannot say stays empty.
func look() (n network, err error) {
	if n.assigned, err = netinfo.AssignedAddresses(); err != nil {
		return n, err
	}
	if n.neighbours, err = netinfo.Neighbours(); err != nil && !errors.Is(err, netinfo.ErrUnsupported) {
		return n, err
	}
	if n.route[0], n.route[1], err = netinfo.DefaultRoutes(); err != nil {
		return n, err
	}
	if n.onLink6, err = onLink6(); err != nil {
		return n, err
	}
	if n.listeners, err = netinfo.Listeners(); err != nil {
		n.listeners = nil // then it is not known, which is no fault
	}
	for _, r := range n.route {
		n.up = n.up || r.Link != "" && carries(r.Link)
	}
	return n, nil
}

// onLink6 are the global IPv6 networks that are directly connected: also those that a router announced and in which this
// machine has no address.
func onLink6() (out []netip.Prefix, err error) {
	all, err := netinfo.Networks()
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if !p.Addr().Is6() || !publicaddr.IsPublic(p.Addr()) || p.Bits() > 64 {
			continue
		}
		_, direct, err := netinfo.OnLink(p.Addr().Next())
		if err != nil {
			return nil, err
		}
		if direct {
			out = append(out, p)
		}
	}
	return out, nil
}

// carries tells whether a link is up and something is at its other end.
func carries(link string) bool {
	ifi, err := net.InterfaceByName(link)
	return err == nil && ifi.Flags&net.FlagUp != 0 && ifi.Flags&net.FlagRunning != 0
}

// listensOn tells whether this machine would have IPv6 on a link if a router there offered it.
func (n network) listensOn(link string) bool {
	speaks := slices.ContainsFunc(n.assigned, func(a netinfo.Assigned) bool {
		return a.Link == link && a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast()
	})
	return speaks && netinfo.HearsRouters(link)
}
