package homeassistant

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Use pins what the owner names: one of the candidates, or any address in the forms that ParseAddress reads. It must
// pass for Home Assistant at this moment; where it does not, the error says so, and nothing was changed.
func (f *Finder) Use(ctx context.Context, address string) error {
	if f.told != nil && f.name == "" {
		return errors.New("confirming where Home Assistant is: --home-assistant says it already; change it there")
	}
	targets, err := ParseAddress(address)
	if err != nil {
		return err
	}
	addrs, err := f.senses.resolve(ctx, targets[0].Host)
	if err != nil {
		return fmt.Errorf("confirming where Home Assistant is: %w; nothing was changed", err)
	}
	if !f.take(ctx) {
		return ctx.Err()
	}
	defer f.give()

	why := "it has no address"
	for _, addr := range addrs[:min(len(addrs), mostAddrs)] {
		for _, t := range targets {
			t = t.at(addr)
			s := f.senses.look(ctx, t)
			if s.answer == itself {
				return f.use(ctx, t)
			}
			why = t.URL() + ": " + s.detail
		}
	}
	return fmt.Errorf("confirming where Home Assistant is: %q does not look like Home Assistant (%s); nothing was changed", address, why)
}

func (f *Finder) use(ctx context.Context, t Target) error {
	old, _, err := readPin(f.store, f.name)
	if err != nil {
		return err
	}
	s := spot{target: t, machine: f.senses.machine(t.IP()), source: FromOwner}
	f.warned = nil // it may be another one
	if err := f.adopt(ctx, pinned(s, FromOwner, time.Now()).confirmed(old)); err != nil {
		return fmt.Errorf("confirming where Home Assistant is: %w", err)
	}
	return nil
}
