package alert

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/lab/mosquitto"
	"github.com/hearthgate/hearthgate/internal/mqtt"
	"github.com/hearthgate/hearthgate/internal/secret"
)

// listener hears what is published at a broker, as Home Assistant does.
type listener struct {
	mu   sync.Mutex
	last map[string]string
	seen []string
	*mqtt.Session
}

func listen(t *testing.T, broker, id string) *listener {
	t.Helper()
	l := &listener{last: map[string]string{}}
	s, err := mqtt.Connect(t.Context(), mqtt.Config{
		Broker: secret.Of(broker), ClientID: id, Subscribe: "#",
		Heard: func(topic, payload string) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.last[topic] = payload
			l.seen = append(l.seen, topic+" "+payload)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.Session = s
	t.Cleanup(s.Close)
	return l
}

func (l *listener) get(topic string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last[topic]
}

// available is what Home Assistant makes of the binary sensor.
func (l *listener) sensor() string {
	if l.get("hearthgate/test/status") != online || l.get("hearthgate/test/exposure/known") != online {
		return "unavailable"
	}
	var v map[string]any
	if json.Unmarshal([]byte(l.get("hearthgate/test/exposure")), &v) != nil {
		return "broken"
	}
	s, _ := v["exposed"].(string)
	return s
}

func (l *listener) becomes(t *testing.T, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); l.sensor() != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Fatalf("the sensor is not %s; heard %q", want, l.seen)
		}
	}
}

const configTopic = "homeassistant/device/hearthgate_test/config"

func TestEntities(t *testing.T) {
	t.Parallel()
	b := mosquitto.Start(t, mosquitto.Options{User: "anna", Password: "geheim"})
	w := newWorld(t, openStore(t))
	w.set(func(s *health.Setup) { s.MQTT = secret.Of(b.URL) })
	stop := w.run(t)
	l := listen(t, b.URL, "early")
	l.becomes(t, "unavailable")
	w.judged(health.Closed)
	l.becomes(t, "OFF")
	w.judged(health.Exposed, health.Reason{Code: health.SeenOpen, Args: health.Args{"from": "Anna's phone", "address": "a", "port": "1"}})
	l.becomes(t, "ON")
	if state := l.get("hearthgate/test/exposure"); !strings.Contains(state, `"verdict":"exposed"`) || strings.Contains(state, "Anna") {
		t.Errorf("state %s", state)
	}
	w.judged(health.Unverified)
	l.becomes(t, "unavailable")
	if state := l.get("hearthgate/test/exposure"); !strings.Contains(state, `"verdict":"unverified","exposed":"None"`) {
		t.Errorf("state %s", state)
	}
	w.judged(health.Closed)
	l.becomes(t, "OFF")

	// Home Assistant that starts later finds all of it, because it is retained.
	late := listen(t, b.URL, "late")
	late.becomes(t, "OFF")
	checkDiscovery(t, late.get(configTopic))
	if s := w.Status(); len(s) != 1 || s[0].Channel != MQTT || s[0].Problem != "" || s[0].Told.IsZero() {
		t.Errorf("status %+v", s)
	}
	// At no moment did it say that it is known before it said what: off must never be shown for a moment.
	l.mu.Lock()
	verdict := ""
	for _, m := range l.seen {
		if topic, payload, _ := strings.Cut(m, " "); topic == "hearthgate/test/exposure" {
			verdict = payload
		} else if m == "hearthgate/test/exposure/known online" && strings.Contains(verdict, "None") {
			t.Errorf("it is said to be known in %q", l.seen)
		}
	}
	l.mu.Unlock()

	// It goes in good order: unavailable at once.
	stop()
	l.becomes(t, "unavailable")
	if l.get(configTopic) == "" {
		t.Error("the device is gone although only the appliance was stopped")
	}

	// Switched off: nothing stays.
	w2 := newWorld(t, w.cfg.Store)
	w2.set(func(s *health.Setup) { s.MQTT = secret.Of(b.URL) })
	w2.judged(health.Closed)
	w2.run(t)
	l.becomes(t, "OFF")
	w2.set(func(s *health.Setup) { s.MQTT = secret.Text{} })
	for deadline := time.Now().Add(20 * time.Second); l.get(configTopic) != "" || l.get("hearthgate/test/status") != ""; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the device is still there after it was switched off")
		}
	}
	if s := w2.Status(); len(s) != 0 {
		t.Errorf("status %+v", s)
	}
}

