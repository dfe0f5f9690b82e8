package alert

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/secret"
)

func TestDue(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	judged := func(v health.Verdict) health.Report { return health.Report{Verdict: v, JudgedAt: now} }
	ago := func(d time.Duration) told { return told{Exposed: true, At: now.Add(-d)} }
	for _, c := range []struct {
		what   string
		report health.Report
		was    told
		want   News
		wait   time.Duration
	}{
		{"exposed", judged(health.Exposed), told{}, Exposed, 0},
		{"exposed again", judged(health.Exposed), told{At: now}, Exposed, 0},
		{"still, an hour later", judged(health.Exposed), ago(time.Hour), nothing, 23 * time.Hour},
		{"still, a day later", judged(health.Exposed), ago(again), StillExposed, 0},
		{"still, and the clock was put back", judged(health.Exposed), ago(-1000 * time.Hour), nothing, again},
		{"closed after that", judged(health.Closed), ago(time.Hour), Over, 0},
		{"not known after that", judged(health.Unverified), ago(time.Hour), Over, 0},
		{"closed", judged(health.Closed), told{}, nothing, 0},
		{"not known", judged(health.Unverified), told{}, nothing, 0},
		{"nothing judged yet, after a restart", health.Report{}, ago(time.Hour), nothing, 0},
		{"nothing judged yet", health.Report{}, told{}, nothing, 0},
	} {
		if news, wait := due(c.report, c.was, now); news != c.want || wait != c.wait {
			t.Errorf("%s: %q, %v; want %q, %v", c.what, news, wait, c.want, c.wait)
		}
	}
}

// recorder is a channel that writes down what it is told, in the time of synctest.
type recorder struct {
	said []string
	err  error
}

func (r *recorder) route(health.Setup) route {
	began := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where synctest begins
	return route{target: "recorder", tell: func(_ context.Context, n notice) error {
		r.said = append(r.said, string(n.Event)+" "+time.Since(began).Round(time.Second).String())
		return r.err
	}}
}

func (r *recorder) start(t *testing.T, w *world) (wake func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	bell, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		w.teller("test", r.route)(ctx, bell)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return func() {
		bell <- struct{}{}
		synctest.Wait()
	}
}

// TestToldOnce: at once, daily, over once, and nothing else whatever happens in between.
func TestToldOnce(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	synctest.Test(t, func(t *testing.T) {
		w, r := newWorld(t, st), &recorder{}
		wake := r.start(t, w)
		wake()
		w.judged(health.Unverified)
		wake()
		w.judged(health.Closed)
		wake()
		w.judged(health.Exposed)
		for range 10 {
			wake()
			time.Sleep(time.Minute)
		}
		time.Sleep(49 * time.Hour)
		wake()
		w.judged(health.Unverified)
		wake()
		w.judged(health.Closed)
		wake()
		time.Sleep(48 * time.Hour)
		wake()
		want := []string{"exposed 0s", "still_exposed 24h0m0s", "still_exposed 48h0m0s", "over 49h10m0s"}
		if !slices.Equal(r.said, want) {
			t.Errorf("said %q, want %q", r.said, want)
		}
	})
}

