package vantage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/internal/gateway"
)

// This file is what the page shows of the router's table, and the deleting of a row that the household asked for.

// FoundMapping is a row of the router's table, for the page.
type FoundMapping struct {
	ID          string        `json:"id"`
	Protocol    string        `json:"protocol"`
	External    string        `json:"external"`
	Internal    string        `json:"internal"`
	Remote      string        `json:"remote,omitempty"`
	Description string        `json:"description,omitempty"`
	Enabled     bool          `json:"enabled"`
	Lease       time.Duration `json:"-"`    // that was left; 0: without end, or unknown
	Home        bool          `json:"home"` // it leads to Home Assistant
}

// Mappings are those of the last whole look.
func (r *Router) Mappings() []FoundMapping {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]FoundMapping, 0, len(r.picture.Mappings))
	for _, m := range r.picture.Mappings {
		f := FoundMapping{
			ID: m.ID(), Protocol: m.Protocol, External: portText(m), Internal: target(m), Remote: m.Remote,
			Description: m.Description, Enabled: m.Enabled, Lease: m.Lease,
		}
		f.Home = m.Protocol == "TCP" && slices.ContainsFunc(r.home, func(a netip.Addr) bool {
			_, ok := m.Leads(a, r.port)
			return ok
		})
		out = append(out, f)
	}
	return out
}

var (
	// ErrNoMapping says that no mapping has that id, or not any more.
	ErrNoMapping = errors.New("the router has no such mapping any more")

	// ErrMappingStays says that the router agreed to delete a mapping and has it still.
	ErrMappingStays = errors.New("the router still shows the mapping; it may have to be removed on the router's own page")
)

// Delete has the router delete one of Mappings, and asks afterwards whether it is gone.
func (r *Router) Delete(ctx context.Context, id string) error {
	r.mu.Lock()
	i := slices.IndexFunc(r.picture.Mappings, func(m gateway.Mapping) bool { return m.ID() == id })
	if i < 0 {
		r.mu.Unlock()
		return ErrNoMapping
	}
	m := r.picture.Mappings[i]
	r.mu.Unlock()

	err := r.cfg.Table.Delete(ctx, m)
	if err != nil && !errors.Is(err, gateway.ErrGone) {
		return err
	}
	gone := errors.Is(err, gateway.ErrGone)
	after, err := r.cfg.Table.Look(ctx)
	if err != nil {
		return fmt.Errorf("asking the router whether the mapping is gone: %w", err)
	}
	if !after.Table {
		return fmt.Errorf("asking the router whether the mapping is gone: %w", gateway.ErrNotSpoken)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.picture = after
	switch {
	case slices.ContainsFunc(after.Mappings, func(n gateway.Mapping) bool { return n.ID() == id }):
		return ErrMappingStays
	case gone:
		return ErrNoMapping
	default:
		return nil
	}
}
