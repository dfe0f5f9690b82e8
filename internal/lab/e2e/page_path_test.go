package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/lab/browser"
)

// What the way from the first look at the page to a connected phone may cost.
const (
	pagePresses    = 4
	pageCharacters = 12
)

// browseToCode goes the way of somebody who has read the address and the code off the terminal: claims the page, adds Anna's
// phone, and has its code on the screen.
func browseToCode(t *testing.T, h *home, p *browser.Page) {
	t.Helper()
	p.Open(h.page(t))
	browseSmall(t, p, "the first page")
	p.Type("Setup code", h.setupCode(t))
	p.Click("Set passphrase")
	if p.Has("#endpoint") { // nobody has said how phones find home
		p.Click("Not now")
	}
	p.Click("Add a phone")
	p.Type("Whose phone is it?", "Anna")
	p.Click("Show QR code")
	p.WaitText("#progress", "Waiting for Anna…", pagePatience)
}

// browseCheap compares what the way has cost with what it may cost.
func browseCheap(t *testing.T, p *browser.Page) {
	t.Helper()
	cost := p.Effort()
	t.Logf("%d presses and %d characters typed", cost.Presses, cost.Characters)
	if cost.Presses > pagePresses || cost.Characters > pageCharacters {
		t.Errorf("%d presses and %d characters typed; at most %d and %d are bearable",
			cost.Presses, cost.Characters, pagePresses, pageCharacters)
	}
}

// TestFromTheFirstPageToAConnectedPhone is the product's promise, gone as a household goes it: with a browser on the LAN, over
// plain HTTP, and with a phone out on the internet that knows nothing but what stands in the code.
func TestFromTheFirstPageToAConnectedPhone(t *testing.T) {
	browser.Need(t)
	h := standinHome(t)
	h.do(t, "peer", "add", "Ben", "--conf")
	p := browser.Start(t, browser.On(h.AddDevice(t, "desk"))).Page(t, browser.Options{})
	browseToCode(t, h, p)
	config := browser.DecodeQR(t, p.Picture())
	if name, file := p.Download("Download file"); string(file) != config || name != "anna.conf" && name != "Anna.conf" {
		t.Errorf("the file %s is not what the code says:\n%s\n%s", name, file, config)
	}
	browseMark(p)
	phone := h.AddPhone(t, "anna")
	if !phone.WireGuard(t, config, lab.Allowed).Handshake(t, pagePatience) {
		t.Fatalf("no handshake\n%s", h.daemon.Output())
	}
	shaken := time.Now()
	p.WaitText("#progress", "Connected, over mobile data", pagePatience)
	t.Logf("the page says so %v after the phone's first handshake", time.Since(shaken).Round(time.Millisecond))
	if !browseMarked(p) {
		t.Error("the page was loaded again, which takes the place where one reads away")
	}
	if p.Has("#stage .paper") {
		t.Error("the phone's code is still on the screen")
	}
	p.WaitText("main", "Now open Home Assistant", pagePatience)
	browseQuiet(t, p)
	browseCheap(t, p)

	inside := h.status(t).Tunnel.IPv4
	portal := browser.Start(t, browser.On(phone)).Page(t, browser.Options{Width: 390, Phone: true, Scale: 3})
	portal.Open("http://" + inside + "/")
	if said := portal.Text("h1"); said != "You are connected to home as Anna" {
		t.Errorf("the portal says %q", said)
	}
	browseSmall(t, portal, "the portal")
	for _, word := range []string{"Ben", h.Appliance.Addr4.String(), h.HomeAssistant.Addr4.String()} {
		if portalHas(portal, word) {
			t.Errorf("the portal of Anna's phone tells of %s", word)
		}
	}
	browseQuiet(t, portal)
	portal.Click("Open Home Assistant")
	if got := portal.Response(); got.Status != http.StatusOK || got.Address != inside+":8123" {
		t.Errorf("Home Assistant through the tunnel: %+v", got)
	}

	p.Open(h.page(t))
	browseSmall(t, p, "the front page")
	p.WaitText("#phones", "Anna Active now", pagePatience)
	browseQuiet(t, p)
}

func portalHas(p *browser.Page, word string) bool {
	var has bool
	p.Look(&has, `(word) => document.documentElement.outerHTML.includes(word)`, word)
	return has
}

// TestTheSameWithoutScriptOnASmallScreen goes the way where nobody has set an address yet, with a phone on the home's own
// network. The page is loaded again to see what is new, which it does by itself.
func TestTheSameWithoutScriptOnASmallScreen(t *testing.T) {
	browser.Need(t)
	h := standinHome(t)
	h.restart(t, "--home-assistant", h.homeAssistantURL())
	p := browser.Start(t, browser.On(h.AddDevice(t, "desk"))).
		Page(t, browser.Options{Width: 360, Height: 740, Scale: 2, Phone: true, NoScript: true})
	browseToCode(t, h, p)
	browseCheap(t, p)
	config := browser.DecodeQR(t, p.Picture())
	p.Click("Android")
	if again := browser.DecodeQR(t, p.Picture()); again != config {
		t.Error("on the other tab there is another code")
	}
	if wide := p.Sideways(); wide > 0 {
		t.Errorf("the page is %d px wider than the screen", wide)
	}
	browseMark(p)
	phone := h.AddDevice(t, "anna")
	if !phone.WireGuard(t, config, lab.Allowed).Handshake(t, pagePatience) {
		t.Fatalf("no handshake\n%s", h.daemon.Output())
	}
	p.Reload()
	p.WaitText("#progress", "Connected, over your home Wi-Fi", pagePatience)
	if browseMarked(p) {
		t.Error("nothing has loaded the page again")
	}
	browseQuiet(t, p)
}

// TestWithoutAMouse claims the page and adds a phone with the keys alone.
func TestWithoutAMouse(t *testing.T) {
	browser.Need(t)
	h := standinHome(t)
	p := browser.Start(t, browser.On(h.AddDevice(t, "desk"))).Page(t, browser.Options{})
	p.Open(h.page(t))
	browseTabs(t, p, "#code")
	p.Type("#code", h.setupCode(t))
	browseTabs(t, p, "main form button")
	p.Press("Enter")
	browseTabs(t, p, `a[href="/phones/new"]`)
	p.Press("Enter")
	browseTabs(t, p, "#name")
	p.Type("#name", "Anna")
	browseTabs(t, p, `button[value="code"]`)
	p.Press("Enter")
	p.WaitText("#progress", "Waiting for Anna…", pagePatience)
	browseTabs(t, p, `.tabs a[href="?app=android"]`)
	p.Press("Enter")
	p.WaitText(".tabs [aria-current]", "Android", pagePatience)
	browseQuiet(t, p)
}