// TestARestartRepeatsNothing: neither the exposure nor, before anything was judged, its end.
func TestARestartRepeatsNothing(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	synctest.Test(t, func(t *testing.T) {
		var said []string
		for range 4 {
			w, r := newWorld(t, st), &recorder{}
			ctx, cancel := context.WithCancel(t.Context())
			bell, done := make(chan struct{}, 1), make(chan struct{})
			go func() {
				defer close(done)
				w.teller("test", r.route)(ctx, bell)
			}()
			synctest.Wait() // nothing is judged yet
			w.judged(health.Exposed)
			bell <- struct{}{}
			time.Sleep(9 * time.Hour)
			cancel()
			<-done
			said = append(said, r.said...)
		}
		if want := []string{"exposed 0s", "still_exposed 24h0m0s"}; !slices.Equal(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	})
}

// TestTriedAgain: with growing pauses for an hour, then when the reminder is due; a change is told at once.
func TestTriedAgain(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	synctest.Test(t, func(t *testing.T) {
		w, r := newWorld(t, st), &recorder{err: errAway}
		wake := r.start(t, w)
		w.judged(health.Exposed)
		wake()
		for range 20 { // waking does not make it faster
			time.Sleep(time.Second)
			wake()
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		for i, want := range []string{"exposed 0s", "exposed 5s", "exposed 15s", "exposed 35s", "exposed 1m15s", "exposed 2m35s"} {
			if i >= len(r.said) || r.said[i] != want {
				t.Fatalf("said %q, want %q at %d", r.said, want, i)
			}
		}
		if n := len(r.said); n > 14 || !strings.HasPrefix(r.said[n-1], "exposed 1h") {
			t.Errorf("said %q, want the last after an hour", r.said)
		}
		if n := strings.Count(w.log.String(), "does not get through"); n != 1 {
			t.Errorf("logged %d times: %s", n, w.log.String())
		}
		if s := w.Status(); len(s) != 1 || s[0].Problem != errAway.Error() || !s[0].Told.IsZero() {
			t.Errorf("status %+v", s)
		}
		r.said, r.err = nil, nil
		w.judged(health.Closed)
		wake()
		if len(r.said) != 1 || !strings.HasPrefix(r.said[0], "over ") {
			t.Errorf("said %q, want that it is over", r.said)
		}
		if s := w.Status(); len(s) != 1 || s[0].Problem != "" || s[0].Told.IsZero() {
			t.Errorf("status %+v", s)
		}
	})
}

func TestReminder(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, st)
		stop := w.run(t)
		w.judged(health.Exposed, health.Reason{Code: health.SeenOpen, Args: health.Args{"from": "Anna's phone", "address": "198.51.100.7", "port": "8123"}})
		time.Sleep(25 * time.Hour)
		stop()
		events, err := w.cfg.Journal.Recent(10)
		if err != nil || len(events) != 1 || events[0].Type != journal.ExposureReminder || events[0].Data["reasons"] != "seen_open" {
			t.Fatalf("events %+v, %v, want one reminder", events, err)
		}
		if want := "Home Assistant can still be reached from the internet. Somebody outside reached your Home Assistant at 198.51.100.7, port 8123."; events[0].Message != want {
			t.Errorf("message %q, want %q", events[0].Message, want)
		}
	})
}

func TestNotification(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, st)
		w.set(func(s *health.Setup) { s.HomeToken, s.NotifyHome = secret.Of("token"), true })
		w.run(t)
		w.judged(health.Exposed, health.Reason{
			Code: health.SignInSeen, Args: health.Args{"address": "203.0.113.9"},
		}, health.Reason{Code: health.PageOpen, Args: health.Args{"port": "<b>*{{x}}*"}})
		synctest.Wait()
		for _, want := range []string{notificationID + "\n", "can be reached from the internet", "from an address\\,", `\<b\>\*\{\{x\}\}\*`} {
			if !strings.Contains(w.note, want) {
				t.Errorf("the notification lacks %q:\n%s", want, w.note)
			}
		}
		if strings.Contains(w.note, "203") {
			t.Errorf("an address that may be a phone's is in it:\n%s", w.note)
		}
		w.set(func(s *health.Setup) { s.NotifyHome = false })
		synctest.Wait()
		if w.note != "" || len(w.Status()) != 0 {
			t.Errorf("switched off, and there is still %q, %+v", w.note, w.Status())
		}
		w.set(func(s *health.Setup) { s.NotifyHome = true })
		synctest.Wait()
		w.judged(health.Closed)
		synctest.Wait()
		if w.notes != 3 || !strings.Contains(w.note, "closed to the internet again") {
			t.Errorf("%d notifications, the last %q", w.notes, w.note)
		}
		if s := w.Status(); len(s) != 1 || s[0].Channel != HomeAssistant || s[0].Told.IsZero() {
			t.Errorf("status %+v", s)
		}
	})
}

func TestOutward(t *testing.T) {
	args := health.Args{"from": "Anna", "seat": "Anna", "address": "203.0.113.9", "port": "1", "at": "2026"}
	for _, code := range health.Codes() {
		for _, r := range outward([]health.Reason{{Code: code, Args: args}}) {
			if strings.Contains(r.Text, "Anna") || strings.Contains(r.Text, "203") && (code == health.SignInSeen || code == health.WrongTarget) {
				t.Errorf("%s: %q", code, r.Text)
			}
		}
	}
	if args["from"] != "Anna" {
		t.Error("the report itself was changed")
	}
}
