package webui

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
)

// rowsPerPage bounds the list of phones.
const rowsPerPage = 100

// homePage is the front page: the lock, whether phones find home, Home Assistant, the phones.
func (s *Server) homePage(v *visit) error {
	m, err := s.homeModel(v)
	if err != nil {
		return err
	}
	return s.turn(v, http.StatusOK, m)
}

func (s *Server) homeModel(v *visit) (page.Home, error) {
	list, err := s.cfg.Peers.List()
	if err != nil {
		return page.Home{}, err
	}
	home := s.cfg.HomeAssistant.State()
	m := page.Home{Exposure: s.exposure(home, false), Remote: s.remote(), HomeAssistant: homeAssistant(home), Total: len(list)}
	live, now := s.cfg.Tunnel.Live(), s.cfg.Now()
	for _, p := range list {
		if api.StateOf(p, live[p.ID], now) == api.StateActive {
			m.Active++
		}
	}
	m.Pages = max(1, (len(list)+rowsPerPage-1)/rowsPerPage)
	m.PageNumber = pageNumber(v.QueryParam("page"), m.Pages)
	begin := (m.PageNumber - 1) * rowsPerPage
	for _, p := range byName(list)[begin:min(begin+rowsPerPage, len(list))] {
		m.Phones = append(m.Phones, s.rowFor(v, *p, live[p.ID], now))
	}
	return m, nil
}

// rowFor is a phone in the list that a browser sees.
func (s *Server) rowFor(v *visit, p peers.Peer, live api.Live, now time.Time) page.PhoneRow {
	s.desk.check(p)
	row := row(p, live, now)
	_, row.HasCode = s.desk.read(v.session.ID, p.ID)
	return row
}

func row(p peers.Peer, live api.Live, now time.Time) page.PhoneRow {
	return page.PhoneRow{ID: p.ID, Name: p.Name, State: string(api.StateOf(p, live, now)), SeenAt: api.LastSeen(p, live)}
}

// row is a phone as it is known without asking the tunnel.
func (s *Server) row(p peers.Peer) page.PhoneRow { return row(p, api.Live{}, s.cfg.Now()) }

// byName gives phones in the order of the API's list. A thousand of them are sorted at each look at the front page, so what is
// sorted is small, and the lower case of a name is made once.
func byName(list []peers.Peer) []*peers.Peer {
	type named struct {
		lower string
		peer  *peers.Peer
	}
	all := make([]named, len(list))
	for i := range list {
		all[i] = named{strings.ToLower(list[i].Name), &list[i]}
	}
	slices.SortStableFunc(all, func(a, b named) int { return strings.Compare(a.lower, b.lower) })
	out := make([]*peers.Peer, len(all))
	for i, n := range all {
		out[i] = n.peer
	}
	return out
}

// pageNumber reads the number of a page; what is none is the nearest that there is.
func pageNumber(text string, pages int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 1
	}
	return min(max(n, 1), pages)
}

func (s *Server) remote() page.Remote {
	e, err := s.cfg.Endpoint.Endpoint()
	switch {
	case err != nil:
		return page.Remote{State: "no_endpoint"}
	case e.Scope == scopeLAN:
		return page.Remote{State: "at_home_only", Endpoint: e.Address}
	}
	return page.Remote{State: "ready", Endpoint: e.Address}
}

func homeAssistant(home homeassistant.State) page.HomeAssistant {
	m := page.HomeAssistant{Phase: string(home.Phase), Target: home.Target, Version: home.Version, Warnings: codes(home.Warnings)}
	for _, c := range home.Candidates {
		m.Candidates = append(m.Candidates, page.Candidate{Target: c.Target, Name: c.Name, ThisMachine: c.ThisMachine})
	}
	return m
}

// useHomeAssistant pins the Home Assistant that the owner means. What does not look like one is not taken.
func (s *Server) useHomeAssistant(v *visit) error {
	if err := s.cfg.HomeAssistant.Use(v.Request().Context(), v.field("target")); err != nil {
		s.cfg.Log.Info("home assistant not confirmed", "error", err)
		v.aside("error", page.ProblemRefused)
		m, err := s.homeModel(v)
		if err != nil {
			return err
		}
		return s.turn(v, http.StatusBadRequest, m)
	}
	v.aside("success", page.NoticeTargetSaved)
	return v.then("/")
}
