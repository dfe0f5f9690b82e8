package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/key"
	"github.com/hearthgate/hearthgate/peers"
)

func (s *Server) listPeers(c echo.Context) error {
	var list []peers.Peer
	if name := c.QueryParam("name"); name != "" {
		p, err := s.cfg.Peers.Find(name)
		if err != nil {
			return err
		}
		list = append(list, p)
	} else {
		var err error
		if list, err = s.cfg.Peers.List(); err != nil {
			return err
		}
	}
	slices.SortStableFunc(list, func(a, b peers.Peer) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	live := s.cfg.Tunnel.Live()
	out := make([]Peer, 0, len(list))
	for _, p := range list {
		out = append(out, s.view(p, live[p.ID]))
	}
	return c.JSON(http.StatusOK, out)
}

func (s *Server) getPeer(c echo.Context) error {
	p, err := s.cfg.Peers.Get(c.Param("id"))
	if err != nil {
		return err
	}
	return s.answerPeer(c, p)
}

// answerPeer answers with a peer and the version that it has.
func (s *Server) answerPeer(c echo.Context, p peers.Peer) error {
	shown := s.view(p, s.cfg.Tunnel.Live()[p.ID])
	tag, err := etag(shown)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", tag)
	return c.JSON(http.StatusOK, shown)
}

func (s *Server) addPeer(c echo.Context) error {
	raw, err := body(c)
	if err != nil {
		return err
	}
	var in AddPeer
	if err := decode(raw, &in); err != nil {
		return err
	}
	expires, err := s.expiry(in.Expires)
	if err != nil {
		return err
	}
	pub, err := publicKey(in.PublicKey)
	if err != nil {
		return err
	}
	return s.once(c, raw, func() (*Enrolment, error) {
		return s.enrol(c, func() (peers.Enrolment, error) {
			return s.cfg.Peers.Add(peers.AddRequest{Name: in.Name, ExpiresAt: expires, PublicKey: pub, Services: in.Services})
		})
	})
}

func (s *Server) rekeyPeer(c echo.Context) error {
	var in RekeyPeer
	if err := read(c, &in); err != nil {
		return err
	}
	if err := s.unmodified(c); err != nil {
		return err
	}
	pub, err := publicKey(in.PublicKey)
	if err != nil {
		return err
	}
	out, err := s.enrol(c, func() (peers.Enrolment, error) {
		return s.cfg.Peers.Rekey(c.Param("id"), pub, in.Now)
	})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, out)
}

// enrol makes an enrolment. Whatever could stop the config from being made is asked before the
// peer is: a phone whose config was never shown would be half done.
func (s *Server) enrol(c echo.Context, change func() (peers.Enrolment, error)) (*Enrolment, error) {
	endpoint, err := s.cfg.Endpoint.Endpoint()
	if err != nil {
		return nil, refuse(ErrConflict, fmt.Sprintf("%v; nothing was changed", err))
	}
	server, err := s.cfg.Peers.Server()
	if err != nil {
		return nil, err
	}
	var seq uint64
	if last, err := s.cfg.Journal.Recent(1); err == nil && len(last) > 0 {
		seq = last[len(last)-1].Seq
	}
	e, err := change()
	if err != nil {
		return nil, err
	}
	s.inForce(c)
	config, err := e.Config(server, endpoint.Address)
	if err != nil {
		return nil, err
	}
	out := &Enrolment{
		Peer: s.view(e.Peer, Live{}), Config: config.Text(), FileName: peers.FileName(e.Peer.Name),
		URL: InsideURL(server, s.cfg.HomeAssistant.State()), Endpoint: endpoint, Notes: []string{}, Warnings: []string{}, EventSeq: seq,
	}
	out.Notes = append(out.Notes, s.notes(e, endpoint)...)
	for _, w := range s.cfg.HomeAssistant.State().Warnings {
		out.Warnings = append(out.Warnings, w.Text)
	}
	return out, nil
}

// notes are what the person who adds or rekeys a phone would otherwise find out when it does not connect.
func (s *Server) notes(e peers.Enrolment, endpoint Endpoint) (out []string) {
	if endpoint.Note != "" {
		out = append(out, endpoint.Note)
	}
	if e.PrivateKey.IsZero() {
		out = append(out, "The private key stays where it was made: add its PrivateKey line under [Interface].")
	}
	if strings.HasPrefix(s.cfg.HomeAssistant.State().Target, "https:") {
		out = append(out, "Home Assistant speaks https with a certificate for another name than the tunnel address: the phone will ask whether to trust it.")
	}
	switch s.view(e.Peer, Live{}).State {
	case StateDisabled:
		out = append(out, e.Peer.Name+" is disabled: the config works once you enable it (hearthgate peer enable).")
	case StateExpired:
		out = append(out, "Access of "+e.Peer.Name+" has ended: the config works once you give it a new date (hearthgate peer expire).")
	case StateWaiting, StateActive, StateIdle, StateNeedsEnrolment:
	}
	if !e.Peer.ExpiresAt.IsZero() && !s.cfg.Synchronised() {
		out = append(out, "This machine's clock is not synchronised: if it is wrong now, so is the date on which access ends."+
			" Look at it once more when the clock is right (hearthgate peer show).")
	}
	return out
}

