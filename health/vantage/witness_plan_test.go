package vantage

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/hearthgate/hearthgate/health"
)

// TestThePageOnADoor: our page on port 80 of this machine keeps nobody from looking who is behind port 80 of Home Assistant's.
func TestThePageOnADoor(t *testing.T) {
	t.Parallel()
	home, own := netip.MustParseAddr("2a77::20"), netip.MustParseAddr("2a77::10")
	f := health.Facts{Home: health.Home{Port: 8123, Global6: []netip.Addr{home}}, Own6: []netip.Addr{own}, Page: 80}
	asked := make(map[netip.Addr][]uint16)
	for _, p := range planWitness(health.Round{Facts: f, Ports: f.Ports()}, health.IPv6) {
		for _, target := range p.targets {
			asked[target.Address] = append(asked[target.Address], target.Ports...)
		}
	}
	if slices.Sort(asked[home]); !slices.Equal(asked[home], []uint16{80, 443, 8123, 8443}) || !slices.Equal(asked[own], []uint16{80}) {
		t.Errorf("asked for %v", asked)
	}
}
