package webui

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/webui/page"
)

// asset serves a file that pages refer to. Its name holds a hash of what is in it, so a browser may keep it for ever.
func (s *Server) asset(v *visit) error {
	content, media, ok := page.Asset(v.Param("name"))
	if !ok {
		return echo.ErrNotFound
	}
	v.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return v.Blob(http.StatusOK, media, content)
}

// favicon keeps browsers that ask by themselves from filling the log; our pages name their icon.
func (s *Server) favicon(v *visit) error { return v.NoContent(http.StatusNotFound) }
