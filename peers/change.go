package peers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// Rename gives a peer another name. Its own name in another spelling is fine.
func (r *Registry) Rename(id, name string) (Peer, error) {
	return r.change("renaming", id, func(t *transaction, p *peerRecord) (journal.Event, error) {
		name, err := cleanName(name)
		if err != nil || name == p.Name {
			return journal.Event{}, err
		}
		if err := t.checkNameFree(name, id); err != nil {
			return journal.Event{}, err
		}
		old := p.Name
		p.Name = name
		return changed("name", old, name, "%s is now called %s", shown(old), shown(name)), nil
	})
}

// SetDisabled shuts a peer out, or lets it in again. Enabling does not bring back
// what a date has ended: that is ErrExpired, with what to do.
func (r *Registry) SetDisabled(id string, disabled bool) (Peer, error) {
	doing, done := "enabling", "%s may come in again"
	if disabled {
		doing, done = "disabling", "%s is shut out until it is enabled again"
	}
	return r.change(doing, id, func(t *transaction, p *peerRecord) (journal.Event, error) {
		if !disabled && p.endsBy(t.now) {
			return journal.Event{}, fmt.Errorf("%w on %s; give it a new date first: hearthgate peer expire %s 7d",
				ErrExpired, p.ExpiresAt.UTC().Format(time.RFC3339), shown(p.Name))
		}
		if p.Disabled == disabled {
			return journal.Event{}, nil
		}
		p.Disabled = disabled
		return changed("disabled", fmt.Sprint(!disabled), fmt.Sprint(disabled), done, shown(p.Name)), nil
	})
}

// SetExpiry sets when access ends; zero is never. A new date brings an expired
// peer back, unless it is disabled, too.
func (r *Registry) SetExpiry(id string, at time.Time) (Peer, error) {
	return r.change("setting the expiry of", id, func(t *transaction, p *peerRecord) (journal.Event, error) {
		if err := checkExpiry(at, t.now); err != nil {
			return journal.Event{}, err
		}
		at := kept(at)
		if at.Equal(p.ExpiresAt) && !p.Expired {
			return journal.Event{}, nil
		}
		old := p.ExpiresAt
		p.ExpiresAt, p.Expired = at, false
		if at.IsZero() {
			return changed("expires_at", expiryText(old), expiryText(at), "access of %s has no end", shown(p.Name)), nil
		}
		return changed("expires_at", expiryText(old), expiryText(at), "access of %s ends on %s", shown(p.Name), expiryText(at)), nil
	})
}

// SetServices sets what a peer may reach, by the services' names; none is allowed.
func (r *Registry) SetServices(id string, services []string) (Peer, error) {
	return r.change("setting the services of", id, func(t *transaction, p *peerRecord) (journal.Event, error) {
		services, err := t.cleanServices(services)
		if err != nil || slices.Equal(services, p.Services) {
			return journal.Event{}, err
		}
		old := p.Services
		p.Services = services
		return servicesChanged(p.Name, old, services), nil
	})
}

// Remove forgets a peer. Its addresses rest for a day.
func (r *Registry) Remove(id string) error {
	return r.update(func(t *transaction) error {
		p, err := getPeer(t.tx, id)
		if err != nil {
			return fmt.Errorf("removing peer %s: %w", quote(id), err)
		}
		for _, pair := range p.pairs() {
			if err := t.rest(pair.Index); err != nil {
				return err
			}
		}
		if err := deletePeer(t.tx, id); err != nil {
			return err
		}
		t.tx.OnCommit(r.notify)
		return t.record(id, p, journal.Event{Type: journal.PeerRemoved, Message: shown(p.Name) + " was removed"})
	})
}

// ForgetService gives the part of a service's removal that is ours: it takes the
// name off every peer's list, in the caller's transaction.
func (r *Registry) ForgetService(name string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		tx.OnCommit(r.notify)
		t := &transaction{tx: tx, journal: r.journal}
		return eachPeer(tx, func(id string, p *peerRecord) error {
			if !slices.Contains(p.Services, name) {
				return nil
			}
			old := p.Services
			p.Services = slices.DeleteFunc(slices.Clone(old), func(s string) bool { return s == name })
			if err := t.put(id, p, servicesChanged(p.Name, old, p.Services)); err != nil {
				return fmt.Errorf("taking service %s off peer %s: %w", quote(name), shown(p.Name), err)
			}
			return nil
		})
	}
}

// checkNameFree refuses a name that another peer than id has.
func (t *transaction) checkNameFree(name, id string) error {
	holder, p, err := findPeer(t.each, name)
	if err != nil || p == nil || holder == id {
		return err
	}
	if p.Name == name {
		return ErrNameTaken
	}
	return fmt.Errorf("%w: another peer is called %s", ErrNameTaken, shown(p.Name))
}

// cleanServices gives the list without repetitions, in the order given. Each name
// must be that of a service.
func (t *transaction) cleanServices(services []string) ([]string, error) {
	clean, err := distinctServices(services)
	if err != nil || t.known == nil {
		return clean, err
	}
	for _, s := range clean {
		ok, err := t.known(t.tx, s)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, invalidf("there is no service %s: expected one that `hearthgate service list` shows", quote(s))
		}
	}
	return clean, nil
}

func distinctServices(services []string) ([]string, error) {
	clean := []string{}
	for _, s := range services {
		if s == "" || len(s) > MaxName || strings.ContainsFunc(s, func(r rune) bool { return r == ' ' || !isVisible(r) }) {
			return nil, invalidf("service %s is not a service's name: expected 1 to %d visible characters without spaces", quote(s), MaxName)
		}
		if !slices.Contains(clean, s) {
			clean = append(clean, s)
		}
	}
	return clean, nil
}

func servicesChanged(name string, old, services []string) journal.Event {
	if len(services) == 0 {
		return changed("services", strings.Join(old, " "), "", "%s can reach nothing now", shown(name))
	}
	return changed("services", strings.Join(old, " "), strings.Join(services, " "),
		"%s can reach: %s", shown(name), strings.Join(services, ", "))
}

// changed is the event of one property's change.
func changed(property, from, to, format string, args ...any) journal.Event {
	return journal.Event{
		Type:    journal.PeerChanged,
		Message: fmt.Sprintf(format, args...),
		Data:    map[string]string{"change": property, "from": from, "to": to},
	}
}

// expiryText is a date as ParseExpiry reads it.
func expiryText(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}

// kept is a time as it comes back from the store.
func kept(at time.Time) time.Time { return at.UTC().Round(0) }
