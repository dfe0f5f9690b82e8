package homeassistant

import (
	"fmt"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// This file turns what a look came to into the state that others see, the pin on the disk and the events.

// of fills in where it is, or was.
func (s State) of(t Target, source Source) State {
	s.Target, s.Addr, s.Source = t.URL(), t.Addr(), source
	return s
}

// found fills in the sentence of a find.
func (s State) found() State {
	name := "Home Assistant"
	if s.Version != "" {
		name += " " + s.Version
	}
	s.Reason = fmt.Sprintf("%s answers at %s%s", name, s.Target, map[Source]string{
		FromFlag:     ", where --home-assistant says",
		FromLoopback: ", on this machine",
		FromMDNS:     ", as it announced by mDNS",
		FromOwner:    ", as its owner confirmed",
	}[s.Source])
	return s
}

// publish makes next the state. dial is an address that the gate may try although the phase is not Found.
func (f *Finder) publish(next State, dial string) {
	_ = f.apply(next, dial, nil) // an event that could not be written is in the log
}

// commit is publish for a find. A new pin is on the disk before anybody learns of it; an error means that it could not be
// written, and that nothing was published but the reason.
func (f *Finder) commit(next State, found find) error {
	if !found.write {
		found.pin = nil
	}
	return f.apply(next, next.Addr, found.pin)
}

func (f *Finder) apply(next State, dial string, p *pin) error {
	was := f.State()
	next.Since = was.Since
	if next.Phase != was.Phase || next.Addr != was.Addr {
		next.Since = time.Now().UTC()
	}
	happened := f.events(was, next)
	if err := f.write(p, happened); err != nil {
		f.log.Error("find not written", "error", err)
		if p != nil {
			f.mu.Lock()
			f.state.Reason = "Home Assistant answers at " + next.Target + ", but that could not be written to the state directory; see the log"
			f.mu.Unlock()
			return err
		}
	}
	if next.Phase == Found {
		f.warned = next.Warnings
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state, f.dial = next, dial
	return nil
}

// write puts the pin and what happened on the disk together, or does nothing when there is neither.
func (f *Finder) write(p *pin, happened []journal.Event) error {
	if p == nil && len(happened) == 0 {
		return nil
	}
	return f.store.Update(func(tx *store.Tx) error {
		if p != nil {
			if err := store.Put(tx, bucket, key(f.name), *p); err != nil {
				return err
			}
		}
		for _, e := range happened {
			if err := f.journal.RecordTx(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// events says what happened between two states. Staying as it is is no event, and neither is what was never there.
func (f *Finder) events(was, next State) []journal.Event {
	var all []journal.Event
	add := func(kind journal.Type, message string, data map[string]string) {
		all = append(all, journal.Event{Type: kind, Message: message, Data: data})
	}
	where := map[string]string{"target": next.Target, "address": next.Addr}
	switch next.Phase {
	case Found:
		switch {
		case was.Addr != "" && was.Addr != next.Addr:
			add(journal.HomeAssistantMoved, fmt.Sprintf("Home Assistant moved from %s to %s", was.Target, next.Target),
				map[string]string{"target": next.Target, "address": next.Addr, "from": was.Addr})
		case was.Phase != Found:
			add(journal.HomeAssistantFound, next.Reason, where)
		}
		for _, w := range fresh(f.warned, next.Warnings) {
			add(journal.HomeAssistantWarning, w.Text, map[string]string{"code": w.Code, "target": next.Target})
		}
	case Lost:
		if was.Phase == Found {
			add(journal.HomeAssistantLost, next.Reason, where)
		}
	case Choose, Changed:
		if was.Phase != next.Phase {
			add(journal.HomeAssistantChoose, next.Reason, nil)
		}
	case Searching:
	}
	return all
}

// copied is a state that its reader may keep.
func (s State) copied() State {
	s.Warnings = append([]Warning{}, s.Warnings...) // never nil: in JSON it is a list
	s.Candidates = append([]Candidate{}, s.Candidates...)
	return s
}