// checkDiscovery looks at what Home Assistant demands of a device's discovery.
func checkDiscovery(t *testing.T, config string) {
	t.Helper()
	var d struct {
		Device struct {
			IDs []string `json:"ids"`
		} `json:"dev"`
		Origin struct {
			Name string `json:"name"`
		} `json:"o"`
		Components map[string]struct {
			Platform     string `json:"p"`
			ID           string `json:"unique_id"`
			Class        string `json:"device_class"`
			State        string `json:"state_topic"`
			Mode         string `json:"availability_mode"`
			Availability []struct {
				Topic string `json:"topic"`
			} `json:"availability"`
		} `json:"cmps"`
	}
	if err := json.Unmarshal([]byte(config), &d); err != nil {
		t.Fatal(err)
	}
	s := d.Components["exposed"]
	if len(d.Device.IDs) != 1 || d.Origin.Name == "" || s.Platform != "binary_sensor" || s.Class != "safety" || s.ID == "" ||
		s.State == "" || s.Mode != "all" || len(s.Availability) != 2 || d.Components["verdict"].Platform != "sensor" {
		t.Errorf("discovery %s", config)
	}
}

// TestEntitiesComeBack: after Home Assistant started, and after the broker was away and forgot everything.
func TestEntitiesComeBack(t *testing.T) {
	t.Parallel()
	b := mosquitto.Start(t, mosquitto.Options{})
	w := newWorld(t, openStore(t))
	w.set(func(s *health.Setup) { s.MQTT = secret.Of(b.URL) })
	w.judged(health.Exposed)
	w.run(t)
	l := listen(t, b.URL, "home")
	l.becomes(t, "ON")

	count := func() (n int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, m := range l.seen {
			if strings.HasPrefix(m, configTopic) {
				n++
			}
		}
		return n
	}
	before := count()
	if err := l.Publish(t.Context(), mqtt.Message{Topic: homeStatus, Payload: []byte(online)}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(homeSettles + 20*time.Second); count() == before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was published again after Home Assistant started")
		}
	}
	b.Kill()
	b.Again()
	again := listen(t, b.URL, "home again")
	again.becomes(t, "ON")
	if log := w.log.String(); strings.Count(log, "does not get through") > 2 {
		t.Errorf("log:\n%s", log)
	}
}

// TestEntitiesRefused: a wrong password is told, and not tried all day.
func TestEntitiesRefused(t *testing.T) {
	t.Parallel()
	b := mosquitto.Start(t, mosquitto.Options{User: "anna", Password: "geheim"})
	w := newWorld(t, openStore(t))
	w.set(func(s *health.Setup) { s.MQTT = secret.Of(strings.Replace(b.URL, "geheim", "falsch", 1)) })
	w.run(t)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if s := w.Status(); len(s) == 1 && s[0].Problem == mqtt.ErrRefused.Error() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("status %+v", w.Status())
		}
	}
	w.judged(health.Exposed)
	time.Sleep(100 * time.Millisecond)
	if n := strings.Count(b.Said(), "not authorised"); n != 1 {
		t.Errorf("tried %d times:\n%s", n, b.Said())
	}
	w.set(func(s *health.Setup) { s.MQTT = secret.Of(b.URL) }) // put right: at once
	listen(t, b.URL, "home").becomes(t, "ON")
}
