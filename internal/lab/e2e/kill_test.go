package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// known is what the owner was told about one phone: what was acknowledged, and what was asked for when the power went.
type known struct {
	there    bool // acknowledged
	disabled bool
	asked    string // a change that was not acknowledged: it may have happened or not
}

// TestNothingAcknowledgedIsLostByAPowerCut kills the appliance a hundred times while phones are added, changed and
// removed. After each start what was acknowledged is there, and nothing is half done.
func TestNothingAcknowledgedIsLostByAPowerCut(t *testing.T) {
	h := standinHome(t)
	phones := make(map[string]*known)
	for i := range 8 {
		phones[fmt.Sprintf("Phone %d", i)] = &known{}
	}
	for round := range 100 {
		h.changeUntilThePowerGoes(t, phones, time.Duration(30+rand.IntN(170))*time.Millisecond)
		h.start(t)
		if h.compare(t, phones); t.Failed() {
			t.Fatalf("after the cut number %d", round+1)
		}
	}
}

// changeUntilThePowerGoes makes changes one after the other from two hands, and kills the appliance after a while.
func (h *home) changeUntilThePowerGoes(t testing.TB, phones map[string]*known, after time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var hands sync.WaitGroup
	for hand := range 2 {
		hands.Go(func() {
			for i := hand; ctx.Err() == nil; i += 2 {
				name := fmt.Sprintf("Phone %d", i%8)
				h.changeOne(ctx, name, phones[name])
			}
		})
	}
	time.Sleep(after) // when the power goes is nobody's choice
	h.daemon.Kill()
	cancel()
	hands.Wait()
}

func (h *home) changeOne(ctx context.Context, name string, k *known) {
	var args []string
	switch {
	case k.asked != "":
		return // its fate is settled after the restart
	case !k.there:
		args = []string{"peer", "add", name, "--conf"}
	case rand.IntN(3) == 0:
		args = []string{"peer", "remove", name}
	case rand.IntN(2) == 0:
		args = []string{"peer", "rekey", name, "--json"}
	case k.disabled:
		args = []string{"peer", "enable", name}
	default:
		args = []string{"peer", "disable", name}
	}
	k.asked = args[1]
	if _, _, err := h.ask(ctx, args...); err != nil {
		return
	}
	k.acknowledge()
}

func (k *known) acknowledge() {
	switch k.asked {
	case "add":
		k.there, k.disabled = true, false
	case "remove":
		k.there = false
	case "enable", "disable":
		k.disabled = k.asked == "disable"
	}
	k.asked = ""
}

// compare reads the peers after a restart and settles what was not acknowledged by what is there.
func (h *home) compare(t testing.TB, phones map[string]*known) {
	t.Helper()
	var list []peer
	if err := json.Unmarshal([]byte(h.do(t, "peer", "list", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]peer)
	addresses := make(map[string]string)
	for _, p := range list {
		found[p.Name] = p
		if p.PublicKey == "" || p.IPv4 == "" || p.IPv6 == "" {
			t.Errorf("%s is half done: %+v", p.Name, p)
		}
		for _, a := range []string{p.IPv4, p.IPv6} {
			if other := addresses[a]; other != "" {
				t.Errorf("%s and %s have the same address %s", p.Name, other, a)
			}
			addresses[a] = p.Name
		}
	}
	for name, k := range phones {
		p, there := found[name]
		if k.asked == "add" || k.asked == "remove" {
			if k.there != there {
				k.acknowledge()
			}
		} else if k.asked != "" && there && (p.State == "disabled") != k.disabled {
			k.acknowledge()
		}
		k.asked = ""
		if k.there != there {
			t.Errorf("%s: acknowledged as there: %v, is there: %v", name, k.there, there)
		} else if there && (p.State == "disabled") != k.disabled {
			t.Errorf("%s: acknowledged as disabled: %v, state is %s", name, k.disabled, p.State)
		}
	}
}

// TestThePhoneOutlivesAPowerCut: the phone's own session comes back by itself after the appliance was killed.
func TestThePhoneOutlivesAPowerCut(t *testing.T) {
	h := standinHome(t)
	on, tunnel := h.phone(t, "anna", "Anna", lab.Allowed)
	h.daemon.Kill()
	h.start(t)
	tunnel.Knock(t)
	inside := h.status(t).Tunnel.IPv4
	eventually(t, 20*time.Second, "the phone is back", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		code, err := fetch(ctx, on, "http://"+inside+":8123/")
		return err == nil && code == 200
	})
}
