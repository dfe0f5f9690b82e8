package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/lab/mosquitto"
)

// A letterbox is a machine at home that takes webhooks.
type letterbox struct {
	mu    sync.Mutex
	posts []string
}

func (l *letterbox) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.posts...)
}

func newLetterbox(t testing.TB, on *lab.Host, address string) *letterbox {
	t.Helper()
	box := new(letterbox)
	l, err := on.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10)) // what was cut off is seen by the test
		box.mu.Lock()
		defer box.mu.Unlock()
		box.posts = append(box.posts, string(body))
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }() // ends with ErrServerClosed
	t.Cleanup(func() { server.Close(); <-done })
	return box
}

// toldOnce: to a webhook and over a real MQTT broker, at once, and not again with the next look.
func toldOnce(t *testing.T) {
	lab.Need(t, "mosquitto_sub")
	h := watchedHome(t)
	box := newLetterbox(t, h.Neighbour, h.Neighbour.Addr4.String()+":9090")
	broker := mosquitto.Start(t, mosquitto.Options{
		Address: h.Neighbour.Addr4.String(), Port: 1883, User: "hearthgate", Password: "s3cret", Command: h.Neighbour.Command,
	})
	listener := lab.Start(t, h.Neighbour.Command(t.Context(), "mosquitto_sub", "-h", h.Neighbour.Addr4.String(),
		"-u", "hearthgate", "-P", "s3cret", "-v", "-t", "#"))
	h.do(t, "alert", "webhook", "http://"+h.Neighbour.Addr4.String()+":9090/hook")
	h.do(t, "alert", "mqtt", broker.URL)
	eventually(t, 30*time.Second, "the entities are announced", func() bool {
		return strings.Contains(listener.Output(), "binary_sensor") && strings.Contains(listener.Output(), `"safety"`)
	})
	if got := states(listener.Output()); slices.Contains(got, "ON") || slices.Contains(got, "OFF") {
		t.Errorf("nobody has looked, and the sensor says %q:\n%s", got, listener.Output())
	}
	w := h.outside(t, "witness")
	closeIt := forwardNow(t, h, 8123)
	h.trust(t, w.invite(t))
	if exit, v := h.check(t); exit != exitExposed {
		t.Fatalf("exit %d, exposed was expected: %v", exit, v)
	}
	eventually(t, 20*time.Second, "it is told over MQTT", func() bool { return slices.Contains(states(listener.Output()), "ON") })
	eventually(t, 20*time.Second, "it is told to the webhook", func() bool { return len(exposedPosts(box)) > 0 })
	closeIt()
	if exit, v := h.check(t); exit != exitExposed {
		t.Errorf("after it was removed: exit %d, %v", exit, v)
	}
	time.Sleep(3 * time.Second)
	if got := exposedPosts(box); len(got) != 1 {
		t.Errorf("the webhook was told %d times:\n%s", len(got), strings.Join(box.all(), "\n"))
	}
	if got := states(listener.Output()); count(got, "ON") != 1 || slices.Contains(got, "OFF") {
		t.Errorf("the sensor says %q, one after the other; ON once and never OFF was expected:\n%s", got, listener.Output())
	}
	if got := h.turns(t); count(got, "exposed") != 1 {
		t.Errorf("the journal says %q", got)
	}
	if !strings.Contains(h.daemon.Output(), "open to the internet") {
		t.Error("the log does not tell of it")
	}
	for _, said := range []string{h.daemon.Output(), strings.Join(box.all(), "\n"), listener.Output()} {
		if strings.Contains(said, "s3cret") {
			t.Error("the broker's password is told")
		}
	}
}

func forwardNow(t testing.TB, h *home, port uint16) (closeIt func()) {
	return h.Open(t, lab.Forward{External: port, To: h.HomeAssistant, Port: 8123})
}

// states are the values that the safety sensor takes, one after the other, of "topic payload" lines: as Home Assistant would have
// it, unknown while its availability says so.
func states(lines string) (out []string) {
	for line := range strings.Lines(lines) {
		topic, said, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasSuffix(topic, "/exposure") {
			continue
		}
		var state struct{ Exposed string }
		if err := json.Unmarshal([]byte(said), &state); err == nil && (len(out) == 0 || out[len(out)-1] != state.Exposed) {
			out = append(out, state.Exposed)
		}
	}
	return out
}

// exposedPosts are the posts that tell of an exposure.
func exposedPosts(box *letterbox) (out []string) {
	for _, p := range box.all() {
		if strings.Contains(p, `"exposed"`) {
			out = append(out, p)
		}
	}
	return out
}
