package webui

import "net/netip"

// Where a phone comes from, as the pages say it.
const (
	viaHome = "home" // the home's own network: that it works away is not shown yet
	viaAway = "away"
)

// via says where a phone's packets come from, given the address that the tunnel saw last; empty when it saw none.
func (s *Server) via(endpoint string) string {
	from, err := netip.ParseAddrPort(endpoint)
	if err != nil {
		return ""
	}
	if s.cfg.AtHome(from.Addr().Unmap().WithZone("")) {
		return viaHome
	}
	return viaAway
}
