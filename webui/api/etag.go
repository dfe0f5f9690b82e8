package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/labstack/echo/v4"
)

// etag names a version of a peer: of what can be set about it, and not of what is seen of it, which changes by the
// second (RFC 9110, section 8.8.3).
func etag(p Peer) (string, error) {
	set, err := json.Marshal([]any{p.ID, p.Name, p.State == StateDisabled, p.ExpiresAt, p.Services, p.PublicKey, p.Rekey})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(set)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, nil
}

// unmodified refuses a change to a peer that is not any more as the caller has seen it, if the caller asks for that with
// If-Match. It and the change are not one transaction: it finds the change of a minute ago, not that of the same moment.
func (s *Server) unmodified(c echo.Context) error {
	wanted := c.Request().Header.Get("If-Match")
	if wanted == "" {
		return nil
	}
	p, err := s.cfg.Peers.Get(c.Param("id"))
	if err != nil {
		return err
	}
	now, err := etag(s.view(p, Live{}))
	if err != nil {
		return err
	}
	for tag := range strings.SplitSeq(wanted, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == now {
			return nil
		}
	}
	return refuse(ErrStale, p.Name+" has been changed meanwhile; ask for it again and look")
}
