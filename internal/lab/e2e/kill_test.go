package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// known is what the owner was told about one phone: what was acknowledged, and what was asked for when the power went.
type known struct {
	there    bool // acknowledged
	disabled bool
	key      string // public key
	services string
	asked    string // a change that was not acknowledged: it may have happened or not
}

// TestNothingAcknowledgedIsLostByAPowerCut kills the appliance a hundred times while phones are added, changed and
// removed. After each start what was acknowledged is there, and nothing is half done.
func TestNothingAcknowledgedIsLostByAPowerCut(t *testing.T) {
	h := standinHome(t)
	h.do(t, "service", "add", "camera", "192.168.77.30:80", "--port", "8081")
	tally := &tally{count: make(map[string]int)}
	phones := make(map[string]*known)
	for i := range 8 {
		phones[fmt.Sprintf("Phone %d", i)] = &known{}
	}
	for round := range 100 {
		h.changeUntilThePowerGoes(t, phones, tally, time.Duration(30+rand.IntN(170))*time.Millisecond)
		h.start(t)
		if h.compare(t, phones); t.Failed() {
			t.Fatalf("after the cut number %d", round+1)
		}
	}
	t.Logf("acknowledged: %v", tally.count)
	for _, kind := range []string{"add", "remove", "rekey", "enable", "disable", "services"} {
		if tally.count[kind] < 5 {
			t.Errorf("only %d of %q were acknowledged: this proves nothing", tally.count[kind], kind)
		}
	}
}

// tally counts acknowledged changes by kind.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func (c *tally) add(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[kind]++
}

// changeUntilThePowerGoes makes changes one after the other from two hands, and kills the appliance after a while.
func (h *home) changeUntilThePowerGoes(t testing.TB, phones map[string]*known, tally *tally, after time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var hands sync.WaitGroup
	for hand := range 2 {
		hands.Go(func() {
			for i := hand; ctx.Err() == nil; i += 2 {
				name := fmt.Sprintf("Phone %d", i%8)
				h.changeOne(ctx, name, phones[name], tally)
			}
		})
	}
	time.Sleep(after) // when the power goes is nobody's choice
	h.daemon.Kill()
	cancel()
	hands.Wait()
}

func (h *home) changeOne(ctx context.Context, name string, k *known, tally *tally) {
	var args []string
	switch {
	case k.asked != "":
		return // its fate is settled after the restart
	case !k.there:
		args = []string{"peer", "add", name, "--json"}
	default:
		args = [][]string{
			{"peer", "remove", name},
			{"peer", "rekey", name, "--now", "--json"},
			{"peer", "rekey", name, "--now", "--json"},
			{"peer", "enable", name},
			{"peer", "disable", name},
			{"peer", "services", name, "home-assistant"},
			{"peer", "services", name, "home-assistant", "camera"},
		}[rand.IntN(7)]
	}
	k.asked = strings.Join(args[1:], " ")
	out, _, err := h.ask(ctx, args...)
	if err != nil {
		return
	}
	// What was printed was acknowledged, and so is known.
	var e struct{ Peer peer }
	if args[1] == "add" || args[1] == "rekey" {
		if json.Unmarshal([]byte(out), &e) != nil {
			return
		}
	}
	k.settle(e.Peer.PublicKey)
	tally.add(args[1])
}

// settle takes what was asked for as done.
func (k *known) settle(key string) {
	words := strings.Fields(k.asked)
	switch words[0] {
	case "add":
		*k = known{there: true, key: key, services: "home-assistant"}
	case "remove":
		*k = known{}
	case "rekey":
		k.key = key
	case "enable", "disable":
		k.disabled = words[0] == "disable"
	case "services":
		k.services = strings.Join(words[3:], " ") // after "services Phone N"
	}
	k.asked = ""
}

// compare reads the peers after a restart. What was acknowledged must be there; what was asked for and not acknowledged is
// there whole or not at all.
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
		p := found[name]
		is := known{there: p.Name != "", disabled: p.State == "disabled", key: p.PublicKey, services: strings.Join(p.Services, " ")}
		before := *k
		before.asked = ""
		after := *k
		if k.asked != "" {
			after.settle(is.key) // a new key is not known yet
		}
		if is != before && is != after {
			t.Errorf("%s: acknowledged %+v, asked for %q, is %+v", name, before, k.asked, is)
		}
		*k = is
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
