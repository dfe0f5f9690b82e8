package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health/vantage"
	"github.com/hearthgate/hearthgate/internal/netinfo"
	"github.com/hearthgate/hearthgate/webui/api"
)

// mappingAdapter says in the API's words what the router's table holds.
type mappingAdapter struct {
	*vantage.Router
	a *appliance
}

func (m mappingAdapter) Mappings() []api.Mapping {
	var out []api.Mapping
	own, err := netinfo.OwnAddresses()
	if err != nil {
		own = nil // then none is known to be ours
	}
	for _, f := range m.Router.Mappings() {
		one := api.Mapping{
			ID: f.ID, Protocol: f.Protocol, External: f.External, Internal: f.Internal, Remote: f.Remote, Description: f.Description,
			HomeAssistant: f.Home, Enabled: f.Enabled, Ours: ours(f, own, m.a.tunnel.ListenPort()),
		}
		if f.Lease > 0 {
			one.ExpiresAt = time.Now().Add(f.Lease)
		}
		out = append(out, one)
	}
	return out
}

// ours tells whether a mapping leads to the tunnel: without it, phones do not find home.
func ours(f vantage.FoundMapping, own []netip.Addr, listenPort uint16) bool {
	to, err := netip.ParseAddrPort(f.Internal)
	return err == nil && strings.EqualFold(f.Protocol, "udp") && to.Port() == listenPort && slices.Contains(own, to.Addr())
}

// Delete has the router delete a mapping. That the router kept it nevertheless is no error: Mappings tells.
func (m mappingAdapter) Delete(ctx context.Context, id string) error {
	err := m.Router.Delete(ctx, id)
	switch {
	case errors.Is(err, vantage.ErrNoMapping):
		return api.Refusal(api.ErrNotFound, err)
	case errors.Is(err, vantage.ErrMappingStays):
		return nil
	default:
		return err
	}
}
