package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/webui/account"
)

const (
	// heartbeat is how often an idle stream sends a comment, so that a reader that is gone is noticed, and how long at most
	// a stream outlives the session or token that opened it.
	heartbeat = 15 * time.Second
	// trusted is how long a session or token is believed to hold, unless an event says otherwise: a thousand peers may change
	// at once, and each stream would ask the store a thousand times.
	trusted = time.Second
	// writePatience is how long one write may take: a reader that does not read holds a place no longer.
	writePatience = 10 * time.Second
	// streamBuffer is how many events may wait for a slow reader; one that falls behind comes back with Last-Event-ID.
	streamBuffer = 64
)

// streamEvents sends journal events as they happen, as server-sent events (WHATWG HTML, section 9.2). With after=SEQ, or
// the Last-Event-ID header of a reader that comes back, it begins with what was written after that event.
func (s *Server) streamEvents(c echo.Context) error {
	after, resume, err := resumeFrom(c)
	if err != nil {
		return err
	}
	caller := s.caller(c)
	done, ok := s.streams.open(caller)
	if !ok {
		return refuse(ErrBusy, "too many event streams are open; close one, or try again in a while")
	}
	defer done()
	// First subscribe, then read what was written before: nothing falls between.
	live, stop := s.cfg.Journal.Subscribe(streamBuffer)
	defer stop()
	c.Response().Header().Set(echo.HeaderContentType, "text/event-stream")
	f := &follower{
		holds: func() bool { return s.valid(caller) }, checked: time.Now(), after: after,
		stream: stream{c.Response(), http.NewResponseController(c.Response().Writer)},
	}
	// What goes wrong from here on ends the stream, and the reader comes back: the status has been sent.
	if err := f.send(""); err != nil {
		return nil // the reader is gone
	}
	if resume && !s.catchUp(f) {
		return nil
	}
	progress, quiet := s.progress(c)
	defer quiet()
	f.follow(c.Request().Context(), live, progress)
	return nil
}

// ExposureProgress is the event that says that there is something new about the check from outside. It is not of the journal and
// has no seq: it comes only to a reader that asks for it with progress=1, and says no more than that.
const ExposureProgress = "exposure.progress"

// progress tells of the check from outside, to a reader that asked for that.
func (s *Server) progress(c echo.Context) (<-chan struct{}, func()) {
	if s.cfg.Health == nil || c.QueryParam("progress") != "1" {
		return nil, func() {}
	}
	return s.cfg.Health.Loop.Watch()
}

// catchUp sends what was written before the stream was opened, and tells whether it may go on.
func (s *Server) catchUp(f *follower) (more bool) {
	more = true
	err := s.eachEvent(eventFilter{after: f.after}, func(e journal.Event) bool {
		more = f.pass(e) == nil
		return more
	})
	if err != nil {
		s.cfg.Log.Error("events not read", "error", err)
	}
	return more && err == nil
}

// resumeFrom is the event after which a stream begins, and whether the reader named one.
func resumeFrom(c echo.Context) (after uint64, resume bool, err error) {
	if id, err := strconv.ParseUint(c.Request().Header.Get("Last-Event-ID"), 10, 63); err == nil {
		return id, true, nil
	}
	after, err = number(c, "after", 0)
	return after, c.QueryParam("after") != "", err
}

// follower is a stream with what its reader knows.
type follower struct {
	stream
	holds   func() bool // the session or token that opened it is still there
	checked time.Time   // when that was asked
	after   uint64      // the last event that was sent
}

// errEnds ends a stream whose reader may not read any more.
var errEnds = errors.New("the session or token has ended")

// follow sends what comes until the reader is gone, has fallen behind, or may not read any more.
func (f *follower) follow(ctx context.Context, live <-chan journal.Event, progress <-chan struct{}) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			err = f.beat()
		case e, ok := <-live:
			if !ok {
				return
			}
			err = f.pass(e)
		case _, ok := <-progress:
			if !ok {
				progress = nil
				continue
			}
			err = f.send("event: " + ExposureProgress + "\ndata: {\"type\":\"" + ExposureProgress + "\"}\n\n")
		}
		if err != nil {
			return
		}
	}
}

func (f *follower) beat() error {
	if f.checked = time.Now(); !f.holds() {
		return errEnds
	}
	return f.send(": \n\n")
}

// pass sends an event that the reader does not have yet.
func (f *follower) pass(e journal.Event) error {
	if e.Seq <= f.after {
		return nil
	}
	if aboutSignIn(e) || time.Since(f.checked) >= trusted {
		if f.checked = time.Now(); !f.holds() {
			return errEnds
		}
	}
	f.after = e.Seq
	return f.event(e)
}

// aboutSignIn tells whether an event may be the end of a session or a token: whoever loses it sees nothing that comes after.
func aboutSignIn(e journal.Event) bool {
	return strings.HasPrefix(string(e.Type), "account.") || strings.HasPrefix(string(e.Type), "token.")
}

// valid tells whether a caller whose request is old may still see what is new: whether the session or token is there.
func (s *Server) valid(c Caller) bool {
	if c.Owner || s.cfg.Account == nil {
		return true
	}
	if c.SessionID != "" {
		list, err := s.cfg.Account.Sessions()
		return err == nil && slices.ContainsFunc(list, func(one account.Session) bool { return one.ID == c.SessionID })
	}
	list, err := s.cfg.Account.Tokens()
	return err == nil && slices.ContainsFunc(list, func(one account.Token) bool { return one.ID == c.TokenID })
}

// stream is an answer that is sent piece by piece.
type stream struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w stream) event(e journal.Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return w.send(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Type, body))
}

// send writes one piece, for which the reader has writePatience, whatever deadline the server has set for whole answers.
func (w stream) send(text string) error {
	err := w.control.SetWriteDeadline(time.Now().Add(writePatience))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	return w.control.Flush()
}
