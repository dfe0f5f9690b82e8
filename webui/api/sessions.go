package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/webui/account"
)

// Session is a browser that is signed in.
type Session struct {
	ID        string    `json:"id"`
	Current   bool      `json:"current"` // the one that asks
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"` // to ten minutes
	From      string    `json:"from"`    // the address it signed in from
	Agent     string    `json:"agent"`   // what the browser calls itself
	Keep      bool      `json:"keep"`    // ends after 90 days without use, and not after 12 hours
}

// EndedSessions is how many were ended.
type EndedSessions struct {
	Ended int `json:"ended"`
}

func (s *Server) listSessions(c echo.Context) error {
	list, err := s.cfg.Account.Sessions()
	if err != nil {
		return err
	}
	own := s.caller(c).SessionID
	out := make([]Session, 0, len(list))
	for _, one := range list {
		out = append(out, Session{
			ID: one.ID, Current: one.ID == own, CreatedAt: one.CreatedAt.UTC(), SeenAt: one.SeenAt.UTC(),
			From: one.From, Agent: one.Agent, Keep: one.Keep,
		})
	}
	return c.JSON(http.StatusOK, out)
}

func (s *Server) endSession(c echo.Context) error {
	if err := s.cfg.Account.EndSession(c.Param("id")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// endOtherSessions signs every browser out but the one that asks.
func (s *Server) endOtherSessions(c echo.Context) error {
	ended, err := s.cfg.Account.EndOtherSessions(s.caller(c).SessionID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, EndedSessions{Ended: ended})
}

// ownSession is the session that asks.
func (s *Server) ownSession(c echo.Context) (account.Session, error) {
	id := s.caller(c).SessionID
	if id == "" {
		return account.Session{}, errOnThePage
	}
	list, err := s.cfg.Account.Sessions()
	if err != nil {
		return account.Session{}, err
	}
	at := slices.IndexFunc(list, func(one account.Session) bool { return one.ID == id })
	if at < 0 {
		return account.Session{}, errStranger
	}
	return list[at], nil
}
