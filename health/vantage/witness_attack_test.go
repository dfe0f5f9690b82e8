package vantage

import (
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/health/witness"
)

// TestAWitnessSaysOnlyWhatAWitnessCanKnow: its word for why is one of five. Others would be kept, shown, and believed of others.
func TestAWitnessSaysOnlyWhatAWitnessCanKnow(t *testing.T) {
	t.Parallel()
	l := &witnessLook{r: health.Round{Now: time.Now}, family: health.IPv4}
	for _, why := range []health.Code{
		health.Mapped, health.SignInSeen, health.FirewallOff, health.MappingOther, health.CloudRemote, "\x1b]0;you\x07",
		health.Code(strings.Repeat("x", 60_000)), "<script>",
	} {
		for _, state := range []health.State{health.Untested, health.PortOpen, health.PortFiltered} {
			o := l.read(witness.Result{Address: here, Port: 8123, State: state, Why: why}, health.Controls{}, "", time.Now())
			if o.State != health.Untested || o.Why != health.VantageBroken || o.Identity != 0 {
				t.Errorf("%.20q, %s: %+.100v", why, state, o)
			}
		}
	}
}
