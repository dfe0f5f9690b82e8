package health

import (
	"errors"
	"strings"
	"testing"
)

// TestAPasswordThatIsNotEscapedIsNoHost: or else a part of it would be asked of a name server, and shown as the broker's name.
func TestAPasswordThatIsNotEscapedIsNoHost(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"mqtt://anna:12/34@broker", "mqtts://anna:12?34@broker", "mqtt://anna:12#34@broker"} {
		err := SetupChange{MQTT: &text}.check()
		if !errors.As(err, new(ErrInvalid)) || strings.Contains(err.Error(), "anna") || strings.Contains(err.Error(), "12") {
			t.Errorf("%s: %v", text, err)
		}
	}
	hook := "https://anna:12#34@host/path"
	if err := (SetupChange{Webhook: &hook}).check(); !errors.As(err, new(ErrInvalid)) {
		t.Errorf("%s: %v", hook, err)
	}
	for _, text := range []string{"mqtt://anna:12%2F34@broker:1883", "mqtts://broker/"} {
		if err := (SetupChange{MQTT: &text}).check(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	hook = "https://hooks.example.org/a/b?c=d"
	if err := (SetupChange{Webhook: &hook}).check(); err != nil {
		t.Errorf("%s: %v", hook, err)
	}
}
