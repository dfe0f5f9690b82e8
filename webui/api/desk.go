package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/peers"
)

// errNotHere answers for a part that this appliance was built without.
var errNotHere = refuse(ErrNotFound, "this Hearthgate has no page that could answer this")

func (s *Server) makeLink(c echo.Context) error {
	if s.cfg.Links == nil {
		return errNotHere
	}
	p, err := s.cfg.Peers.Get(c.Param("id"))
	if err != nil {
		return err
	}
	link, err := s.cfg.Links.MakeLink(c.Request().Context(), p.ID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, link)
}

func (s *Server) getConfig(c echo.Context) error {
	config, name, err := s.openConfig(c)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="`+name+`.conf"`)
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte(config))
}

func (s *Server) getCode(c echo.Context) error {
	config, _, err := s.openConfig(c)
	if err != nil {
		return err
	}
	matrix, err := peers.QRMatrix(config)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "image/svg+xml", []byte(codeSVG(matrix)))
}

// openConfig is the config of a phone that the caller's own session is enrolling now.
func (s *Server) openConfig(c echo.Context) (config, name string, err error) {
	p, err := s.cfg.Peers.Get(c.Param("id"))
	if err != nil {
		return "", "", err
	}
	caller := s.caller(c)
	if caller.SessionID == "" {
		return "", "", refuse(ErrNotFound, "a config is shown once, in the answer to adding or rekeying the phone; rekey it for a new one")
	}
	if s.cfg.Desk != nil {
		if config, name, ok := s.cfg.Desk.OpenConfig(caller.SessionID, p.ID); ok {
			return config, name, nil
		}
	}
	return "", "", refuse(ErrNotFound, "for safety the code is gone, or another browser is showing it; rekey the phone for a new one")
}

// codeSVG draws a code as one path of runs, black on white in every theme, because scanners do not read a light code on a
// dark ground. It has attributes only: a style would not pass the page's content security policy.
func codeSVG(matrix [][]bool) string {
	side := strconv.Itoa(len(matrix))
	var out strings.Builder
	out.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + side + ` ` + side + `" shape-rendering="crispEdges">`)
	out.WriteString(`<path fill="#fff" d="M0 0h` + side + `v` + side + `H0z"/><path fill="#000" d="`)
	for y, row := range matrix {
		for x := 0; x < len(row); x++ {
			begin := x
			for x < len(row) && row[x] {
				x++
			}
			if run := strconv.Itoa(x - begin); x > begin {
				out.WriteString("M" + strconv.Itoa(begin) + " " + strconv.Itoa(y) + "h" + run + "v1h-" + run + "z")
			}
		}
	}
	out.WriteString(`"/></svg>`)
	return out.String()
}
