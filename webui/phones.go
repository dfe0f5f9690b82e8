package webui

import (
	"errors"
	"net/http"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// phoneRoutes are the routes of the phones, of their one-time links, and of the journal.
func (s *Server) phoneRoutes() []route {
	return []route{
		{get, "/", session, s.homePage},
		{post, "/home-assistant", fresh, s.useHomeAssistant},

		{get, "/phones/new", session, s.newPhonePage},
		{post, "/phones/new", fresh, s.addPhone},
		{get, "/phones/:id", session, s.ofPhone(s.phonePage)},
		{get, "/phones/:id/scan", session, s.ofPhone(s.scanPage)},
		{get, "/phones/:id/conf", session, s.ofPhone(s.scanConfig)},
		{post, "/phones/:id/leave", session, s.leaveScan},
		{get, "/phones/:id/link", session, s.ofPhone(s.linkPage)},
		{post, "/phones/:id/link", fresh, s.ofPhone(s.makeLink)},
		{post, "/phones/:id/rename", fresh, s.ofPhone(s.renamePhone)},
		{post, "/phones/:id/pause", fresh, s.ofPhone(s.pausePhone)},
		{post, "/phones/:id/resume", fresh, s.ofPhone(s.resumePhone)},
		{post, "/phones/:id/rekey", fresh, s.ofPhone(s.rekeyPhone)},
		{post, "/phones/:id/expiry", fresh, s.ofPhone(s.setPhoneExpiry)},
		{post, "/phones/:id/services", fresh, s.ofPhone(s.setPhoneServices)},
		{get, "/phones/:id/remove", session, s.ofPhone(s.removePhonePage)},
		{post, "/phones/:id/remove", fresh, s.ofPhone(s.removePhone)},

		{get, "/l/:token", open, s.openLink},
		{post, "/l/:token", open, s.spendLink},
		{get, "/l/:token/conf", open, s.linkConfig},

		{get, "/journal", session, s.journalPage},
		{get, "/journal.jsonl", session, s.journalLines},
	}
}

// ofPhone makes a handler of one that is about a phone. A phone that is not there, or not any more when the handler comes
// to change it because another browser was faster, is a page of its own.
func (s *Server) ofPhone(handle func(*visit, peers.Peer) error) func(*visit) error {
	return func(v *visit) error {
		p, err := s.cfg.Peers.Get(v.Param("id"))
		if err == nil {
			s.desk.check(p)
			err = handle(v, p)
		}
		if errors.Is(err, peers.ErrNotFound) {
			return v.show(http.StatusNotFound, page.Failure{Status: http.StatusNotFound, Key: page.FailureNoPhone, Back: "/"})
		}
		return err
	}
}

// phonePath is the path of a phone's page, and of what belongs to it.
func phonePath(p peers.Peer, more string) string { return "/phones/" + p.ID + more }

// field is one value of the form that was sent. What stands in the address is not part of it.
func (v *visit) field(name string) string {
	if _, err := v.FormParams(); err != nil {
		return ""
	}
	return v.Request().PostForm.Get(name)
}

// fields are all values of a name in the form that was sent; never nil.
func (v *visit) fields(name string) []string {
	if _, err := v.FormParams(); err != nil {
		return []string{}
	}
	return append([]string{}, v.Request().PostForm[name]...)
}

// phonePage shows a phone.
func (s *Server) phonePage(v *visit, p peers.Peer) error {
	m, err := s.phoneModel(v, p)
	if err != nil {
		return err
	}
	return s.turn(v, http.StatusOK, m)
}

func (s *Server) phoneModel(v *visit, p peers.Peer) (page.Phone, error) {
	live := s.cfg.Tunnel.Live()[p.ID]
	services, err := s.choices(p.Services)
	if err != nil {
		return page.Phone{}, err
	}
	days, err := s.days(p.ID)
	if err != nil {
		return page.Phone{}, err
	}
	m := page.Phone{
		ID: p.ID, Name: p.Name, State: string(api.StateOf(p, live, s.cfg.Now())),
		CreatedAt: p.CreatedAt, SeenAt: api.LastSeen(p, live), ExpiresAt: p.ExpiresAt,
		Via: s.via(live.Endpoint), Services: services, Days: days, Endpoint: live.Endpoint,
		NeedsCodeForAdmin: p.NeedsCodeForAdmin(),
	}
	_, m.HasCode = s.desk.read(v.session.ID, p.ID)
	if !p.Pair.PublicKey.IsZero() {
		m.PublicKey, m.IPv4, m.IPv6 = p.Pair.PublicKey.String(), p.Pair.IPv4.String(), p.Pair.IPv6.String()
	}
	if p.Retiring != nil {
		m.RetiresAt = p.RetireAt
	}
	return m, nil
}
