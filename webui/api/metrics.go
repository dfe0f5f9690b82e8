package api

import (
	"cmp"
	"runtime"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/metrics"
)

func (s *Server) getMetrics(c echo.Context) error {
	now, err := s.snapshot()
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentType, metrics.ContentType)
	return metrics.Write(c.Response(), now)
}

func (s *Server) snapshot() (metrics.Snapshot, error) {
	server, err := s.cfg.Peers.Server()
	if err != nil {
		return metrics.Snapshot{}, err
	}
	list, err := s.cfg.Peers.List()
	if err != nil {
		return metrics.Snapshot{}, err
	}
	exposure := s.exposure()
	out := metrics.Snapshot{
		Version: s.cfg.Version, GoVersion: runtime.Version(),
		Interface: cmp.Or(s.cfg.Interface, "hearthgate"), PublicKey: server.PublicKey.String(),
		LastCheck: exposure.CheckedAt,
	}
	live := s.cfg.Tunnel.Live()
	for _, p := range list {
		out.Peers = append(out.Peers, s.measured(p, live[p.ID]))
	}
	checked := make(map[string]time.Time)
	for _, f := range exposure.Families {
		for _, d := range f.Doors {
			checked[string(f.Family)+strconv.Itoa(int(d.Port))] = d.CheckedAt
		}
	}
	for _, p := range exposure.Ports {
		out.Ports = append(out.Ports, metrics.Port{
			Port: p.Port, Family: p.Family, State: portStates[p.State], Checked: checked[p.Family+strconv.Itoa(int(p.Port))],
		})
	}
	if s.cfg.LoginFailures != nil {
		out.LoginFailures = s.cfg.LoginFailures()
	}
	return out, nil
}

// portStates has the words of the API; any other is unknown.
var portStates = map[string]metrics.PortState{"closed": metrics.Closed, "open": metrics.Open}

func (s *Server) measured(p peers.Peer, live Live) metrics.Peer {
	shown := s.view(p, live)
	out := metrics.Peer{
		Name: p.Name, PublicKey: shown.PublicKey, ReceivedBytes: live.ReceivedBytes, SentBytes: live.SentBytes,
		LastHandshake: shown.LastHandshakeAt, Paused: p.Disabled,
	}
	if shown.IPv4 != "" {
		out.AllowedIPs = append(out.AllowedIPs, shown.IPv4+"/32")
	}
	if shown.IPv6 != "" {
		out.AllowedIPs = append(out.AllowedIPs, shown.IPv6+"/128")
	}
	return out
}
