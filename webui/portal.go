package webui

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
	"github.com/hearthgate/hearthgate/webui/words"
)

// portal is the page inside the tunnel, for the phone that looks at it and about that phone only. The tunnel is the
// sign-in: whose a connection is, the gate knows by its keys. It reads, and changes nothing; the one thing that it takes is
// what the phone's browser found when it looked at the home from outside (phonecheck.go).
type portal struct {
	server *Server
	peerOf func(net.Conn) (string, bool)
	news   news
}

// Portal answers phones inside the tunnel. peerOf says whose a connection is; the HTTP server that it is mounted on must
// have ConnContext. Host and headers are looked at before it (package access).
func (s *Server) Portal(peerOf func(net.Conn) (string, bool)) http.Handler {
	return &portal{server: s, peerOf: peerOf, news: news{journal: s.cfg.Journal}}
}

type connKey struct{}

// ConnContext remembers a request's connection, for Portal. It is meant for http.Server's field of that name.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// ServeHTTP answers GET and HEAD for the pages and for what they refer to, and POST for what a phone found; nothing else is
// there.
func (p *portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, asset := strings.CutPrefix(r.URL.Path, "/assets/")
	switch {
	case r.URL.Path == reportPath && r.Method == http.MethodPost:
		p.report(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		p.fail(w, r, http.StatusMethodNotAllowed, page.FailurePortal)
	case asset:
		p.asset(w, r, name)
	case r.URL.Path == "/":
		p.answer(w, r)
	case r.URL.Path == checkPath && r.Method == http.MethodGet: // not HEAD: a task would be drawn up for nobody
		p.checkPage(w, r)
	case r.URL.Path == unaskedPath && r.Method == http.MethodGet:
		p.unasked(w, r)
	default:
		p.fail(w, r, http.StatusNotFound, page.FailurePortal)
	}
}

func (p *portal) asset(w http.ResponseWriter, r *http.Request, name string) {
	content, media, ok := page.Asset(name)
	if !ok {
		p.fail(w, r, http.StatusNotFound, page.FailurePortal)
		return
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(content) // the phone may be gone
}

func (p *portal) answer(w http.ResponseWriter, r *http.Request) {
	m, err := p.model(r)
	switch {
	case errors.Is(err, peers.ErrNotFound):
		p.fail(w, r, http.StatusNotFound, page.FailureStranger)
	case err != nil:
		p.server.cfg.Log.Error("portal failed", "error", err)
		p.fail(w, r, http.StatusInternalServerError, page.FailureInternal)
	default:
		p.show(w, r, http.StatusOK, m)
	}
}

// model is about the peer whose connection it is; nothing in the request says who that is.
func (p *portal) model(r *http.Request) (page.Portal, error) {
	peer, err := p.peer(r)
	if err != nil {
		return page.Portal{}, err
	}
	return p.of(peer)
}

func (p *portal) peer(r *http.Request) (peers.Peer, error) {
	conn, ok := r.Context().Value(connKey{}).(net.Conn)
	if !ok {
		return peers.Peer{}, peers.ErrNotFound
	}
	id, ok := p.peerOf(conn)
	if !ok {
		return peers.Peer{}, peers.ErrNotFound
	}
	return p.server.cfg.Peers.Get(id)
}

func (p *portal) of(peer peers.Peer) (page.Portal, error) {
	s := p.server
	server, err := s.cfg.Peers.Server()
	if err != nil {
		return page.Portal{}, err
	}
	home := s.cfg.HomeAssistant.State()
	m := page.Portal{
		Name: peer.Name, State: string(api.StateOf(peer, s.cfg.Tunnel.Live()[peer.ID], s.cfg.Now())),
		ServerAddr: server.Address4.String(), ExpiresAt: peer.ExpiresAt, AdminURL: adminURL(server, peer),
		HomeUp: home.Phase == homeassistant.Found, Check: s.cfg.PhoneCheck != nil,
	}
	if m.Check {
		m.Worker = unaskedPath
	}
	if slices.Contains(peer.Services, peers.DefaultService) {
		m.URL = api.InsideURL(server, home)
	}
	if m.Days, err = s.days(peer.ID); err != nil {
		return page.Portal{}, err
	}
	if m.Services, err = p.services(peer); err != nil {
		return page.Portal{}, err
	}
	m.News, err = p.news.of(peer, s.cfg.Now())
	return m, err
}

// services are what the phone may reach beside Home Assistant and this page. Where in the household they are is not said.
func (p *portal) services(peer peers.Peer) (out []page.ServiceRow, err error) {
	list, err := p.server.cfg.Services.List()
	if err != nil {
		return nil, err
	}
	for _, one := range list {
		if one.Name == peers.DefaultService || one.Name == peers.AdminService || !slices.Contains(peer.Services, one.Name) {
			continue
		}
		out = append(out, page.ServiceRow{Name: one.Name, Protocol: one.Protocol, State: one.State, Port: one.Port})
	}
	return out, nil
}

func (p *portal) fail(w http.ResponseWriter, r *http.Request, status int, key string) {
	p.show(w, r, status, page.Failure{Status: status, Key: key, Back: "/"})
}

func (p *portal) show(w http.ResponseWriter, r *http.Request, status int, m page.Model) {
	f := page.Frame{
		Language: words.Match("", r.Header.Get("Accept-Language")), Theme: "auto", Path: r.URL.Path, Now: p.server.cfg.Now(),
	}
	var b bytes.Buffer
	if err := p.server.pages.Render(&b, f, m); err != nil {
		p.server.cfg.Log.Error("portal failed", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the phone may be gone
}
