package alert

import (
	"encoding/json"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/mqtt"
)

// This file is what Home Assistant reads at the broker: MQTT discovery of one device with two entities
// (facts/home-assistant.md 5). All of it is retained, so that Home Assistant finds it whenever it starts.

const (
	online  = "online"
	offline = "offline"
)

// topics are where things are published.
type topics struct {
	config string // what Home Assistant discovers
	status string // whether we live; the last will
	known  string // whether the verdict is one
	state  string // the verdict
}

func (a *Alerts) topics() topics {
	id := a.cfg.Instance
	return topics{
		config: "homeassistant/device/hearthgate_" + id + "/config",
		status: "hearthgate/" + id + "/status",
		known:  "hearthgate/" + id + "/exposure/known",
		state:  "hearthgate/" + id + "/exposure",
	}
}

type object = map[string]any

// discovery is the device. The binary sensor is on while exposed and off while closed; while neither is known it is
// unavailable, because unknown must never look like off.
func (a *Alerts) discovery() object {
	t, id := a.topics(), "hearthgate_"+a.cfg.Instance
	name := "Hearthgate"
	if a.cfg.Name != "" {
		name += " " + a.cfg.Name
	}
	lives := object{"topic": t.status, "payload_available": online, "payload_not_available": offline}
	known := object{"topic": t.known, "payload_available": online, "payload_not_available": offline}
	return object{
		"dev": object{"ids": []string{id}, "name": name, "mf": "Hearthgate", "mdl": "Hearthgate", "sw": a.cfg.Version},
		"o":   object{"name": "Hearthgate", "sw": a.cfg.Version},
		"cmps": object{
			"exposed": object{
				"p": "binary_sensor", "unique_id": id + "_exposed", "name": "Exposed to the internet", "device_class": "safety",
				"default_entity_id": "binary_sensor." + id + "_exposed",
				"state_topic":       t.state, "value_template": "{{ value_json.exposed }}", "payload_on": "ON", "payload_off": "OFF",
				"availability": []object{lives, known}, "availability_mode": "all",
			},
			"verdict": object{
				"p": "sensor", "unique_id": id + "_verdict", "name": "Exposure", "device_class": "enum",
				"default_entity_id": "sensor." + id + "_verdict", "icon": "mdi:door",
				"options":     []string{health.Unverified.String(), health.Closed.String(), health.Exposed.String()},
				"state_topic": t.state, "value_template": "{{ value_json.verdict }}", "json_attributes_topic": t.state,
				"availability": []object{lives}, "availability_mode": "all",
			},
		},
		"qos": 1,
	}
}

// verdict is what is published of a report.
type verdict struct {
	Verdict   health.Verdict `json:"verdict"`
	Exposed   string         `json:"exposed"` // ON, OFF, or None, which is Home Assistant's word for a state that is not known
	Since     time.Time      `json:"since,omitzero"`
	CheckedAt time.Time      `json:"checked_at,omitzero"`
	Until     time.Time      `json:"until,omitzero"`
	Reasons   []reason       `json:"reasons"`
	Next      string         `json:"next,omitempty"`
}

func verdictOf(r health.Report) verdict {
	v := verdict{
		Verdict: r.Verdict, Since: second(r.Since), CheckedAt: second(r.CheckedAt), Until: second(r.Until),
		Reasons: outward(r.Reasons), Next: r.Next.Text(),
	}
	switch r.Verdict {
	case health.Exposed:
		v.Exposed = "ON"
	case health.Closed:
		v.Exposed = "OFF"
	case health.Unverified:
		v.Exposed = "None"
	}
	return v
}

// second is a time that does not change with every look.
func second(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}

// announcement is what introduces us.
func (a *Alerts) announcement() []mqtt.Message {
	t := a.topics()
	return []mqtt.Message{retained(t.config, a.discovery())}
}

// state is what changes, in an order in which nothing wrong is shown in between: not known goes before the verdict, known comes
// after it.
func (a *Alerts) state(r health.Report) []mqtt.Message {
	t, v := a.topics(), verdictOf(r)
	state := retained(t.state, v)
	if r.Verdict == health.Unverified {
		return []mqtt.Message{word(t.known, offline), state}
	}
	return []mqtt.Message{state, word(t.known, online)}
}

// removal takes the device out of Home Assistant, and everything that is retained from the broker (MQTT 5, section 3.3.1.3: an
// empty message does).
func (a *Alerts) removal() []mqtt.Message {
	t := a.topics()
	return []mqtt.Message{word(t.config, ""), word(t.known, ""), word(t.state, ""), word(t.status, "")}
}

func word(topic, text string) mqtt.Message {
	return mqtt.Message{Topic: topic, Payload: []byte(text), Retain: true}
}

func retained(topic string, v any) mqtt.Message {
	text, err := json.Marshal(v)
	if err != nil {
		text = nil // of our own types: it cannot be
	}
	return mqtt.Message{Topic: topic, Payload: text, Retain: true}
}
