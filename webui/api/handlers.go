package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/internal/journal"
)

func (s *Server) getStatus(c echo.Context) error {
	server, err := s.cfg.Peers.Server()
	if err != nil {
		return err
	}
	list, err := s.cfg.Peers.List()
	if err != nil {
		return err
	}
	services, err := s.cfg.Services.List()
	if err != nil {
		return err
	}
	endpoint, err := s.cfg.Endpoint.Endpoint()
	if err != nil {
		endpoint = Endpoint{Scope: "none", Note: err.Error()}
	}
	counts := PeerCounts{Total: len(list)}
	live := s.cfg.Tunnel.Live()
	for _, p := range list {
		if s.view(p, live[p.ID]).State == StateActive {
			counts.Active++
		}
	}
	return c.JSON(http.StatusOK, Status{
		Version: s.cfg.Version, StartedAt: s.started.UTC(), StateDir: s.cfg.StateDir, ClockSynced: s.cfg.Synchronised(),
		HomeAssistant: s.cfg.HomeAssistant.State(),
		Tunnel: TunnelStatus{
			ListenPort: s.cfg.Tunnel.ListenPort(), PublicKey: server.PublicKey.String(),
			IPv4: server.Address4.String(), IPv6: server.Address6.String(), URL: InsideURL(server, s.cfg.HomeAssistant.State()),
			UAPISocket: s.cfg.Tunnel.Socket(),
		},
		Endpoint: endpoint, Services: services, Peers: counts,
	})
}

func (s *Server) listServices(c echo.Context) error {
	list, err := s.cfg.Services.List()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, list)
}

func (s *Server) addService(c echo.Context) error {
	var in AddService
	if err := read(c, &in); err != nil {
		return err
	}
	added, err := s.cfg.Services.Add(in)
	if err != nil {
		return err
	}
	s.inForce(c)
	return c.JSON(http.StatusCreated, added)
}

func (s *Server) removeService(c echo.Context) error {
	if err := s.cfg.Services.Remove(c.Param("name")); err != nil {
		return err
	}
	s.inForce(c)
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) getHomeAssistant(c echo.Context) error {
	return c.JSON(http.StatusOK, s.cfg.HomeAssistant.State())
}

func (s *Server) useHomeAssistant(c echo.Context) error {
	var in UseHomeAssistant
	if err := read(c, &in); err != nil {
		return err
	}
	if err := s.cfg.HomeAssistant.Use(c.Request().Context(), in.Address); err != nil {
		return Refusal(ErrInvalid, err)
	}
	return s.getHomeAssistant(c)
}

// journalLimit bounds one answer of the journal, in events.
const journalLimit = 1000

func (s *Server) getJournal(c echo.Context) error {
	limit, err := number(c, "limit", 100)
	if err != nil {
		return err
	}
	events, err := s.cfg.Journal.Recent(int(min(max(limit, 1), journalLimit)))
	if err != nil {
		return err
	}
	if events == nil {
		events = []journal.Event{}
	}
	return c.JSON(http.StatusOK, events)
}

// number reads a query parameter that is a whole number.
func number(c echo.Context, name string, absent uint64) (uint64, error) {
	text := c.QueryParam(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, refuse(ErrInvalid, fmt.Sprintf("%s must be a whole number, not %q", name, text))
	}
	return n, nil
}

// heartbeat is how often an idle event stream sends a comment, so that a reader that is gone is noticed.
const heartbeat = 30 * time.Second

// streamEvents sends journal events as they happen, as server-sent events (WHATWG HTML, section 9.2). With after=SEQ, or
// the Last-Event-ID header of a reader that comes back, it begins with what was written after that event.
func (s *Server) streamEvents(c echo.Context) error {
	after, err := number(c, "after", 0)
	if err != nil {
		return err
	}
	resume := c.QueryParam("after") != ""
	if id, err := strconv.ParseUint(c.Request().Header.Get("Last-Event-ID"), 10, 63); err == nil {
		after, resume = id, true
	}
	// First subscribe, then read what was written before: nothing falls between.
	live, stop := s.cfg.Journal.Subscribe(64)
	defer stop()
	w := c.Response()
	w.Header().Set(echo.HeaderContentType, "text/event-stream")
	w.WriteHeader(http.StatusOK)
	w.Flush()
	if resume {
		past, err := s.cfg.Journal.After(after, journalLimit)
		if err != nil {
			return err
		}
		for _, e := range past {
			if err := sendEvent(w, e); err != nil {
				return nil // the reader is gone
			}
			after = e.Seq
		}
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-beat.C:
			if _, err := fmt.Fprint(w, ": \n\n"); err != nil {
				return nil // the reader is gone
			}
			w.Flush()
		case e, ok := <-live:
			if !ok {
				return nil // fell behind; the reader comes back with Last-Event-ID
			}
			if e.Seq <= after {
				continue
			}
			if err := sendEvent(w, e); err != nil {
				return nil // the reader is gone
			}
		}
	}
}

func sendEvent(w *echo.Response, e journal.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Type, body); err != nil {
		return err
	}
	w.Flush()
	return nil
}
