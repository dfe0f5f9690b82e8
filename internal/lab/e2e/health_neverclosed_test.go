package e2e

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// A trap is a household that is open, and something that could make a careless look find it closed.
type trap struct {
	name    string
	options []lab.Option
	// set lays the trap, with the witness in place and trusted; what it returns happens while the witness looks.
	set func(t *testing.T, h *home, w *outsider) (during func())
	// exposed: the look must see through it. Otherwise it must end in unverified, with one of the reasons.
	exposed bool
	reasons []string
}

// awaitLook waits until the witness is in the middle of its looks: its first SYN to a silent port is out, and for half a minute
// it will try again.
func (o *outsider) awaitLook(t testing.TB) {
	t.Helper()
	eventually(t, time.Minute, "the witness looks, over both families", func() bool {
		four, _ := o.syns.Counted(t, "four")
		six, _ := o.syns.Counted(t, "six")
		return four > 0 && six > 0
	})
	time.Sleep(4 * time.Second)
}

func forward(port uint16) func(testing.TB, *home) {
	return func(t testing.TB, h *home) {
		h.Open(t, lab.Forward{External: port, To: h.HomeAssistant, Port: 8123})
	}
}

// traps is: in none of these is the home said to be closed, and the reason is the right one.
func traps() (all []scenario) {
	for _, one := range slices.Concat(lineTraps(), homeTraps(), witnessTraps()) {
		all = append(all, scenario{one.name, func(t *testing.T) { spring(t, one) }})
	}
	return append(all,
		scenario{"the witness stands on our own LAN", ownLAN},
		scenario{"one witness lies and the other sees it", liarAndHonest},
		scenario{"one witness lies and the other is gone", liarAndNobody},
	)
}

func spring(t *testing.T, one trap) {
	h := unstartedHome(t, one.options...)
	stop := h.liveAt(t, h.HomeAssistant, homeVersion, 8123)
	h.stopHome = stop
	h.start(t)
	w := h.outside(t, "witness")
	invite := w.invite(t)
	during := one.set(t, h, w)
	h.trust(t, invite)
	end := h.beginCheck(t)
	if during != nil {
		w.awaitLook(t)
		during()
	}
	exit, v := end()
	switch {
	case exit == exitClosed || v.State == "closed":
		t.Errorf("A FALSE CLOSED: %v", v)
	case one.exposed && exit != exitExposed:
		t.Errorf("exit %d, exposed was expected: %v", exit, v)
	case !one.exposed && exit != exitUnverified:
		t.Errorf("exit %d, unverified was expected: %v", exit, v)
	}
	if !v.says(one.reasons...) {
		t.Errorf("none of the reasons %q is given: %v", one.reasons, v)
	}
	for _, r := range v.Codes {
		if r.Text == "" {
			t.Errorf("the reason %s has no words", r.Code)
		}
	}
}

// homeTraps are about Home Assistant.
func homeTraps() []trap {
	return []trap{
		{
			name: "Home Assistant is stopped before",
			set: func(t *testing.T, h *home, _ *outsider) func() {
				forward(8123)(t, h)
				h.stopHome()
				return nil
			},
			reasons: []string{"home_down", "home_unknown"},
		},
		{
			name: "Home Assistant is stopped while the witness looks",
			set: func(t *testing.T, h *home, _ *outsider) func() {
				forward(8099)(t, h) // nobody looks at this one
				return h.stopHome
			},
			reasons: []string{"home_down"},
		},
		{
			name: "Home Assistant moves to another port",
			set: func(t *testing.T, h *home, _ *outsider) func() {
				h.Open(t, lab.Forward{External: 9000, To: h.HomeAssistant, Port: 9000})
				return func() {
					h.stopHome()
					h.liveAt(t, h.HomeAssistant, homeVersion, 9000)
				}
			},
			reasons: []string{"home_down", "home_moved"},
		},
		{
			name: "Home Assistant gets another IPv6 address",
			set: func(t *testing.T, h *home, _ *outsider) func() {
				other := netip.MustParseAddr("2a77:db8:77::2121")
				h.Open(t, lab.Pinhole6{To: h.HomeAssistant, Port: 8123, Address: other})
				return func() {
					h.HomeAssistant.Run(t, "ip", "addr", "add", other.String()+"/64", "dev", "eth0", "nodad")
					h.HomeAssistant.Run(t, "ip", "addr", "del", h.HomeAssistant.Addr6.String()+"/64", "dev", "eth0")
				}
			},
			reasons: []string{"home_down", "home_moved", "changed", "no_home_address"},
		},
		{
			name: "Home Assistant has an address in another network of ours, and only that is open",
			set: func(t *testing.T, h *home, _ *outsider) func() {
				const other = "2a77:db8:78::20"
				h.Internet.Run(t, "ip", "route", "add", "2a77:db8:78::/64", "via", h.WAN6.String())
				h.Router.Run(t, "ip", "addr", "add", "2a77:db8:78::1/64", "dev", "lan", "nodad")
				h.Appliance.Run(t, "ip", "addr", "add", "2a77:db8:78::10/64", "dev", "eth0", "nodad")
				h.HomeAssistant.Run(t, "ip", "addr", "add", other+"/64", "dev", "eth0", "nodad")
				h.Open(t, lab.Pinhole6{To: h.HomeAssistant, Port: 8123, Address: netip.MustParseAddr(other)})
				h.acquaint(t, h.HomeAssistant, netip.MustParseAddr(other))
				return nil
			},
			exposed: true,
			reasons: []string{"seen_open"},
		},
	}
}

