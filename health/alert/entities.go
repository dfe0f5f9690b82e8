package alert

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hearthgate/hearthgate/internal/mqtt"
	"github.com/hearthgate/hearthgate/internal/secret"
)

// This file keeps the MQTT entities true: not news, but what is, again and again.

const (
	homeStatus = "homeassistant/status" // Home Assistant says online there when it starts

	// homeSettles bounds the random pause after that: everybody at the broker answers it.
	homeSettles = 5 * time.Second

	// A broker that is away is asked again after soonest, then after twice as long, up to mqttLatest. One that refuses the
	// password is asked seldom: the broker of Home Assistant OS asks Home Assistant, which counts.
	mqttLatest  = 5 * time.Minute
	mqttRefused = 30 * time.Minute
)

// entities is the goroutine of the MQTT channel.
func (a *Alerts) entities(ctx context.Context, wake <-chan struct{}) {
	pause := soonest
	for ctx.Err() == nil {
		broker := a.broker()
		a.setUp(MQTT, !broker.IsZero())
		var err error
		if !broker.IsZero() {
			began := time.Now()
			if err = a.session(ctx, wake, broker); err == nil || time.Since(began) > mqttLatest {
				pause = soonest
			}
		}
		if err == nil && a.broker() != broker {
			continue // another one, at once
		}
		var again <-chan time.Time
		if err != nil && ctx.Err() == nil {
			a.fails(MQTT, err)
			wait := pause
			if pause = min(2*pause, mqttLatest); errors.Is(err, mqtt.ErrRefused) {
				wait = mqttRefused
			}
			again = time.After(wait)
		}
		a.idle(ctx, wake, again, broker)
	}
}

// idle waits: for a time, or until the broker is another one.
func (a *Alerts) idle(ctx context.Context, wake <-chan struct{}, again <-chan time.Time, broker secret.Text) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
			return
		case <-wake:
			if a.broker() != broker {
				return
			}
		}
	}
}

func (a *Alerts) broker() secret.Text {
	setup, err := a.cfg.Settings.Get()
	if err != nil {
		a.fails(MQTT, err)
		return secret.Text{}
	}
	return setup.MQTT
}

// session publishes over one connection, until ctx ends, the broker is another one (then nil), or it breaks.
func (a *Alerts) session(ctx context.Context, wake <-chan struct{}, broker secret.Text) error {
	greeted := make(chan struct{}, 1)
	t := a.topics()
	s, err := mqtt.Connect(ctx, mqtt.Config{
		Broker: broker, ClientID: "hearthgate_" + a.cfg.Instance, Will: word(t.status, offline), Subscribe: homeStatus,
		Heard: func(topic, payload string) {
			if topic == homeStatus && payload == online {
				select {
				case greeted <- struct{}{}:
				default:
				}
			}
		},
	})
	if err != nil {
		return err
	}
	defer s.Close()
	p := &publisher{Alerts: a, session: s, last: map[string][]byte{}}
	for {
		if err := p.everything(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		a.works(MQTT)
		if done, err := p.wait(ctx, wake, greeted, broker); done {
			return err
		}
	}
}

// A publisher publishes what has changed.
type publisher struct {
	*Alerts
	session *mqtt.Session
	last    map[string][]byte // by topic
}

func (p *publisher) everything(ctx context.Context) error {
	messages := p.announcement()
	report := p.cfg.Reports.Report()
	messages = append(messages, p.state(report)...)
	return p.publish(ctx, append(messages, word(p.topics().status, online)))
}

func (p *publisher) publish(ctx context.Context, messages []mqtt.Message) error {
	for _, m := range messages {
		if last, ok := p.last[m.Topic]; ok && bytes.Equal(last, m.Payload) {
			continue
		}
		if err := p.session.Publish(ctx, m); err != nil {
			return err
		}
		p.last[m.Topic] = m.Payload
	}
	return nil
}

// wait returns when there may be something new to publish, or done when the session is over.
func (p *publisher) wait(ctx context.Context, wake, greeted <-chan struct{}, broker secret.Text) (done bool, err error) {
	select {
	case <-ctx.Done():
		p.goodbye(ctx, []mqtt.Message{word(p.topics().status, offline)})
		return true, nil
	case err := <-p.session.Ended():
		return true, err
	case <-greeted:
		clear(p.last)
		select {
		case <-time.After(rand.N(homeSettles)): //nolint:gosec // to be apart from others, not to be unguessable
		case <-ctx.Done():
		}
		return false, nil
	case <-wake:
	}
	if p.broker() != broker {
		p.goodbye(ctx, p.removal())
		return true, nil
	}
	return false, nil
}

// goodbye says last words. It does not wait long: the product has 3 s to end.
func (p *publisher) goodbye(ctx context.Context, messages []mqtt.Message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	clear(p.last)
	if err := p.publish(ctx, messages); err != nil {
		p.cfg.Log.Debug("last words not published", "error", err)
	}
}
