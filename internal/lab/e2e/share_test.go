package e2e

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// TestAPhoneThatExhaustsItsOwnLeavesTheOthersAlone: one phone takes all the connections that it may have and goes on asking
// for more; another one notices nothing.
func TestAPhoneThatExhaustsItsOwnLeavesTheOthersAlone(t *testing.T) {
	h := standinHome(t)
	inside := h.status(t).Tunnel.IPv4
	greedy, _ := h.phone(t, "greedy", "Greedy", lab.Allowed)
	other, _ := h.phone(t, "other", "Other", lab.Allowed)
	before := latency(t, other, inside)

	held := 0
	for range 300 {
		c, err := dialFor(t, greedy, net.JoinHostPort(inside, "8123"), 3*time.Second)
		if err == nil {
			held++
			t.Cleanup(func() { c.Close() })
		}
	}
	if held != 256 {
		t.Errorf("the greedy phone holds %d connections, its limit is 256", held)
	}
	// It goes on as fast as it can while the other one is measured.
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if c, err := greedy.Dial(t.Context(), "tcp", net.JoinHostPort(inside, "8123")); err == nil {
				c.Close()
			}
		}
	}()
	during := latency(t, other, inside)
	close(stop)
	<-stopped
	t.Logf("a page takes the other phone %v, beside the greedy one %v", before, during)
	if during > 250*time.Millisecond {
		t.Errorf("a page takes the other phone %v beside a greedy one, %v without it", during, before)
	}
	if peak := h.memory(t).peak; peak > 64<<20 {
		t.Errorf("the appliance used %d MiB", peak>>20)
	}
}

// latency is the median time that a page takes from a new connection to its end.
func latency(t testing.TB, from *lab.Host, inside string) time.Duration {
	t.Helper()
	var took []time.Duration
	for range 21 {
		began := time.Now()
		if code, err := fetch(t.Context(), from, "http://"+net.JoinHostPort(inside, "8123")+"/"); err != nil || code != 200 {
			t.Fatalf("a page: %d, %v", code, err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}
