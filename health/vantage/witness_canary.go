package vantage

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/health/witness"
)

// Only so many canaries are out at a time, and each for two minutes; whoever comes later waits for a moment.
const (
	canaryWait  = 2 * time.Second
	canaryWaits = 30
)

// openCanary opens a port for all witnesses that look over one family; nil: none is wanted, or none can be.
func (w *Witness) openCanary(ctx context.Context, r health.Round, family health.Family) *OpenCanary {
	if !r.Facts.Canary || w.cfg.Canary == nil {
		return nil
	}
	for range canaryWaits {
		o, err := w.cfg.Canary.Open(ctx, family)
		switch {
		case err == nil:
			return o
		case !errors.Is(err, ErrCanaryBusy):
			w.cfg.Log.InfoContext(ctx, "no port could be opened for the witness", "family", family, "err", err)
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(canaryWait):
		}
	}
	return nil
}

// canaryFor is the canary's port, if it can be seen at the address at which a plan is asked. In IPv6 it listens at one of our
// addresses, and the question comes from that one then.
func (l *witnessLook) canaryFor(p witnessPlan, first bool) (port uint16, from netip.Addr) {
	if l.canary == nil || !first || l.canary.Port < 49152 {
		return 0, p.from
	}
	if l.family == health.IPv4 {
		return l.canary.Port, p.from
	}
	if !near(l.canary.Address, p.from, 64) {
		return 0, p.from
	}
	return l.canary.Port, l.canary.Address
}

// sawCanary tells whether the witness saw the canary, and whether it really came by. One that may stand behind a firewall and was not
// seen says nothing.
func (l *witnessLook) sawCanary(port uint16, a witness.Answer, by netip.Addr) health.Control {
	switch {
	case port == 0 || a.Canary.Port != port:
		return health.NotTried
	case a.Canary.State == health.PortOpen && l.canary.Seen(by):
		return health.Held
	case a.Canary.State != health.PortOpen && !l.canary.Sure:
		return health.NotTried
	default:
		return health.Failed
	}
}
