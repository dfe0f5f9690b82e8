package webui

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// How far a phone has come with its newest code, as the pages say it.
const (
	scanWaiting   = "waiting"
	scanLate      = "late" // so long without a packet that something may be in the way
	scanConnected = "connected"
)

// lateAfter is when a person begins to wonder: installing the app and scanning takes less for most.
const lateAfter = time.Minute

// scanPage shows a phone's code to the browser that asked for it, as long as it is there, and how far the phone has come.
func (s *Server) scanPage(v *visit, p peers.Peer) error {
	server, err := s.cfg.Peers.Server()
	if err != nil {
		return err
	}
	home := s.cfg.HomeAssistant.State()
	now := s.cfg.Now()
	m := page.Scan{
		ID: p.ID, Name: p.Name, URL: api.InsideURL(server, home), Warnings: codes(home.Warnings),
		Admin: slices.Contains(p.Services, peers.AdminService), AdminURL: adminURL(server, p),
		Disabled: p.Disabled, Expired: api.HasExpired(p, now), NoHomeAssistant: !slices.Contains(p.Services, peers.DefaultService),
	}
	m.App, m.OnPhone = v.app()
	waiting := now.Sub(p.Pair.CreatedAt)
	if on, ok := s.desk.stay(v.session.ID, p.ID, v.wantsPage()); ok {
		m.Code, m.Until, m.FileName = on.code, s.until(on.until), on.fileName
		m.Endpoint, m.AtHomeOnly = on.endpoint, on.atHomeOnly
		waiting = time.Since(on.made)
	}
	if m.State, m.Via, m.At = s.arrival(p, waiting); m.State == scanConnected {
		m.InviteCode, _ = peers.QRMatrix(page.InviteLink(m.URL)) // without it there is the link
	}
	if v.wantsPage() {
		s.desk.leaveAllBut(v.session.ID, p.ID)
	}
	v.keepOut()
	return v.show(http.StatusOK, m)
}

// arrival says how far a phone has come with its newest key. The live line of the page asks again on the journal's event of
// the first handshake, which comes in one transaction with what is read here.
func (s *Server) arrival(p peers.Peer, waiting time.Duration) (state, via string, at time.Time) {
	switch {
	case !p.Pair.FirstHandshake.IsZero():
		return scanConnected, s.via(s.cfg.Tunnel.Live()[p.ID].Endpoint), p.Pair.FirstHandshake
	case waiting >= lateAfter:
		return scanLate, "", time.Time{}
	}
	return scanWaiting, "", time.Time{}
}

// scanConfig is the code as a file, for the phone that is itself showing the page.
func (s *Server) scanConfig(v *visit, p peers.Peer) error {
	on, ok := s.desk.read(v.session.ID, p.ID)
	if !ok {
		return v.show(http.StatusNotFound, page.Failure{
			Status: http.StatusNotFound, Key: page.FailureNoCode, Back: phonePath(p, ""),
		})
	}
	return v.sendConfig(on)
}

// leaveScan is sent by the page's script when it goes away; nobody reads the answer.
func (s *Server) leaveScan(v *visit) error {
	s.desk.leave(v.session.ID, v.Param("id"))
	return v.NoContent(http.StatusNoContent)
}

// turn shows a page of a session that is not the one with a code: whoever sees it has turned away from that one. For a
// browser without script it is all that tells.
func (s *Server) turn(v *visit, status int, m page.Model) error {
	if v.wantsPage() {
		s.desk.leaveAllBut(v.session.ID, "")
	}
	v.keepOut()
	return v.show(status, m)
}

// wantsPage tells a person who goes to a page from our script that looks whether an open one has changed: a browser that goes
// somewhere asks for text/html among others, a script that says nothing else asks for */* (WHATWG Fetch, "main fetch").
func (v *visit) wantsPage() bool {
	accept := v.Request().Header.Get("Accept")
	return accept != "text/html" && strings.Contains(accept, "text/html")
}

// app is the app whose steps are shown first, and whether this is the phone itself.
func (v *visit) app() (app string, onPhone bool) {
	app, onPhone = v.phonesBrowser()
	if asked := v.QueryParam("app"); asked == "iphone" || asked == "android" {
		app = asked
	}
	return app, onPhone
}

// adminURL is this page's address inside the tunnel, for a phone that may open it.
func adminURL(server peers.Server, p peers.Peer) string {
	if !slices.Contains(p.Services, peers.AdminService) {
		return ""
	}
	return "http://" + server.Admin4.String() + "/"
}

func codes(warnings []homeassistant.Warning) (out []string) {
	for _, w := range warnings {
		out = append(out, w.Code)
	}
	return out
}
