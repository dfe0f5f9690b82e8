package e2e

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab/browser"
)

// patience is how long the page may take for what it does by itself, on a machine that is busy.
const pagePatience = 20 * time.Second

// page is the address of the page, as `run` has printed it.
func (h *home) page(t testing.TB) string {
	t.Helper()
	found := regexp.MustCompile(`Page +(http://\S+)/\n`).FindStringSubmatch(h.daemon.Output())
	if found == nil {
		t.Fatalf("no address of the page was printed:\n%s", h.daemon.Output())
	}
	return found[1]
}

// restart ends the appliance and starts it again.
func (h *home) restart(t testing.TB, args ...string) {
	t.Helper()
	h.daemon.Stop(t)
	h.args = args
	h.start(t)
}

// fromTheLAN is a config for a phone at home: the lab's router does not send back what comes to its own outside from within,
// so the phone is told the appliance's address.
func (h *home) fromTheLAN(config string) string {
	return regexp.MustCompile(`(?m)^Endpoint.*$`).
		ReplaceAllString(config, "Endpoint = "+netip.AddrPortFrom(h.Appliance.Addr4, 51820).String())
}

// browseSmall fails the test when the page in the window took more to load than people's patience bears: 4 requests and 60
// KiB, as if nothing were in the cache yet. What stays open, for what is live, is not counted.
func browseSmall(t *testing.T, p *browser.Page, name string) {
	t.Helper()
	count, decoded, transferred := 0, int64(0), int64(0)
	for _, r := range p.Requests().Requests {
		if r.Type != "EventSource" && r.Type != "Fetch" {
			count, decoded, transferred = count+1, decoded+r.Decoded, transferred+r.Transferred
		}
	}
	t.Logf("%s: %d requests, %d bytes, %d of them over the wire", name, count, decoded, transferred)
	if count == 0 || count > 4 || decoded > 60<<10 || transferred > 60<<10 {
		t.Errorf("%s takes too much:\n%v", name, p.Requests())
	}
}

// browseQuiet fails the test when the browser's console has to say something against the page. That an answer was a refusal
// is no news where the page is that answer.
func browseQuiet(t *testing.T, p *browser.Page) {
	t.Helper()
	for _, c := range p.Complaints() {
		if c.Source == "network" && strings.Contains(c.Text, "the server responded with a status of 4") && !strings.Contains(c.URL, "/assets/") {
			continue
		}
		t.Errorf("the browser's console: %v", c)
	}
}

// browseMark leaves a mark on the document that is there; browseMarked tells whether it is still the same one.
func browseMark(p *browser.Page) {
	p.Look(nil, `() => { document.documentElement.dataset.mark = "x" }`)
}

func browseMarked(p *browser.Page) bool { return p.Attribute("html", "data-mark") == "x" }

// browseTabs presses the Tab key until an element of the selector has the focus, as somebody does who has no mouse, and who
// must see where they are.
func browseTabs(t *testing.T, p *browser.Page, selector string) {
	t.Helper()
	for range 40 {
		var at struct{ There, Seen bool }
		p.Look(&at, `(selector) => {
			const e = document.activeElement, style = getComputedStyle(e);
			return {There: e.matches(selector), Seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none"};
		}`, selector)
		if at.There {
			if !at.Seen {
				t.Errorf("%s has the focus, and nothing shows it", selector)
			}
			return
		}
		p.Press("Tab")
	}
	t.Fatalf("the Tab key does not come to %s", selector)
}
