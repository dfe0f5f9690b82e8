package mqtt_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab/mosquitto"
	"github.com/hearthgate/hearthgate/internal/mqtt"
	"github.com/hearthgate/hearthgate/internal/secret"
)

// heard is a session that listens to everything.
func heard(t *testing.T, broker string) <-chan [2]string {
	t.Helper()
	messages := make(chan [2]string, 64)
	s, err := mqtt.Connect(t.Context(), mqtt.Config{
		Broker: secret.Of(broker), ClientID: "listener", Subscribe: "#",
		Heard: func(topic, payload string) { messages <- [2]string{topic, payload} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return messages
}

func next(t *testing.T, messages <-chan [2]string) [2]string {
	t.Helper()
	select {
	case m := <-messages:
		return m
	case <-time.After(20 * time.Second):
		t.Fatal("no message came")
		return [2]string{}
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	b := mosquitto.Start(t, mosquitto.Options{})
	s, err := mqtt.Connect(t.Context(), mqtt.Config{
		Broker: secret.Of(b.URL), ClientID: "publisher", Will: mqtt.Message{Topic: "status", Payload: []byte("offline"), Retain: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), mqtt.Message{Topic: "kept", Payload: []byte("1"), Retain: true}); err != nil {
		t.Fatal(err)
	}
	messages := heard(t, b.URL)
	if m := next(t, messages); m != [2]string{"kept", "1"} {
		t.Errorf("heard %q, want what was retained", m)
	}
	s.Close()
	s, err = mqtt.Connect(t.Context(), mqtt.Config{
		Broker: secret.Of(b.URL), ClientID: "publisher", Will: mqtt.Message{Topic: "status", Payload: []byte("offline"), Retain: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	// The same client again takes the first one's place; the broker hangs up on that, and says its will.
	other, err := mqtt.Connect(t.Context(), mqtt.Config{Broker: secret.Of(b.URL), ClientID: "publisher"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	if m := next(t, messages); m != [2]string{"status", "offline"} {
		t.Errorf("heard %q, want the will, and none for the session that was closed", m)
	}
	select {
	case err := <-s.Ended():
		t.Log(err)
	case <-time.After(20 * time.Second):
		t.Error("the session does not know that it has ended")
	}
	if err := s.Publish(t.Context(), mqtt.Message{Topic: "kept"}); err == nil {
		t.Error("something was published over a connection that has ended")
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	b := mosquitto.Start(t, mosquitto.Options{User: "anna", Password: "geheim@1"})
	for url, want := range map[string]error{
		"mqtt://anna:geheim%401@" + b.Address: nil,
		"mqtt://anna:falsch@" + b.Address:     mqtt.ErrRefused,
		"mqtt://" + b.Address:                 mqtt.ErrRefused,
	} {
		s, err := mqtt.Connect(t.Context(), mqtt.Config{Broker: secret.Of(url), ClientID: "c"})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", url, err, want)
		}
		if s != nil {
			s.Close()
		}
	}
}

// TestCertificates: a broker whose certificate nobody has signed gets no password.
func TestCertificates(t *testing.T) {
	t.Parallel()
	b := mosquitto.Start(t, mosquitto.Options{TLS: true})
	_, err := mqtt.Connect(t.Context(), mqtt.Config{Broker: secret.Of("mqtts://anna:geheim@" + b.Address), ClientID: "c"})
	if err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("%v, want one about the certificate", err)
	}
}

// TestHostileBrokers: whatever answers, Connect ends with an error, and nothing keeps running.
func TestHostileBrokers(t *testing.T) {
	t.Parallel()
	write := func(b ...byte) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = c.Read(make([]byte, 512))
			_, _ = c.Write(b)
			_, _ = io.Copy(io.Discard, c)
		}
	}
	for name, serve := range map[string]func(net.Conn){
		"hanging up":     func(c net.Conn) { _ = c.Close() },
		"HTTP":           write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")...),
		"3.1.1 only":     write(0x20, 2, 0, 1),
		"a large packet": write(0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3),
		"an endless one": func(c net.Conn) {
			_, _ = c.Write([]byte{0x30, 0xff, 0xff, 0xff, 0x7f})
			for chunk := make([]byte, 64<<10); ; {
				if _, err := c.Write(chunk); err != nil {
					return
				}
			}
		},
		"a strange sign-in": write(0x20, 9, 0, 0, 6, 0x15, 0, 3, 'a', 'b', 'c'),
		"silence":           func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						serve(c)
					}()
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			s, err := mqtt.Connect(ctx, mqtt.Config{Broker: secret.Of("mqtt://" + l.Addr().String()), ClientID: "c", Subscribe: "x"})
			if err == nil {
				s.Close()
				t.Fatal("it connected")
			}
			t.Log(err)
		})
	}
}

func TestAddresses(t *testing.T) {
	for _, url := range []string{"", "http://geheim@x", "mqtt://", "mqtt://:geheim", "geheim", "mqtt://geheim%zz"} {
		_, err := mqtt.Connect(t.Context(), mqtt.Config{Broker: secret.Of(url)})
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
