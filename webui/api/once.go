package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// once makes an enrolment and answers with it; with an Idempotency-Key that the caller has used for the same body before,
// it makes none and gives the same answer again.
func (s *Server) once(c echo.Context, raw []byte, enrol func() (*Enrolment, error)) error {
	word := c.Request().Header.Get("Idempotency-Key")
	if word == "" {
		out, err := enrol()
		if err != nil {
			return err
		}
		return c.JSON(http.StatusCreated, out)
	}
	if len(word) > longestKey || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return refuse(ErrInvalid, "an Idempotency-Key has 1 to 128 visible ASCII characters")
	}
	before, keep, err := s.replays.begin(s.caller(c).name()+" "+word, raw)
	switch {
	case err != nil:
		return err
	case before != nil:
		return s.replay(c, before)
	}
	var out *Enrolment
	defer func() { keep(out) }()
	if out, err = enrol(); err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, out)
}

// replay gives an answer again, unless its private key has become somebody's or nobody's.
func (s *Server) replay(c echo.Context, before *Enrolment) error {
	now, err := s.cfg.Peers.Get(before.Peer.ID)
	if err != nil {
		return err
	}
	if !now.FirstHandshake.IsZero() || now.Pair.PublicKey.String() != before.Peer.PublicKey {
		return refuse(ErrConflict, "the first request has made "+now.Name+", which has connected or has a new code since; rekey it for another")
	}
	return c.JSON(http.StatusCreated, before)
}
