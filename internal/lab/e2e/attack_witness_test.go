package e2e

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// TestAttackWitnessUnacknowledged: a home at whose open ports everything is taken and nothing acknowledged makes the witness repeat
// itself; the repetitions, too, are fewer bytes than the home has sent.
func TestAttackWitnessUnacknowledged(t *testing.T) {
	t.Parallel()
	h := watchedHome(t)
	for _, external := range []uint16{80, 443, 8123, 8443} {
		h.Open(t, lab.Forward{External: external, To: h.HomeAssistant, Port: 8123})
	}
	h.RouterRules(t, `chain past {
		type filter hook forward priority -10
		ip saddr `+h.HomeAssistant.Addr4.String()+` tcp sport 8123 tcp flags & (syn | fin | rst) != syn drop
	}`)
	w := h.outside(t, "witness")
	rules := w.Rules(t, fmt.Sprintf(`
		counter got { }
		counter sent { }
		chain in { type filter hook input priority filter; ip saddr %[1]s counter name got; }
		chain out { type filter hook output priority filter; ip daddr %[1]s counter name sent; }`, h.Public4))
	h.trust(t, w.invite(t))
	h.check(t)
	time.Sleep(20 * time.Second) // what a kernel goes on repeating after a connection was closed
	_, got := rules.Counted(t, "got")
	_, sent := rules.Counted(t, "sent")
	t.Logf("%d bytes came in and %d went out", got, sent)
	if got == 0 || sent > got {
		t.Errorf("%d bytes came in and %d went out", got, sent)
	}
}

// TestAttackWitnessCrowd: as many as will connect and say nothing, and a home that was invited is served.
func TestAttackWitnessCrowd(t *testing.T) {
	t.Parallel()
	h := watchedHome(t)
	w := h.outside(t, "witness")
	invite := w.invite(t)
	at := net.JoinHostPort(w.Addr4.String(), "8124")
	conns := make(chan net.Conn, 10_000)
	for range 10_000 {
		c, err := h.Internet.Dial(t.Context(), "tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		conns <- c
	}
	close(conns)
	h.trust(t, invite)
	if exit, v := h.check(t); exit != exitClosed {
		t.Errorf("exit %d: %v", exit, v)
	}
	heard := 0
	for c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond)) // of an open connection: it cannot fail
		b, _ := io.ReadAll(c)
		heard += len(b)
		c.Close()
	}
	if heard > 0 {
		t.Errorf("%d bytes were said to strangers", heard)
	}
	if strings.Contains(w.process.Output(), "panic") {
		t.Error(w.process.Output())
	}
}