// lineTraps are about what lies between the witness and the home.
func lineTraps() []trap {
	return []trap{
		{
			name: "a firewall bans whoever tries a third port, the asked one included",
			set: func(t *testing.T, h *home, _ *outsider) func() {
				forward(8099)(t, h)
				h.RouterRules(t, adaptive+`chain before { type filter hook prerouting priority -310; ip saddr @banned drop; }`)
				return nil
			},
			reasons: []string{"vantage_silent", "path_lost_after"},
		},
		{
			name: "the public address changes",
			set: func(t *testing.T, h *home, _ *outsider) func() {
				forward(8123)(t, h)
				h.RouterRules(t, `chain first { type filter hook prerouting priority raw; iifname "wan" ip daddr 11.0.0.2 tcp flags & (syn | ack) == syn drop; }`)
				return func() { h.ChangeWAN4(t, 77) }
			},
			reasons: []string{"address_changed", "vantage_silent", "path_lost_after"},
		},
		{
			name: "the first two SYNs of every connection are lost",
			set: func(t *testing.T, h *home, _ *outsider) func() {
				forward(8123)(t, h)
				h.RouterRules(t, `
					set once { type ipv4_addr . inet_service; flags dynamic; size 65535; }
					set twice { type ipv4_addr . inet_service; flags dynamic; size 65535; }
					chain lose {
						type filter hook prerouting priority raw
						iifname "wan" tcp flags & (syn | ack) == syn jump syns
					}
					chain syns {
						ip saddr . tcp sport @twice accept
						ip saddr . tcp sport @once add @twice { ip saddr . tcp sport } drop
						add @once { ip saddr . tcp sport } drop
					}`)
				return nil
			},
			exposed: true,
			reasons: []string{"seen_open"},
		},
		{
			name: "the witness's provider lets nothing out to 8123",
			set: func(t *testing.T, h *home, w *outsider) func() {
				forward(8123)(t, h)
				h.Provider(w.Host).Rules(t, `chain out { type filter hook forward priority filter; iifname "hosting" tcp dport 8123 drop; }`)
				return nil
			},
			reasons: []string{"reach_blocked"},
		},
		{
			name: "the witness's own firewall lets nothing out to 8123",
			set: func(t *testing.T, h *home, w *outsider) func() {
				forward(8123)(t, h)
				w.Rules(t, `chain out { type filter hook output priority filter; tcp dport 8123 drop; }`)
				return nil
			},
			reasons: []string{"reach_blocked"},
		},
		{
			name: "a firewall bans whoever tries a third port",
			set: func(t *testing.T, h *home, _ *outsider) func() {
				forward(8099)(t, h)
				h.RouterRules(t, adaptive)
				return nil
			},
			reasons: []string{"path_lost_after"},
		},
		{
			name:    "a carrier's NAT",
			options: []lab.Option{lab.SharedAddress},
			set: func(t *testing.T, h *home, _ *outsider) func() {
				forward(8123)(t, h) // open to the neighbours
				return nil
			},
			reasons: []string{"path_lost_before", "shared"},
		},
	}
}

// adaptive lets a stranger try three ports, and hears nothing more from it then but answers to what was asked of it.
const adaptive = `
	set tried { type ipv4_addr . inet_service; flags dynamic; size 65535; }
	set strikes { type ipv4_addr; flags dynamic; size 65535; }
	set banned { type ipv4_addr; flags dynamic; size 65535; }
	chain watch {
		type filter hook prerouting priority raw
		iifname "wan" tcp sport 8124 accept
		iifname "wan" ip saddr @banned drop
		iifname "wan" tcp flags & (syn | ack) == syn ip saddr . tcp dport != @tried jump strike
	}
	chain strike {
		add @tried { ip saddr . tcp dport }
		update @strikes { ip saddr limit rate over 2/hour burst 3 packets } add @banned { ip saddr } drop
	}
	`

