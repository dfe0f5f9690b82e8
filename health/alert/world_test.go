package alert

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// world is everything around Alerts: a report and a setup that a test changes, and a Home Assistant that keeps one notification.
type world struct {
	*Alerts
	mu      sync.Mutex
	report  health.Report
	setup   health.Setup
	changed chan struct{}
	reports chan struct{}
	note    string // the notification that stands
	notes   int
	broken  error
	log     lines
}

func newWorld(t *testing.T, st *store.Store) *world {
	t.Helper()
	w := &world{changed: make(chan struct{}), reports: make(chan struct{}, 1)}
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.Alerts = New(Config{
		Reports: w, Settings: w, Home: w, Store: st, Journal: journal.New(st, time.Now, slog.New(slog.DiscardHandler)),
		Now: time.Now, Log: log, Instance: "test", Name: "Villa", Version: "1.2.3",
	})
	return w
}

func openStore(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func (w *world) Report() health.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.report
}

func (w *world) Watch() (<-chan struct{}, func()) { return w.reports, func() {} }

func (w *world) Get() (health.Setup, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.setup, nil
}

func (w *world) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *world) Notify(_ context.Context, id, title, message string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	w.note, w.notes = id+"\n"+title+"\n"+message, w.notes+1
	return nil
}

func (w *world) Dismiss(context.Context, string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note = ""
	return nil
}

// judged changes the report.
func (w *world) judged(v health.Verdict, reasons ...health.Reason) {
	w.mu.Lock()
	w.report = health.Report{Verdict: v, JudgedAt: time.Now(), Reasons: reasons, Next: health.CloseForward}
	if v == health.Exposed {
		w.report.Since = time.Now()
	}
	w.mu.Unlock()
	select {
	case w.reports <- struct{}{}:
	default:
	}
}

// set changes the setup.
func (w *world) set(change func(*health.Setup)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.setup)
	close(w.changed)
	w.changed = make(chan struct{})
}

// run runs until the function that it returns is called.
func (w *world) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return stop
}

var errAway = errors.New("it is away")

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
