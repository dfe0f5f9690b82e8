package webui

import (
	"context"
	"net/http"
	"time"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// longestEndpoint is how many bytes HOST:PORT may have so that the longest config around it (two addresses of the phone's, four
// of ours: 361 bytes) fits into a code that phones read (peers.MaxQR).
const longestEndpoint = 89

// endpoint is where a config would send a phone, or the problem that nobody knows, or that no code could hold it. It is asked
// before anything is changed: a phone whose config was never shown would be half done.
func (s *Server) endpoint() (api.Endpoint, error) {
	e, err := s.cfg.Endpoint.Endpoint()
	if err == nil {
		_, err = peers.ParseEndpoint(e.Address, 0)
	}
	if err != nil {
		s.cfg.Log.Warn("no address for phones to find", "error", err)
		return api.Endpoint{}, conflict(page.ProblemNoEndpoint)
	}
	if len(e.Address) > longestEndpoint {
		return api.Endpoint{}, conflict(page.ProblemEndpointLong)
	}
	return e, nil
}

// enrol makes a change that gives a phone a new key and, once it is in force, lays the config on the desk for whoever asked.
func (s *Server) enrol(v *visit, holder string, change func() (peers.Enrolment, error)) (peers.Peer, paper, error) {
	endpoint, err := s.endpoint()
	if err != nil {
		return peers.Peer{}, paper{}, err
	}
	server, err := s.cfg.Peers.Server()
	if err != nil {
		return peers.Peer{}, paper{}, err
	}
	e, err := change()
	if err != nil {
		return peers.Peer{}, paper{}, err
	}
	s.inForce(v)
	config, err := e.Config(server, endpoint.Address)
	if err != nil {
		return peers.Peer{}, paper{}, err
	}
	code, err := peers.QRMatrix(config.Text())
	if err != nil {
		return peers.Peer{}, paper{}, err
	}
	return e.Peer, s.desk.put(holder, e.Peer.ID, paper{
		config: hide(config.Text()), code: code, key: e.Peer.Pair.PublicKey, name: e.Peer.Name, fileName: peers.FileName(e.Peer.Name),
		endpoint: config.Endpoint(), atHomeOnly: endpoint.Scope == scopeLAN,
	}), nil
}

// patience bounds how long an answer waits for its change to be in force.
const patience = 3 * time.Second

// inForce returns once the tunnel has taken over what was changed: who reads that a phone is cut off may rely on it.
func (s *Server) inForce(v *visit) {
	ctx, cancel := context.WithTimeout(v.Request().Context(), patience)
	defer cancel()
	s.cfg.Tunnel.Sync(ctx)
}

// until is a time of the desk's clock as the pages count: they may be ahead of it.
func (s *Server) until(t time.Time) time.Time { return s.cfg.Now().Add(time.Until(t)) }

// sendConfig answers with a config as a file. Of the phone's name only what peers.FileName leaves gets into a header. The
// media type is one that no browser puts an ending of its own to, as some do for text: Android's app wants ".conf".
func (v *visit) sendConfig(p paper) error {
	v.keepOut()
	v.Response().Header().Set("Content-Disposition", `attachment; filename="`+p.fileName+`.conf"`)
	return v.Blob(http.StatusOK, "application/octet-stream", []byte(p.config.reveal()))
}

// keepOut keeps an answer out of every cache.
func (v *visit) keepOut() { v.Response().Header().Set("Cache-Control", "no-store") }
