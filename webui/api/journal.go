package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/internal/journal"
)

// journalLimit bounds one answer of the journal, in events.
const journalLimit = 1000

// journalPiece is how many events are read at once: the whole journal would be several megabytes.
const journalPiece = 256

// eventFilter says which events are asked for. Zero values leave a thing open.
type eventFilter struct {
	kind          string // an event's type, or with a dot at its end the beginning of one
	peer          string
	after, before uint64 // exclusive; before 0 is no bound
}

func filterOf(c echo.Context) (f eventFilter, err error) {
	f.kind, f.peer = c.QueryParam("type"), c.QueryParam("peer")
	if f.after, err = number(c, "after", 0); err != nil {
		return f, err
	}
	f.before, err = number(c, "before", 0)
	return f, err
}

func (f eventFilter) wants(e journal.Event) bool {
	switch {
	case e.Seq <= f.after, f.before != 0 && e.Seq >= f.before:
		return false
	case f.peer != "" && e.PeerID != f.peer:
		return false
	case strings.HasSuffix(f.kind, "."):
		return strings.HasPrefix(string(e.Type), f.kind)
	default:
		return f.kind == "" || string(e.Type) == f.kind
	}
}

// getJournal answers with the newest events that are asked for, the oldest of them first; with after but no before it
// begins at the other end, with the first that came after.
func (s *Server) getJournal(c echo.Context) error {
	f, err := filterOf(c)
	if err != nil {
		return err
	}
	if wantsLines(c) {
		return s.exportJournal(c, f)
	}
	limit, err := number(c, "limit", 100)
	if err != nil {
		return err
	}
	find := s.newest
	if f.after != 0 && f.before == 0 {
		find = s.firstAfter
	}
	events, err := find(f, int(min(max(limit, 1), journalLimit)))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, append([]journal.Event{}, events...))
}

// firstAfter reads forward.
func (s *Server) firstAfter(f eventFilter, limit int) (found []journal.Event, err error) {
	err = s.eachEvent(f, func(e journal.Event) bool {
		found = append(found, e)
		return len(found) < limit
	})
	return found, err
}

// eachEvent calls fn with every event that is asked for, the oldest first, until it returns false.
func (s *Server) eachEvent(f eventFilter, fn func(journal.Event) bool) error {
	for at := f.after; ; {
		events, err := s.cfg.Journal.After(at, journalPiece)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if f.before != 0 && e.Seq >= f.before || f.wants(e) && !fn(e) {
				return nil
			}
			at = e.Seq
		}
	}
}

// newest reads backward, a piece at a time, for as long as too few are found. Numbers count up by one, so a piece is
// where it is expected.
func (s *Server) newest(f eventFilter, limit int) ([]journal.Event, error) {
	last, err := s.cfg.Journal.Recent(1)
	if err != nil || len(last) == 0 {
		return nil, err
	}
	end := last[0].Seq + 1
	if f.before != 0 {
		end = min(end, f.before)
	}
	var found []journal.Event // the newest first
	for end > f.after+1 && len(found) < limit {
		begin := max(f.after+1, end-min(end, journalPiece)) // included
		events, err := s.cfg.Journal.After(begin-min(begin, 1), int(end-begin))
		if err != nil {
			return nil, err
		}
		if len(events) == 0 || events[0].Seq >= end {
			break // older ones are no longer kept
		}
		for _, e := range slices.Backward(events) {
			if e.Seq < end && f.wants(e) && len(found) < limit {
				found = append(found, e)
			}
		}
		end = begin
	}
	slices.Reverse(found)
	return found, nil
}

const linesType = "application/jsonl"

func wantsLines(c echo.Context) bool {
	return c.QueryParam("format") == "jsonl" || strings.Contains(c.Request().Header.Get(echo.HeaderAccept), linesType)
}

// exportJournal sends every event that is kept and asked for, one to a line.
func (s *Server) exportJournal(c echo.Context, f eventFilter) error {
	w := stream{c.Response(), http.NewResponseController(c.Response().Writer)}
	w.Header().Set(echo.HeaderContentType, linesType)
	w.Header().Set(echo.HeaderContentDisposition, `attachment; filename="hearthgate-journal.jsonl"`)
	var piece strings.Builder
	lines := 0
	var gone error
	err := s.eachEvent(f, func(e journal.Event) bool {
		var body []byte
		if body, gone = json.Marshal(e); gone != nil {
			return false
		}
		piece.Write(body)
		piece.WriteByte('\n')
		if lines++; lines%journalPiece == 0 {
			gone = w.send(piece.String())
			piece.Reset()
		}
		return gone == nil && c.Request().Context().Err() == nil
	})
	switch {
	case err == nil && gone == nil:
		return w.send(piece.String())
	case c.Response().Committed:
		panic(http.ErrAbortHandler) // net/http's way to let the reader see that the end is missing
	default:
		return errors.Join(err, gone)
	}
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
