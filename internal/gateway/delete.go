package gateway

import (
	"context"
	"errors"
	"fmt"
)

// Delete takes a row out of the table. It asks first whether the row is still the same, so that nothing else goes.
func (g *Gateway) Delete(ctx context.Context, m Mapping) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.locate(); err != nil {
		return err
	}
	var p Picture
	g.find(ctx, &p)
	err := ErrNotSpoken
	for _, d := range g.devices {
		for _, s := range d.services {
			if s.connection() && (s.kind == m.Service || m.Service == "") {
				if err = g.deleteAt(ctx, s, m); err == nil {
					return nil
				}
			}
		}
	}
	if codeOf(err) < 0 {
		g.forget()
	}
	return fmt.Errorf("deleting the mapping of %s port %d: %w", m.Protocol, m.External, err)
}

func (g *Gateway) deleteAt(ctx context.Context, s service, m Mapping) error {
	now, err := g.entry(ctx, s, m)
	switch {
	case codeOf(err) == faultNoEntry:
		return ErrGone
	case err != nil: // what stands there now is not known
		return err
	case now.Client != m.Client || now.Port != m.Port:
		return fmt.Errorf("%w: it leads to %s by now", ErrGone, now.Client)
	}
	if err = g.remove(ctx, s, m); errors.Is(err, ErrGone) && m.remote != m.Remote {
		m.Remote = m.remote
		err = g.remove(ctx, s, m)
	}
	return err
}

func (g *Gateway) remove(ctx context.Context, s service, m Mapping) error {
	_, err := g.call(ctx, s, "DeletePortMapping",
		argument{"NewRemoteHost", m.Remote}, argument{"NewExternalPort", decimal(m.External)}, argument{"NewProtocol", m.Protocol})
	if codeOf(err) == faultNoEntry {
		return ErrGone
	}
	return err
}
