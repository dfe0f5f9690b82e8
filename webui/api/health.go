package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/journal"
)

// Health is the room that knows whether Home Assistant can be reached from the internet.
type Health struct {
	Loop     Loop
	Settings HealthSettings
	Router   Router         // nil: no router is asked
	Alerts   func() []Alert // nil: nobody is told
}

// Loop is who asks the vantages; health.Loop is one.
type Loop interface {
	Report() health.Report
	Check()
	Progress() health.Progress
	Seen() []health.Observation
	History(before uint64, limit int) ([]health.Entry, error)
	Watch() (<-chan struct{}, func())
}

// HealthSettings are who looks and who is told; health.Settings are.
type HealthSettings interface {
	Get() (health.Setup, error)
	Set(health.SetupChange) error
	AddWitness(invite string) (name string, err error)
	RemoveWitness(name string) error
}

// Router is the household's router, as far as it can be asked.
type Router interface {
	// Mappings are those that were found last, in a fixed order. It does not wait for the router.
	Mappings() []Mapping
	// Delete has the router delete one of them and asks it what it has now, so that Mappings tells what is left: one that the
	// router promised to delete and has still is there, and no error. An error is that the router refused or did not answer;
	// ErrNotFound that it has no such mapping.
	Delete(ctx context.Context, id string) error
}

// Mapping is a way in that the router has opened: a port that it passes on, or an opening of its IPv6 firewall.
type Mapping struct {
	ID            string    `json:"id"`
	Protocol      string    `json:"protocol"`         // tcp or udp
	External      string    `json:"external"`         // port or range on the internet's side
	Internal      string    `json:"internal"`         // host:port that it leads to
	Remote        string    `json:"remote,omitempty"` // the only address that may use it; empty: any
	Description   string    `json:"description"`      // whatever its maker wrote
	HomeAssistant bool      `json:"home_assistant"`   // it leads to Home Assistant
	Ours          bool      `json:"ours"`             // Hearthgate made it
	Enabled       bool      `json:"enabled"`          // false: the router keeps it and does not use it
	ExpiresAt     time.Time `json:"expires_at,omitzero"`
}

// Alert is how telling somebody went last.
type Alert struct {
	Name  string    `json:"name"` // webhook, mqtt or home_assistant
	OK    bool      `json:"ok"`
	At    time.Time `json:"at,omitzero"`
	Error string    `json:"error,omitempty"` // a sentence without secrets
}

// DeletedMapping is what was seen after a deletion.
type DeletedMapping struct {
	Mapping  Mapping   `json:"mapping"`  // that was to be deleted
	Gone     bool      `json:"gone"`     // the router does not have it any more
	Mappings []Mapping `json:"mappings"` // that it has now
}

// Mappings are what the router is known to pass on.
func (h *Health) Mappings() []Mapping {
	if h == nil || h.Router == nil {
		return []Mapping{}
	}
	return append([]Mapping{}, h.Router.Mappings()...)
}

// Mapping is one of them.
func (h *Health) Mapping(id string) (Mapping, bool) {
	for _, m := range h.Mappings() {
		if m.ID == id && id != "" {
			return m, true
		}
	}
	return Mapping{}, false
}

// errNoMapping is what a mapping is that the router does not have.
var errNoMapping = refuse(ErrNotFound, "the router has no such mapping")

// DeleteMapping has the router delete a mapping, writes that down, and says what is there afterwards. Then it asks for a look
// from outside, because only that shows what became of it.
func (h *Health) DeleteMapping(ctx context.Context, j *journal.Journal, id string) (DeletedMapping, error) {
	m, ok := h.Mapping(id)
	if !ok {
		return DeletedMapping{}, errNoMapping
	}
	if err := h.Router.Delete(ctx, id); errors.Is(err, ErrNotFound) {
		return DeletedMapping{}, errNoMapping
	} else if err != nil {
		return DeletedMapping{}, Refusal(ErrConflict, fmt.Errorf("asking the router to delete the mapping of port %s: %w", m.External, err))
	}
	_, still := h.Mapping(id)
	out := DeletedMapping{Mapping: m, Gone: !still, Mappings: h.Mappings()}
	words := fmt.Sprintf("the router was asked to delete its mapping of port %s to %s, and has it no more", m.External, m.Internal)
	if still {
		words = fmt.Sprintf("the router was asked to delete its mapping of port %s to %s, and still has it", m.External, m.Internal)
	}
	gone := "true"
	if still {
		gone = "false"
	}
	err := j.Record(journal.Event{Type: journal.MappingDeleted, Message: words, Data: map[string]string{
		"external": m.External, "internal": m.Internal, "protocol": m.Protocol, "gone": gone,
	}})
	h.Loop.Check()
	return out, err
}
