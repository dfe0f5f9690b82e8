package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/lab/browser"
)

// A way is one way in, and what there is to see of it.
type way struct {
	name   string
	family string
	port   uint16 // at which the internet finds Home Assistant; 0: at none
	upnp   bool   // the router speaks UPnP
	open   func(t testing.TB, h *home)
	// sees are the vantages that must see it; what others see is in the table, blind spots included.
	sees []string
	told bool // the verdict must be exposed
}

// ways are the rows of the table.
var ways = []way{
	{name: "nothing is open", family: "ipv4", port: 0, upnp: true, open: func(testing.TB, *home) {}},
	{
		name: "forward 8123 → Home Assistant", family: "ipv4", port: 8123, told: true, sees: []string{"witness", "globalping", "phone"},
		open: func(t testing.TB, h *home) { h.Open(t, lab.Forward{External: 8123, To: h.HomeAssistant, Port: 8123}) },
	},
	{
		name: "forward 8123 → Home Assistant, with NAT loopback", family: "ipv4", port: 8123, told: true,
		sees: []string{"witness", "globalping", "phone", "hairpin"},
		open: func(t testing.TB, h *home) {
			h.Open(t, lab.Forward{External: 8123, To: h.HomeAssistant, Port: 8123, Hairpin: true})
		},
	},
	{
		name: "forward 443 → Home Assistant", family: "ipv4", port: 443, told: true, sees: []string{"witness", "globalping", "phone"},
		open: func(t testing.TB, h *home) { h.Open(t, lab.Forward{External: 443, To: h.HomeAssistant, Port: 8123}) },
	},
	{
		name: "UPnP mapping 8123 → Home Assistant", family: "ipv4", port: 8123, upnp: true, told: true,
		sees: []string{"witness", "globalping", "phone", "router"},
		open: func(t testing.TB, h *home) { mapByUPnP(t, h, 8123, 8123) },
	},
	{
		name: "UPnP mapping 9123 → Home Assistant", family: "ipv4", port: 9123, upnp: true, told: true, sees: []string{"router"},
		open: func(t testing.TB, h *home) { mapByUPnP(t, h, 9123, 8123) },
	},
	{
		name: "IPv6 pinhole to Home Assistant", family: "ipv6", port: 8123, told: true, sees: []string{"witness", "globalping", "phone"},
		open: func(t testing.TB, h *home) { h.Open(t, lab.Pinhole6{To: h.HomeAssistant, Port: 8123}) },
	},
	{
		name: "forward 9123 → Home Assistant (a port that nobody tries)", family: "ipv4", port: 9123,
		open: func(t testing.TB, h *home) { h.Open(t, lab.Forward{External: 9123, To: h.HomeAssistant, Port: 8123}) },
	},
	{
		name: "a second way to the internet at Home Assistant itself", family: "ipv4", port: 8123,
		open: func(t testing.TB, h *home) { h.SecondPath(t, h.HomeAssistant) },
	},
}

var vantages = []string{"witness", "globalping", "phone", "port_check", "router", "hairpin", "internetdb"}

// matrix makes the table of docs/health.md: what each vantage sees of each way in, in one look of everybody. It is printed, and
// written to the file that HEARTHGATE_MATRIX names.
func matrix() (all []scenario, tell func(*testing.T)) {
	rows := make(map[string]string)
	var mu sync.Mutex
	for _, w := range ways {
		all = append(all, scenario{w.name, func(t *testing.T) {
			row := w.look(t)
			mu.Lock()
			defer mu.Unlock()
			rows[w.name] = row
		}})
	}
	return all, func(t *testing.T) {
		if len(rows) < len(ways) {
			return // -run left some out, or they failed
		}
		table := "| way in | " + strings.Join(vantages, " | ") + " | verdict |\n|---" + strings.Repeat("|---", len(vantages)+1) + "|\n"
		for _, w := range ways {
			table += rows[w.name]
		}
		t.Logf("\n%s", table)
		if file := os.Getenv("HEARTHGATE_MATRIX"); file != "" {
			if err := os.WriteFile(file, []byte(table), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (w way) look(t *testing.T) (row string) {
	browser.Need(t)
	h := unstartedHome(t)
	h.publicServices(t, publicService{})
	h.liveAt(t, h.HomeAssistant, homeVersion, 8123)
	if w.upnp {
		h.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true, Anybody: true})
	}
	h.start(t)
	w.open(t, h)
	witness := h.outside(t, "witness")
	for _, service := range []string{"globalping", "port-check", "internetdb"} {
		h.do(t, "vantage", service, "on")
	}
	h.trust(t, witness.invite(t))
	exit, v := h.check(t)
	if w.told && exit != exitExposed {
		t.Errorf("exit %d, exposed was expected: %v", exit, v)
	}
	if !w.told && exit == exitExposed {
		t.Errorf("exit %d: %v", exit, v)
	}
	phone := h.watcher(t, h.AddPhone(t, "anna"), "Anna", h.do(t, "peer", "add", "Anna", "--conf"), lab.Allowed)
	phone.look(t)
	var then verdict
	h.fetchAPI(t, "exposure/checks", &then)
	seen := append(v.Seen, slices.DeleteFunc(then.Seen, func(s sighting) bool { return s.Vantage != "phone" })...)
	cells := []string{w.name}
	for _, vantage := range vantages {
		cell := w.cell(seen, vantage)
		if slices.Contains(w.sees, vantage) && cell != seesIt {
			t.Errorf("the vantage %s must see it: %q", vantage, cell)
		}
		cells = append(cells, cell)
	}
	verdict := v.State
	if w.port != 0 && !w.told {
		verdict += ", a blind spot"
	}
	return fmt.Sprintf("| %s | %s |\n", strings.Join(cells, " | "), verdict)
}

const seesIt = "**sees it**"

// cell is what one vantage saw of the way in.
func (w way) cell(seen []sighting, vantage string) string {
	cell := "–"
	for _, s := range seen {
		if s.Vantage != vantage || s.Family != w.family && s.Family != "" {
			continue
		}
		here := s.Port == w.port || w.port == 0 || s.Port == 0
		switch {
		case here && s.State == "open" && s.Identity == "our_home_assistant":
			return seesIt
		case here && s.State == "open":
			cell = "sees that something answers"
		case here && (s.State == "closed" || s.State == "filtered") && s.Address != (netip.Addr{}):
			cell = "finds nothing"
		case here && s.Why == "nothing_there" && cell == "–":
			cell = "knows of nothing"
		case here && s.Why == "not_supported" && cell == "–":
			cell = "is not told (no UPnP)"
		case here && cell == "–":
			cell = "cannot tell (" + s.Why + ")"
		}
	}
	if cell == "–" {
		return "does not look there"
	}
	return cell
}
