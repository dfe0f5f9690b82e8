package webui

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// linkCookie is held by the browser that has spent a link, so that it can have the file, too, and nobody else can.
const linkCookie = "hearthgate_link"

// linkCookiePath keeps the cookie away from all other pages.
const linkCookiePath = "/l/"

// makeLink makes a one-time link for a phone that is there already.
func (s *Server) makeLink(v *visit, p peers.Peer) error {
	if _, err := s.endpoint(); err != nil {
		return s.refuse(v, p, change{}, err)
	}
	return s.showNewLink(v, p)
}

func (s *Server) showNewLink(v *visit, p peers.Peer) error {
	token, until := s.links.issue(p)
	return s.turn(v, http.StatusOK, page.LinkMade{
		ID: p.ID, Name: p.Name, URL: s.here(v) + linkCookiePath + token, Until: s.until(until), State: scanWaiting,
	})
}

// linkPage is for who comes back to the address of a link that was made: it was shown once.
func (s *Server) linkPage(v *visit, p peers.Peer) error { return v.then(phonePath(p, "")) }

// MakeLink makes a one-time link for a phone, for the API.
func (s *Server) MakeLink(_ context.Context, peerID string) (api.Link, error) {
	if _, err := s.endpoint(); err != nil {
		return api.Link{}, api.Refusal(api.ErrConflict, errors.New("no address is known under which phones find home; set one first"))
	}
	base := s.lan()
	if base == "" {
		return api.Link{}, api.Refusal(api.ErrConflict, errors.New("no address is known under which a phone could open the link"))
	}
	p, err := s.cfg.Peers.Get(peerID)
	if err != nil {
		return api.Link{}, err
	}
	token, until := s.links.issue(p)
	return api.Link{URL: base + linkCookiePath + token, ExpiresAt: s.until(until).UTC()}, nil
}

// here is where a phone at home finds this page. Usually that is as this browser has found it; but one on the machine itself
// may have it under a name that means another machine elsewhere, and one inside the tunnel under an address that the phone
// does not have yet.
func (s *Server) here(v *visit) string {
	host := v.Request().Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if base := s.lan(); base != "" && (host == "localhost" || err == nil && (addr.IsLoopback() || s.inTunnel(addr))) {
		return base
	}
	if v.Request().TLS != nil {
		return "https://" + v.Request().Host
	}
	return "http://" + v.Request().Host
}

func (s *Server) inTunnel(addr netip.Addr) bool {
	server, err := s.cfg.Peers.Server()
	return err == nil && (server.Network4.Contains(addr) || server.Network6.Contains(addr))
}

// lan is the page's best address at home; empty: none is known.
func (s *Server) lan() string {
	urls := s.cfg.URLs()
	if len(urls) == 0 {
		return ""
	}
	return strings.TrimRight(urls[0], "/")
}

// openLink says what a link is for. It does not spend it: messengers open what people send, to show what it is.
func (s *Server) openLink(v *visit) error {
	v.keepOut()
	if on, ok := s.desk.only(spentBy(v.cookie(linkCookie), v.Param("token"))); ok {
		return s.showSpent(v, on) // this browser has spent it, and comes back from the App Store, say
	}
	found, ok := s.links.look(v.Param("token"))
	if !ok {
		return s.linkGone(v)
	}
	p, err := s.linked(found)
	if errors.Is(err, peers.ErrNotFound) {
		return s.linkGone(v)
	}
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, page.LinkOpen{Name: p.Name, Action: v.Request().URL.Path})
}

// linked is the phone that a link is for, if it still stands as it did when the link was made.
func (s *Server) linked(l link) (peers.Peer, error) {
	p, err := s.cfg.Peers.Get(l.peer)
	if err == nil && standingOf(p) != l.state {
		err = peers.ErrNotFound
	}
	return p, err
}

// linkGone is the same page for a link that was spent, is too old, or never was.
func (s *Server) linkGone(v *visit) error { return v.show(http.StatusNotFound, page.LinkGone{}) }

// spendLink makes the key and shows its code, once. Of several who spend a link at the same time, one gets it.
func (s *Server) spendLink(v *visit) error {
	v.keepOut()
	token := v.Param("token")
	taken, ok := s.links.take(token)
	if !ok {
		return s.linkGone(v)
	}
	secret := randomHex(2 * linkBytes)
	_, on, err := s.enrolByLink(v, taken, spentBy(secret, token))
	switch {
	case errors.Is(err, peers.ErrNotFound):
		return s.linkGone(v)
	case err != nil:
		s.links.giveBack(token, taken)
		if refusal, failure := phoneProblem(err, ""); failure == nil {
			return v.show(refusal.status, page.Failure{Status: refusal.status, Key: page.FailureNoEndpoint, Back: v.Request().URL.Path})
		}
		return err
	}
	v.setCookie(linkCookie, secret, linkCookiePath, int(onDesk/time.Second))
	return s.showSpent(v, on)
}

// showSpent shows what came of a link to the browser that spent it.
func (s *Server) showSpent(v *visit, on paper) error {
	m := page.LinkSpent{
		Name: on.name, FileName: on.fileName, ConfPath: v.Request().URL.Path + "/conf", Code: on.code,
		Until: s.until(on.until), AtHomeOnly: on.atHomeOnly,
	}
	m.App, m.OnPhone = v.app()
	if server, err := s.cfg.Peers.Server(); err == nil {
		m.URL = api.InsideURL(server, s.cfg.HomeAssistant.State())
	}
	return v.show(http.StatusOK, m)
}

// enrolByLink gives a phone the key that its link was for. Where it has one that works, that goes on until the new one does.
func (s *Server) enrolByLink(v *visit, l link, holder string) (peers.Peer, paper, error) {
	p, err := s.linked(l)
	if err != nil {
		return peers.Peer{}, paper{}, err
	}
	return s.enrol(v, holder, func() (peers.Enrolment, error) {
		return s.cfg.Peers.Rekey(p.ID, nil, p.FirstHandshake.IsZero())
	})
}

// spentBy is whose a config on the desk is that came by a link: of the browser that has the secret, under that link.
func spentBy(secret, token string) string {
	h := hashLink(secret + "/" + token)
	return holdsByLink + string(h[:])
}

// holdsByLink is how the name of a holder begins that is no session.
const holdsByLink = "link "

func byLink(holder string) bool { return strings.HasPrefix(holder, holdsByLink) }

// linkConfig is the config as a file, for the browser that spent the link.
func (s *Server) linkConfig(v *visit) error {
	v.keepOut()
	on, ok := s.desk.only(spentBy(v.cookie(linkCookie), v.Param("token")))
	if !ok {
		return s.linkGone(v)
	}
	return v.sendConfig(on)
}
