package peers

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/key"
)

// TestModel does random things to a registry and to a model that is a map, and
// compares the two after each: what is listed, what is served, what is refused.
// The network is small, so that it is often full and begins again; the clock is
// often wrong; the process is restarted now and then.
func TestModel(t *testing.T) {
	seed := rand.Uint64()
	if s := os.Getenv("MODEL_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	full := 0
	for round := range uint64(6) {
		inHouse(t, func(h *house) {
			h.smallNetwork(28 + int(round%2))
			m := &model{house: h, random: rand.New(rand.NewPCG(seed, round)), peers: map[string]*modelPeer{}, rests: map[netip.Addr]time.Time{}}
			for step := range 300 {
				did := m.step()
				m.compare()
				if t.Failed() {
					t.Fatalf("MODEL_SEED=%d, round %d, step %d: after %s", seed, round, step, did)
				}
			}
			full += m.full
		})
	}
	if full == 0 {
		t.Error("the network was never full: the walk shows less than it should")
	}
}

type model struct {
	*house
	random *rand.Rand
	peers  map[string]*modelPeer
	rests  map[netip.Addr]time.Time
	full   int // how often an address was wanted and there was none
}

type modelPeer struct {
	name           string
	pair, retiring *modelPair
	retireAt       time.Time
	services       []string
	disabled       bool
	expires        time.Time
	expired        bool
	void           bool
}

type modelPair struct {
	public key.Public
	addr   netip.Addr
	first  time.Time
}

// names are few and read alike in pairs, so that they collide.
var names = []string{"Anna", "ANNA", "Ben", " ben", "Zoé", "zoe\u0301", "Carl", "Dora", "Emil", "Fritz", "Gina", "Hans", "Ida", "Jon", "Kai", "Leo", "a\nb", ""}

func (m *model) step() string {
	actions := map[string]func(){
		"add": m.doAdd, "add more": m.doAdd, "rename": m.doRename, "disable": m.doDisable, "expiry": m.doExpiry,
		"services": m.doServices, "rekey": m.doRekey, "rekey more": m.doRekey, "remove": m.doRemove, "seen": m.doSeen,
		"wait": m.doWait, "sweep": m.doSweep, "clock": m.doClock, "restart": m.restart, "forget": m.doForget,
	}
	if m.random.IntN(60) == 0 {
		actions = map[string]func(){"server rekey": m.doServerRekey}
	}
	what := m.pickFrom(slices.Sorted(maps.Keys(actions)))
	actions[what]()
	return what
}

func (m *model) pickFrom(list []string) string { return list[m.random.IntN(len(list))] }

// pick gives a peer, or an ID that nobody has.
func (m *model) pick() (string, *modelPeer) {
	ids := append(slices.Sorted(maps.Keys(m.peers)), "nobody")
	id := m.pickFrom(ids)
	return id, m.peers[id]
}

// expect compares a refusal with the one that the model foresees, and says whether
// the change was made.
func (m *model) expect(err, want error) bool {
	m.t.Helper()
	if !errors.Is(err, want) {
		m.t.Errorf("got %v, want %v", err, want)
	}
	return err == nil
}

func (m *model) nameTaken(name, id string) bool {
	for other, p := range m.peers {
		if other != id && foldName(p.name) == foldName(name) {
			return true
		}
	}
	return false
}

// addrs gives all addresses in use.
func (m *model) addrs() map[netip.Addr]bool {
	used := map[netip.Addr]bool{}
	for _, p := range m.peers {
		used[p.pair.addr] = true
		if p.retiring != nil {
			used[p.retiring.addr] = true
		}
	}
	return used
}

func (m *model) isFull() bool {
	used := m.addrs()
	for addr, until := range m.rests {
		if m.Now().Before(until) {
			used[addr] = true
		}
	}
	return len(used) >= must(m.Server()).room()
}

func (m *model) rest(pair *modelPair) { m.rests[pair.addr] = m.Now().Add(24 * time.Hour) }

func (m *model) newPair(p Pair) *modelPair {
	m.t.Helper()
	if m.addrs()[p.IPv4] || m.Now().Before(m.rests[p.IPv4]) {
		m.t.Errorf("%v was given while in use or resting until %v", p.IPv4, m.rests[p.IPv4])
	}
	delete(m.rests, p.IPv4)
	return &modelPair{public: p.PublicKey, addr: p.IPv4}
}

// brought is a key that the phone brings: mostly none, sometimes one in use.
func (m *model) brought() (public *key.Public, taken bool) {
	switch m.random.IntN(6) {
	case 0:
		k := must(must(key.NewPrivate()).Public())
		return &k, false
	case 1:
		if _, p := m.pick(); p != nil {
			k := p.pair.public
			if p.retiring != nil {
				k = p.retiring.public
			}
			return &k, true
		}
	}
	return nil, false
}

func (m *model) over(p *modelPeer) bool {
	return p.expired || !p.expires.IsZero() && !m.Now().Before(p.expires)
}

// compare asks whether the registry and the model are the same.
func (m *model) compare() {
	m.t.Helper()
	list, err := m.List()
	if err != nil || len(list) != len(m.peers) {
		m.t.Fatalf("%d peers are listed, want %d; %v", len(list), len(m.peers), err)
	}
	var want []string
	for _, p := range list {
		model := m.peers[p.ID]
		if model == nil {
			m.t.Fatalf("%+v is listed", p)
		}
		if got, want := describe(p), model.describe(m); got != want {
			m.t.Errorf("peer is\n%s\nwant\n%s", got, want)
		}
		if found, err := m.Find(" " + p.Name); err != nil || found.ID != p.ID {
			m.t.Errorf("finding %q: %+v, %v", p.Name, found, err)
		}
		if model.disabled || model.void || m.over(model) {
			continue
		}
		want = append(want, fmt.Sprint(p.Name, model.pair.public, model.pair.addr, model.services, false))
		if model.retiring != nil && m.Now().Before(model.retireAt) {
			want = append(want, fmt.Sprint(p.Name, model.retiring.public, model.retiring.addr, model.services, true))
		}
	}
	allowed, err := m.Allowed()
	if err != nil {
		m.t.Fatal(err)
	}
	var got []string
	server := must(m.Server())
	for _, a := range allowed {
		got = append(got, fmt.Sprint(a.Name, a.Pair.PublicKey, a.Pair.IPv4, a.Services, a.Retiring))
		if !server.Network4.Contains(a.Pair.IPv4) || a.Pair.IPv4.As4()[3]%16 != a.Pair.IPv6.As16()[15] {
			m.t.Errorf("%q has %v and %v", a.Name, a.Pair.IPv4, a.Pair.IPv6)
		}
	}
	if !slices.Equal(got, want) {
		m.t.Errorf("served is\n%v\nwant\n%v", got, want)
	}
}

func describe(p Peer) string {
	text := fmt.Sprint(p.Name, p.Pair.PublicKey, p.Pair.IPv4, p.Pair.FirstHandshake.IsZero(), p.Services, p.Disabled, p.ExpiresAt.UTC(), p.Expired, p.ExpiryUnconfirmed, p.NeedsEnrolment)
	if p.Retiring != nil {
		text += fmt.Sprint(p.Retiring.PublicKey, p.Retiring.IPv4, p.RetireAt.UTC())
	}
	return text
}

func (p *modelPeer) describe(m *model) string {
	text := fmt.Sprint(p.name, p.pair.public, p.pair.addr, p.pair.first.IsZero(), p.services, p.disabled, p.expires.UTC(), m.over(p), m.over(p) && !p.expired, p.void)
	if p.retiring != nil {
		text += fmt.Sprint(p.retiring.public, p.retiring.addr, p.retireAt.UTC())
	}
	return text
}
