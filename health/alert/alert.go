package alert

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// Reports says what the verdict is. health.Loop does.
type Reports interface {
	Report() health.Report // one whose JudgedAt is zero says nothing yet
	Watch() (<-chan struct{}, func())
}

// Settings says which channels there are. health.Settings does.
type Settings interface {
	Get() (health.Setup, error)
	Changed() <-chan struct{} // closed at the next change
}

// Home is Home Assistant, which has notifications. homeassistant.Talker does.
type Home interface {
	Notify(ctx context.Context, id, title, message string) error
	Dismiss(ctx context.Context, id string) error
}

// Config is what Alerts are made of. All fields but the last two are required.
type Config struct {
	Reports  Reports
	Settings Settings
	Home     Home
	Store    *store.Store
	Journal  *journal.Journal
	Now      func() time.Time
	Log      *slog.Logger

	Instance string // of letters, digits, - and _; tells this appliance from others at one broker; "home" when empty
	Name     string // of the home, for people; may be empty
	Version  string // of Hearthgate
}

// Channel is a way to people.
type Channel string

// The channels.
const (
	Webhook       Channel = "webhook"
	HomeAssistant Channel = "home_assistant"
	MQTT          Channel = "mqtt"

	reminders Channel = "journal"
)

// ChannelStatus is how a channel does that is set up.
type ChannelStatus struct {
	Channel Channel   `json:"channel"`
	Told    time.Time `json:"told,omitzero"`     // when something last got through
	Problem string    `json:"problem,omitempty"` // in English; empty: none that is known of
	Since   time.Time `json:"since,omitzero"`    // of the problem
}

// Alerts tells people.
type Alerts struct {
	cfg Config

	mu     sync.Mutex
	status map[Channel]ChannelStatus // of those that are set up
}

// New starts nothing.
func New(c Config) *Alerts {
	c.Instance = strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", r) {
			return r
		}
		return '_' // others mean something in topics
	}, cmp.Or(c.Instance, "home"))
	return &Alerts{cfg: c, status: map[Channel]ChannelStatus{}}
}

// Run tells, until ctx ends.
func (a *Alerts) Run(ctx context.Context) error {
	var channels sync.WaitGroup
	var wakes []chan struct{}
	start := func(run func(context.Context, <-chan struct{})) {
		wake := make(chan struct{}, 1)
		wakes = append(wakes, wake)
		channels.Go(func() { run(ctx, wake) })
	}
	start(a.teller(reminders, a.reminder))
	start(a.teller(Webhook, a.webhook))
	start(a.teller(HomeAssistant, a.notification))
	start(a.entities)
	a.watch(ctx, wakes)
	channels.Wait()
	return nil
}

// watch wakes every channel whenever the report or the setup changes.
func (a *Alerts) watch(ctx context.Context, wakes []chan struct{}) {
	reports, stop := a.cfg.Reports.Watch()
	defer stop()
	for {
		setup := a.cfg.Settings.Changed()
		for _, wake := range wakes {
			select {
			case wake <- struct{}{}:
			default: // it has one waiting
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-reports:
		case <-setup:
		}
	}
}
