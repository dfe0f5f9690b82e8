package mqtt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	// paho.golang is the Eclipse Foundation's client for MQTT 5, kept by the people of Mosquitto's own project and released
	// about twice a year. Its package paho takes a connection that we made, brings no other module with it, and adds 250 kB
	// to the binary; the older paho.mqtt.golang adds 450 kB, with a WebSocket library and a proxy of its own. Licence: EPL
	// 2.0 or BSD, as one likes. A broker that speaks MQTT 3.1.1 only (Mosquitto before 1.6, of 2019) cannot be used.
	"github.com/eclipse/paho.golang/paho"

	"github.com/hearthgate/hearthgate/internal/secret"
)

const (
	connectPatience = 15 * time.Second // name, TCP, TLS and the broker's word
	packetPatience  = 10 * time.Second // one message and its acknowledgement

	// keepAlive is how often we show that we live. The broker publishes the will after one and a half times that.
	keepAlive = 60 * time.Second

	mostWaiting = 16      // messages to us that wait; beyond that the broker waits
	mostPacket  = 4 << 10 // bytes in one packet to us; a broker drops larger messages (MQTT 5, section 3.1.2.11.4)
)

// Message is what is published.
type Message struct {
	Topic   string
	Payload []byte
	Retain  bool
}

// Config is a connection to be made.
type Config struct {
	Broker    secret.Text // mqtt://[user:password@]host[:port] or mqtts://...; see dial
	ClientID  string
	Will      Message
	Subscribe string                      // a topic; empty for none
	Heard     func(topic, payload string) // called for what comes on it, and must not wait
}

// Session is a connection.
type Session struct {
	client *paho.Client
	ended  chan error // gets why it ended, once
}

// ErrRefused is what a broker's no is: name and password are wrong, or not allowed to do this.
var ErrRefused = errors.New("the MQTT broker refuses the name and password")

// Connect makes a connection.
func Connect(ctx context.Context, c Config) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	b, err := parse(c.Broker)
	if err != nil {
		return nil, err
	}
	conn, err := b.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("reaching the MQTT broker: %w", err)
	}
	s := &Session{ended: make(chan error, 1)}
	s.client = paho.NewClient(paho.ClientConfig{
		ClientID: c.ClientID, Conn: conn, PacketTimeout: packetPatience, AuthHandler: noAuth{},
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			if c.Heard != nil {
				c.Heard(p.Packet.Topic, string(p.Packet.Payload))
			}
			return true, nil
		}},
		OnClientError:      s.end,
		OnServerDisconnect: func(d *paho.Disconnect) { s.end(fmt.Errorf("the MQTT broker hung up (reason %#x)", d.ReasonCode)) },
	})
	if err := s.introduce(ctx, c, b); err != nil {
		_ = conn.Close()
		return nil, err
	}
	if c.Subscribe == "" {
		return s, nil
	}
	_, err = s.client.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: c.Subscribe}}})
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("subscribing at the MQTT broker: %w", err)
	}
	return s, nil
}

func (s *Session) introduce(ctx context.Context, c Config, b broker) error {
	waiting, packet := uint16(mostWaiting), uint32(mostPacket)
	hello := &paho.Connect{
		ClientID: c.ClientID, CleanStart: true, KeepAlive: uint16(keepAlive / time.Second),
		Username: b.user, UsernameFlag: b.user != "", Password: []byte(b.password.Reveal()), PasswordFlag: !b.password.IsZero(),
		Properties: &paho.ConnectProperties{ReceiveMaximum: &waiting, MaximumPacketSize: &packet, RequestProblemInfo: true},
	}
	if c.Will.Topic != "" {
		hello.WillMessage = &paho.WillMessage{Topic: c.Will.Topic, Payload: c.Will.Payload, Retain: c.Will.Retain, QoS: 1}
	}
	ack, err := s.client.Connect(ctx, hello)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the MQTT broker hung up, or does not speak MQTT 5")
	case ack == nil:
		return fmt.Errorf("talking to the MQTT broker: %w", err)
	}
	// MQTT 5, section 3.2.2.2. A broker that only speaks 3.1.1 says 0x01 in the words of that version.
	switch ack.ReasonCode {
	case 0x86, 0x87, 0x8c:
		return ErrRefused
	case 0x01, 0x84:
		return errors.New("the MQTT broker does not speak MQTT 5")
	default:
		return fmt.Errorf("the MQTT broker says no (reason %#x)", ack.ReasonCode)
	}
}

// end is called by paho, perhaps more than once.
func (s *Session) end(err error) {
	select {
	case s.ended <- err:
	default:
	}
}

// Ended gets the reason when the connection has ended, unless by Close.
func (s *Session) Ended() <-chan error { return s.ended }

// Publish sends a message and waits until the broker has acknowledged it.
func (s *Session) Publish(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, packetPatience)
	defer cancel()
	answer, err := s.client.Publish(ctx, &paho.Publish{Topic: m.Topic, Payload: m.Payload, Retain: m.Retain, QoS: 1})
	switch {
	case answer != nil && answer.ReasonCode == 0x87:
		return ErrRefused
	case err != nil:
		return fmt.Errorf("publishing at the MQTT broker: %w", err)
	}
	return nil
}

// Close says goodbye, so that the will is not published, and returns when nothing of the session runs any more.
func (s *Session) Close() {
	_ = s.client.Disconnect(&paho.Disconnect{})
	<-s.client.Done()
}

// noAuth is there because paho calls it, whoever it is, when a broker claims that we asked for an enhanced sign-in.
type noAuth struct{}

// Authenticate says nothing.
func (noAuth) Authenticate(*paho.Auth) *paho.Auth { return &paho.Auth{} }

// Authenticated is of no interest.
func (noAuth) Authenticated() {}