func (s *Server) changePeer(c echo.Context) error {
	var in ChangePeer
	if err := read(c, &in); err != nil {
		return err
	}
	change, err := s.oneChange(c.Param("id"), in)
	if err != nil {
		return err
	}
	if err := s.unmodified(c); err != nil {
		return err
	}
	p, err := change()
	if err != nil {
		return err
	}
	s.inForce(c)
	return s.answerPeer(c, p)
}

// oneChange picks the one thing that is to be changed: several would be several transactions, and one could fail.
func (s *Server) oneChange(id string, in ChangePeer) (func() (peers.Peer, error), error) {
	var changes []func() (peers.Peer, error)
	if in.Name != nil {
		changes = append(changes, func() (peers.Peer, error) { return s.cfg.Peers.Rename(id, *in.Name) })
	}
	if in.Disabled != nil {
		changes = append(changes, func() (peers.Peer, error) { return s.cfg.Peers.SetDisabled(id, *in.Disabled) })
	}
	if in.Expires != nil {
		at, err := s.expiry(*in.Expires)
		if err != nil {
			return nil, err
		}
		changes = append(changes, func() (peers.Peer, error) { return s.cfg.Peers.SetExpiry(id, at) })
	}
	if in.Services != nil {
		changes = append(changes, func() (peers.Peer, error) { return s.cfg.Peers.SetServices(id, *in.Services) })
	}
	if len(changes) != 1 {
		return nil, refuse(ErrInvalid, "set exactly one of name, disabled, expires and services; nothing was changed")
	}
	return changes[0], nil
}

func (s *Server) removePeer(c echo.Context) error {
	if err := s.unmodified(c); err != nil {
		return err
	}
	if err := s.cfg.Peers.Remove(c.Param("id")); err != nil {
		return err
	}
	s.inForce(c)
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) rekeyServer(c echo.Context) error {
	_, list, err := s.cfg.Peers.RekeyServer()
	if err != nil {
		return err
	}
	s.inForce(c)
	out := make([]Peer, 0, len(list))
	for _, p := range list {
		out = append(out, s.view(p, Live{}))
	}
	return c.JSON(http.StatusOK, out)
}

func (s *Server) expiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return peers.ParseExpiry(text, s.cfg.Now())
}

func publicKey(text string) (*key.Public, error) {
	if text == "" {
		return nil, nil
	}
	pub, err := key.ParsePublic(text)
	if err != nil {
		return nil, refuse(ErrInvalid, fmt.Sprintf("%v; nothing was changed", err))
	}
	return &pub, nil
}

// InsideURL is Home Assistant's address for a phone: on the server's tunnel address, and spoken as Home Assistant itself
// speaks, because the gate carries bytes and no more.
func InsideURL(server peers.Server, home homeassistant.State) string {
	scheme := "http://"
	if strings.HasPrefix(home.Target, "https:") {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(server.Address4.String(), strconv.Itoa(HomeAssistantPort))
}

// HomeAssistantPort is the TCP port of Home Assistant inside the tunnel, whatever port it uses itself.
const HomeAssistantPort = 8123

// view shows a peer.
func (s *Server) view(p peers.Peer, live Live) Peer {
	out := Peer{
		ID: p.ID, Name: p.Name, Services: append([]string{}, p.Services...),
		CreatedAt: p.CreatedAt.UTC(), ExpiresAt: p.ExpiresAt.UTC(),
		FirstHandshakeAt: p.FirstHandshake.UTC(), LastHandshakeAt: LastSeen(p, live).UTC(),
		Endpoint: live.Endpoint, ReceivedBytes: live.ReceivedBytes, SentBytes: live.SentBytes,
	}
	if !p.Pair.PublicKey.IsZero() {
		out.PublicKey = p.Pair.PublicKey.String()
		out.IPv4, out.IPv6 = addrText(p.Pair.IPv4), addrText(p.Pair.IPv6)
	}
	if p.Retiring != nil {
		out.Rekey = &Rekey{OldPublicKey: p.Retiring.PublicKey.String(), RetiresAt: p.RetireAt.UTC()}
	}
	out.State = StateOf(p, live, s.cfg.Now())
	return out
}

func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// IsNotFound tells whether the server answered that there is no such thing.
func IsNotFound(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}
