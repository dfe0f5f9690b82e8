package webui

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/webui/page"
)

const (
	// eventsPerPage bounds a page of the journal.
	eventsPerPage = 50
	// eventsPiece is how many events are read at once: the whole journal would be several megabytes.
	eventsPiece = 256
)

// eventKinds are what a journal can be filtered by: what stands before the dot of an event's type.
var eventKinds = []string{"peer", "home_assistant", "service", "endpoint", "server", "exposure", "account", "token"}

// eventFilter says which events are asked for; its zero value is all of them.
type eventFilter struct{ kind, phone string }

func (f eventFilter) wants(e journal.Event) bool {
	kind, _, _ := strings.Cut(string(e.Type), ".")
	if kind == "mapping" { // a way in that is gone
		kind = "exposure"
	}
	return (f.kind == "" || kind == f.kind) && (f.phone == "" || e.PeerID == f.phone)
}

func (v *visit) eventFilter() eventFilter {
	return eventFilter{kind: v.QueryParam("kind"), phone: v.QueryParam("phone")}
}

// journalPage shows what happened, the newest first.
func (s *Server) journalPage(v *visit) error {
	before, err := readSeq(v.QueryParam("before"))
	if err != nil {
		return err
	}
	f := v.eventFilter()
	events, err := s.newestEvents(f, before, eventsPerPage+1)
	if err != nil {
		return err
	}
	m := page.Journal{Kind: f.kind, Kinds: eventKinds, Phone: f.phone}
	if m.Phones, err = s.phonesToChoose(); err != nil {
		return err
	}
	if len(events) > eventsPerPage {
		events = events[:eventsPerPage]
		m.Older = events[eventsPerPage-1].Seq
	}
	for _, e := range events {
		m.Events = append(m.Events, page.JournalRow{At: e.Time, Type: string(e.Type), PeerName: e.PeerName, Message: e.Message, Data: e.Data})
	}
	return s.turn(v, http.StatusOK, m)
}

// phonesToChoose are the phones of a household's list; of more than a page of them nobody chooses from a list.
func (s *Server) phonesToChoose() (rows []page.PhoneRow, err error) {
	list, err := s.cfg.Peers.List()
	if err != nil || len(list) > rowsPerPage {
		return nil, err
	}
	for _, p := range byName(list) {
		rows = append(rows, page.PhoneRow{ID: p.ID, Name: p.Name})
	}
	return rows, nil
}

// readSeq reads an event's number; nothing is 0.
func readSeq(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, echo.ErrBadRequest
	}
	return n, nil
}

// newestEvents gives the newest events that are asked for, the newest first, of those before a number (0: of all). It goes
// back piece by piece; numbers count up by one, so a piece is where it is expected.
func (s *Server) newestEvents(f eventFilter, before uint64, limit int) (found []journal.Event, err error) {
	last, err := s.cfg.Journal.Recent(1)
	if err != nil || len(last) == 0 {
		return nil, err
	}
	end := last[0].Seq + 1 // excluded
	if before != 0 {
		end = min(end, before)
	}
	piece := uint64(limit) // most pages want everything, and then the first piece is the page
	for end > 1 && len(found) < limit {
		begin := max(end, piece+1) - piece // included; at least 1
		events, err := s.cfg.Journal.After(begin-1, int(end-begin))
		if err != nil {
			return nil, err
		}
		if len(events) == 0 || events[0].Seq >= end {
			return found, nil // what is older is no longer kept
		}
		for _, e := range slices.Backward(events) {
			if e.Seq < end && f.wants(e) && len(found) < limit {
				found = append(found, e)
			}
		}
		end, piece = begin, eventsPiece
	}
	return found, nil
}

// journalLines sends every event that is kept and asked for as a file, one to a line, the oldest first. JSON escapes what
// stands in names, so that a line is an event and nothing else.
func (s *Server) journalLines(v *visit) error {
	f := v.eventFilter()
	h := v.Response().Header()
	h.Set("Content-Type", "application/jsonl")
	h.Set("Content-Disposition", `attachment; filename="hearthgate-journal.jsonl"`)
	v.keepOut()
	lines := json.NewEncoder(v.Response())
	for seq := uint64(0); ; {
		events, err := s.cfg.Journal.After(seq, eventsPiece)
		if err != nil || len(events) == 0 {
			return err // when a part was sent, the file ends in the middle
		}
		for _, e := range events {
			seq = e.Seq
			if !f.wants(e) {
				continue
			}
			if err := lines.Encode(e); err != nil {
				return nil //nolint:nilerr // the browser is gone
			}
		}
	}
}
