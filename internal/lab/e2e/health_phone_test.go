package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/lab/browser"
)

// phonePatience is how long a phone's browser may look: two runs of 13 s where nobody answers, on a machine that is busy.
const phonePatience = 90 * time.Second

// A watcher is a phone with a browser whose page in the tunnel is open.
type watcher struct {
	home *home
	page *browser.Page
	id   string
}

// watcher enrols a phone on a host and opens the page in the tunnel.
func (h *home) watcher(t testing.TB, on *lab.Host, name, config string, reach lab.Reach) *watcher {
	t.Helper()
	if !on.WireGuard(t, config, reach).Handshake(t, pagePatience) {
		t.Fatalf("%s: no handshake\n%s", name, h.daemon.Output())
	}
	w := &watcher{home: h, page: browser.Start(t, browser.On(on)).Page(t, browser.Options{Width: 390, Phone: true, Scale: 2})}
	var peers []peer
	h.decode(t, &peers, "peer", "list", "--json")
	for _, p := range peers {
		if p.Name == name {
			w.id = p.ID
		}
	}
	return w
}

// look goes the way of a person from the portal to what the phone says, and returns that.
func (w *watcher) look(t testing.TB) string {
	t.Helper()
	w.page.Open("http://" + w.home.status(t).Tunnel.IPv4 + "/")
	w.page.Click("Check from this phone")
	began := time.Now()
	for {
		said := w.page.Text("main [role=status]")
		if !strings.HasPrefix(said, "Looking") {
			t.Logf("after %.1f s the phone says: %s", time.Since(began).Seconds(), said)
			return said
		}
		if time.Since(began) > phonePatience {
			t.Fatalf("the phone still says %q", said)
		}
		time.Sleep(100 * time.Millisecond) // a real browser, real time
	}
}

// seen is what the phone saw last of a port.
func (w *watcher) seen(t testing.TB, family string, port uint16) (s sighting) {
	t.Helper()
	var v verdict
	w.home.fetchAPI(t, "exposure/checks", &v)
	i := slices.IndexFunc(v.Seen, func(s sighting) bool {
		return s.Vantage == "phone" && s.Seat == w.id && s.Family == family && (s.Port == port || s.Port == 0)
	})
	if i >= 0 {
		s = v.Seen[i]
	}
	return s
}

func wantSaid(t testing.TB, said, want string) {
	t.Helper()
	if !strings.Contains(said, want) {
		t.Errorf("the phone says %q, want %q", said, want)
	}
}

// TestAPhoneThatIsAwayLooks is a phone out on the internet whose browser knocks at the home beside the tunnel.
func TestAPhoneThatIsAwayLooks(t *testing.T) {
	t.Parallel()
	browser.Need(t)
	h := watchedHome(t)
	witness := h.outside(t, "witness")
	h.trust(t, witness.invite(t))
	if exit, v := h.check(t); exit != exitClosed {
		t.Fatalf("exit %d, closed was expected: %v", exit, v)
	}
	phone := h.watcher(t, h.AddPhone(t, "anna"), "Anna", h.do(t, "peer", "add", "Anna", "--conf"), lab.Allowed)

	wantSaid(t, phone.look(t), "nothing answers at your home")
	phone.page.AssertAccessible()
	for _, family := range []string{"ipv4", "ipv6"} {
		s := phone.seen(t, family, 8123)
		if s.State != "filtered" || s.Why != "no_answer" || s.Controls["reach"] != "held" || s.Controls["decoy"] != "held" || s.Controls["outside"] != "held" {
			t.Errorf("over %s: %+v", family, s)
		}
	}
	if v := h.verdict(t); v.State != "closed" {
		t.Errorf("the verdict is %v", v)
	}

	witness.process.Stop(t) // finding something needs nobody
	shut := h.Open(t, lab.Forward{External: 443, To: h.HomeAssistant, Port: 8123})
	wantSaid(t, phone.look(t), "reached your Home Assistant from the internet")
	eventually(t, 10*time.Second, "it is exposed because the phone reached it", func() bool {
		v := h.verdict(t)
		return v.State == "exposed" && v.door("ipv4", 443) == "exposed" && v.says("seen_open")
	})
	if s := phone.seen(t, "ipv4", 443); s.State != "open" || s.Identity != "our_home_assistant" {
		t.Errorf("%+v", s)
	}
	shut()
	wantSaid(t, phone.look(t), "did not reach the witness either")
	if v := h.verdict(t); v.State != "exposed" {
		t.Errorf("one look in which the control failed cleared it: %v", v)
	}
}