// witnessTraps are about the witness.
func witnessTraps() []trap {
	lie := func(l liar) func(*testing.T, *home, *outsider) func() {
		return func(t *testing.T, h *home, w *outsider) func() {
			forward(8123)(t, h)
			w.liar(t, l)
			return nil
		}
	}
	change := func(name string, value any) liar {
		return liar{twist: func(answer map[string]any) { answer[name] = value }}
	}
	anHourAgo := time.Now().Add(-time.Hour).UTC()
	another := netip.MustParseAddr("11.0.0.99")
	return []trap{
		{
			name: "the witness cannot be reached",
			set: func(t *testing.T, h *home, w *outsider) func() {
				forward(8123)(t, h)
				h.Provider(w.Host).Rules(t, `chain in { type filter hook forward priority filter; drop; }`)
				return nil
			},
			reasons: []string{"vantage_silent"},
		},
		{
			name: "the witness is stopped while it looks",
			set: func(t *testing.T, h *home, w *outsider) func() {
				forward(8099)(t, h)
				return func() { w.process.Kill() }
			},
			reasons: []string{"vantage_silent", "vantage_broken"},
		},
		{name: "unsigned", set: lie(liar{sign: otherKey()}), reasons: []string{"vantage_unsigned"}},
		{
			name:    "replayed",
			set:     lie(change("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
			reasons: []string{"vantage_replayed"},
		},
		{
			name: "stale",
			set: lie(liar{twist: func(a map[string]any) {
				a["started"], a["ended"] = anHourAgo, anHourAgo.Add(30*time.Second)
			}}),
			reasons: []string{"vantage_stale"},
		},
		{
			name: "the wrong target",
			set: lie(liar{twist: func(a map[string]any) {
				a["address"] = another
				results := a["results"].([]liarResult)
				for i := range results {
					results[i].Address = another
				}
			}}),
			reasons: []string{"wrong_target", "vantage_broken"},
		},
		{name: "no datagrams", set: lie(liar{silent: true}), reasons: []string{"path_lost_before"}},
		{
			name:    "a refusal",
			set:     lie(liar{refuse: map[string]any{"code": "too_busy", "text": "two looks at your address run already"}}),
			reasons: []string{"vantage_refused", "vantage_busy"},
		},
		{
			name: "results for half of the ports",
			set: lie(liar{twist: func(a map[string]any) {
				all := a["results"].([]liarResult)
				a["results"] = all[:len(all)/2]
			}}),
			reasons: []string{"vantage_broken", "not_looked"},
		},
	}
}

// ownLAN: a witness there sees the home from inside, whatever it says.
func ownLAN(t *testing.T) {
	h := watchedHome(t)
	forward(8123)(t, h)
	w := h.witnessOn(t, h.AddDevice(t, "friend"))
	h.trust(t, w.invite(t))
	if exit, v := h.check(t); exit != exitUnverified || !v.says("vantage_inside", "vantage_refused", "wrong_target") {
		t.Errorf("exit %d, unverified was expected, for the witness stands inside: %v", exit, v)
	}
}

// liarAndHonest: closed needs both witnesses, and one that lies well is found out by the other.
func liarAndHonest(t *testing.T) {
	h := watchedHome(t)
	forward(8123)(t, h)
	honest, liar := h.outside(t, "honest"), h.outside(t, "liar")
	h.trustLiar(t, liar)
	h.trust(t, honest.invite(t))
	if exit, v := h.check(t); exit != exitExposed || !v.says("seen_open") {
		t.Errorf("exit %d, exposed was expected: %v", exit, v)
	}
}

func liarAndNobody(t *testing.T) {
	h := watchedHome(t)
	forward(8123)(t, h)
	honest, liar := h.outside(t, "honest"), h.outside(t, "liar")
	h.trustLiar(t, liar)
	invite := honest.invite(t)
	honest.process.Stop(t)
	h.trust(t, invite)
	if exit, v := h.check(t); exit != exitUnverified || !v.says("vantage_silent", "second_missing") {
		t.Errorf("exit %d, unverified was expected: %v", exit, v)
	}
}

// trustLiar has the appliance trust a witness that says of everything that nobody is there.
func (h *home) trustLiar(t testing.TB, w *outsider) {
	t.Helper()
	invite := w.invite(t)
	w.liar(t, liar{})
	h.trust(t, invite)
}
