package alert

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestWhatAReceiverSaysIsHarmless: an error may hold what a broker or a webhook's server has said, and is shown in terminals.
func TestWhatAReceiverSaysIsHarmless(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	a := New(Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now})
	a.fails(MQTT, errors.New("it says \x1b]0;you\x07\u202e\n"+strings.Repeat("long", 100_000)))
	got := a.Status()[0].Problem
	if len(got) > 2*mostProblem || strings.ContainsAny(got, "\x1b\x07\n\u202e") || !strings.HasPrefix(got, "it says ") || log.Len() > 1000 {
		t.Errorf("%d bytes in the log, and %q", log.Len(), got)
	}
}