// TestAPhoneSeesAnIPv6Pinhole: the target is Home Assistant's own address, which a Content-Security-Policy cannot name.
func TestAPhoneSeesAnIPv6Pinhole(t *testing.T) {
	t.Parallel()
	browser.Need(t)
	h := watchedHome(t)
	h.trust(t, h.outside(t, "witness").invite(t))
	if exit, v := h.check(t); exit != exitClosed {
		t.Fatalf("exit %d, closed was expected: %v", exit, v)
	}
	phone := h.watcher(t, h.AddPhone(t, "anna"), "Anna", h.do(t, "peer", "add", "Anna", "--conf"), lab.Allowed)
	h.Open(t, lab.Pinhole6{To: h.HomeAssistant, Port: 8123})
	wantSaid(t, phone.look(t), "reached your Home Assistant from the internet")
	if s := phone.seen(t, "ipv6", 8123); s.State != "open" || s.Identity != "our_home_assistant" || s.Address != h.HomeAssistant.Addr6 {
		t.Errorf("%+v", s)
	}
}

// TestAPhoneLooksUnasked: nobody presses anything; opening the page in the tunnel is enough.
func TestAPhoneLooksUnasked(t *testing.T) {
	t.Parallel()
	browser.Need(t)
	h := watchedHome(t)
	h.trust(t, h.outside(t, "witness").invite(t))
	if exit, v := h.check(t); exit != exitClosed {
		t.Fatalf("exit %d, closed was expected: %v", exit, v)
	}
	phone := h.watcher(t, h.AddPhone(t, "anna"), "Anna", h.do(t, "peer", "add", "Anna", "--conf"), lab.Allowed)
	phone.page.Open("http://" + h.status(t).Tunnel.IPv4 + "/")
	eventually(t, phonePatience, "the phone has looked by itself", func() bool { return phone.seen(t, "ipv4", 8123).State == "filtered" })
	browseQuiet(t, phone.page)
}

// TestAPhoneThatDoesNotCount is at home, in its own tunnel, or in a network that stops it. What it finds changes nothing.
func TestAPhoneThatDoesNotCount(t *testing.T) {
	t.Parallel()
	browser.Need(t)
	h := watchedHome(t)
	h.trust(t, h.outside(t, "witness").invite(t))
	if exit, v := h.check(t); exit != exitClosed {
		t.Fatalf("exit %d, closed was expected: %v", exit, v)
	}
	for _, c := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"on the home's Wi-Fi", func(t *testing.T) {
			config := h.fromTheLAN(h.do(t, "peer", "add", "Home", "--conf"))
			phone := h.watcher(t, h.AddDevice(t, "wifi"), "Home", config, lab.Allowed)
			wantSaid(t, phone.look(t), "This phone is at home")
			if s := phone.seen(t, "ipv4", 8123); s.Vantage != "" {
				t.Errorf("%+v", s)
			}
		}},
		{"in a full tunnel", func(t *testing.T) {
			phone := h.watcher(t, h.AddPhone(t, "full"), "Full", h.do(t, "peer", "add", "Full", "--conf"), lab.Everything)
			wantSaid(t, phone.look(t), "did not reach the witness either")
			if s := phone.seen(t, "ipv4", 8123); s.State != "untested" || s.Why != "phone_network" {
				t.Errorf("%+v", s)
			}
		}},
		{"in a network that lets 8123 not out", func(t *testing.T) {
			on := h.AddPhone(t, "hotel")
			h.Internet.Rules(t, "chain hotel { type filter hook forward priority filter; ip saddr "+on.Addr4.String()+" tcp dport 8123 drop; ip6 saddr "+on.Addr6.String()+" tcp dport 8123 drop; }")
			phone := h.watcher(t, on, "Hotel", h.do(t, "peer", "add", "Hotel", "--conf"), lab.Allowed)
			wantSaid(t, phone.look(t), "did not reach the witness either")
			for _, family := range []string{"ipv4", "ipv6"} {
				if s := phone.seen(t, family, 8123); s.State != "untested" || s.Why != "phone_network" {
					t.Errorf("over %s: %+v", family, s)
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(t)
			if v := h.verdict(t); v.State != "closed" {
				t.Errorf("the verdict became %v", v)
			}
		})
	}
}
