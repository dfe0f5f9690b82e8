package webui

import (
	"context"
	"errors"
	"slices"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/account"
)

// keeperBuffer is room for a burst; a keeper that misses something hears the next event, and looks at everything again.
const keeperBuffer = 64

// Run clears the desk when the journal tells that something on it is needed no more, until ctx ends; then it clears it whole
// and returns nil. Without Run a config would lie there until somebody looks, or its ten minutes are over.
func (s *Server) Run(ctx context.Context) error {
	defer s.desk.clear()
	for ctx.Err() == nil {
		s.keep(ctx)
	}
	return nil
}

// keep follows the journal until ctx ends or it has fallen behind. Which event it was does not matter: what lies on the desk is
// compared with how things are.
func (s *Server) keep(ctx context.Context) {
	events, stop := s.cfg.Journal.Subscribe(keeperBuffer)
	defer stop()
	s.tidy()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			switch e.Type {
			case journal.PeerConnected, journal.PeerDisconnected:
			case account.EventPassphraseReset, account.EventPassphraseChanged:
				s.links.clear() // whoever made them may be the reason
				s.tidy()
			default:
				s.tidy()
			}
		}
	}
}

// tidy takes off the desk what has become void, and what belongs to browsers that are signed out.
func (s *Server) tidy() {
	waiting := s.desk.peers()
	if len(waiting) == 0 {
		return
	}
	if sessions, err := s.cfg.Account.Sessions(); err == nil {
		s.desk.keepOnly(func(holder string) bool {
			return byLink(holder) || slices.ContainsFunc(sessions, func(one account.Session) bool { return one.ID == holder })
		})
	}
	for _, id := range waiting {
		p, err := s.cfg.Peers.Get(id)
		switch {
		case errors.Is(err, peers.ErrNotFound):
			s.desk.forgetPeer(id)
			s.links.forgetPeer(id)
		case err == nil:
			s.desk.check(p)
		}
	}
}

// OpenConfig is the config that lies on the desk for a session, for the API.
func (s *Server) OpenConfig(sessionID, peerID string) (config, fileName string, ok bool) {
	on, ok := s.desk.read(sessionID, peerID)
	if !ok {
		return "", "", false
	}
	return on.config.reveal(), on.fileName, true
}
