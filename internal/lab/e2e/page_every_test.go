package e2e

import (
	"flag"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/lab/browser"
)

// screens is set by `make screens`.
var screens = flag.String("screens", "", "directory in which pictures of every page are kept")

// pagePassphrase opens the household of these tests. It is typed often, so it is as short as it may be.
const pagePassphrase = "violin meadow"

// A pageTour leads every window through every page and every state that it can be in.
type pageTour struct {
	*home
	t       *testing.T
	browser *browser.Browser
	windows []*pageWindow
	anna    *lab.Host
	ids     map[string]string // of phones, by name
}

// TestEveryPage looks at every page in the states that people see it in, as narrow as a phone and as wide as a desk, light and
// dark: axe-core finds nothing serious, nobody has to scroll sideways in any language, and the browser has nothing to say.
// With -screens it keeps a picture of each.
func TestEveryPage(t *testing.T) {
	browser.Need(t)
	browser.NeedAxe(t)
	tour := newPageTour(t)
	for _, stage := range []struct {
		name    string
		prepare func()
		visit   func(*pageWindow)
	}{
		{"shut", nil, tour.shut},
		{"new", tour.fresh, tour.unclaimed},
		{"claimed", tour.claim, tour.signingIn},
		{"empty", tour.settle, tour.empty},
		{"asked again", tour.moveIn, tour.confirming},
		{"unwatched", tour.live, tour.unwatched},
		{"home", tour.watched, tour.atHome},
		{"adding", nil, tour.adding},
		{"phones", nil, tour.phones},
		{"settings", nil, tour.settings},
		{"languages", tour.languages, nil},
		{"two steps", tour.turnOnTwoStep, tour.twoStep},
		{"portal", tour.visitPortal, nil},
		{"open", tour.openUp, tour.standsOpen},
		{"stolen", nil, tour.stolen},
		{"hostile", tour.hostile, tour.hostileNames},
	} {
		began := time.Now()
		if stage.prepare != nil {
			stage.prepare()
		}
		prepared := time.Since(began)
		for _, w := range tour.windows {
			if stage.visit != nil {
				stage.visit(w)
			}
		}
		t.Logf("%-12s %5.1f s, of them %.1f s to prepare", stage.name, time.Since(began).Seconds(), prepared.Seconds())
	}
	t.Logf("%d looks", *tour.windows[0].pages)
	if album := tour.windows[0].album; album != nil {
		if err := album.table(); err != nil {
			t.Fatal(err)
		}
	}
}

func newPageTour(t *testing.T) *pageTour {
	h := newHome(t)
	h.liveAt(t, h.HomeAssistant, homeVersion, 8123)
	// The machine has been on for longer than that.
	h.args = []string{"--home-assistant", h.homeAssistantURL(), "--claim-window", "1s"}
	h.synchronised(t) // or nobody could turn on two-step sign-in
	h.start(t)
	var album *pageAlbum
	if *screens != "" {
		album = &pageAlbum{t: t, dir: *screens, state: h.state}
	}
	b := browser.Start(t, browser.On(h.AddDevice(t, "desk")), browser.Resolve("hearth.example", h.Appliance.Addr4.String()))
	return &pageTour{home: h, t: t, browser: b, windows: pageWindows(t, b, h.page(t), album), ids: make(map[string]string)}
}

func (p *pageTour) shut(w *pageWindow) { w.at("/").seen("setup/shut") }

// fresh is an appliance as it is on its first day.
func (p *pageTour) fresh() { p.restart(p.t, "--home-assistant", p.homeAssistantURL()) }

func (p *pageTour) unclaimed(w *pageWindow) {
	w.at("/").write("#passphrase", "copper lantern meadow violin").seen("setup")
	w.write("#code", p.setupCode(p.t)).write("#passphrase", "kitchen").press("main form button").refused("setup/problem")
	w.Open(strings.Replace(w.base, p.Appliance.Addr4.String(), "hearth.example", 1) + "/")
	w.refused("not-found/other-name")
}

// claim is done by a browser that is never looked at.
func (p *pageTour) claim() {
	w := p.browser.Page(p.t, browser.Options{NoScript: true})
	w.Open(p.windows[0].base + "/?first")
	w.Type("#code", p.setupCode(p.t))
	w.Type("#passphrase", pagePassphrase)
	w.Click("main form button")
}

func (p *pageTour) signingIn(w *pageWindow) {
	w.at("/setup").seen("already-set-up")
	w.at("/").seen("sign-in")
	w.write("#passphrase", "viola meadow").press("main form button").refused("sign-in/wrong")
	w.write("#passphrase", pagePassphrase).press(`input[name="keep"]`).press("main form button")
	w.at("/setup/address").seen("address/setup")
	w.write("#endpoint", "my house").press(`button[value="save"]`).refused("address/setup-problem")
}

// settle says how phones find home.
func (p *pageTour) settle() {
	p.windows[0].at("/setup/address").write("#endpoint", "home.example").press(`button[value="save"]`)
}

func (p *pageTour) empty(w *pageWindow) { w.at("/").seen("home/empty") }

// moveIn adds the household, and starts the appliance again, after which nobody's passphrase was typed lately, and a phone
// that was there before is not any more.
func (p *pageTour) moveIn() {
	p.do(p.t, "service", "add", "printer", net.JoinHostPort(p.Neighbour.Addr4.String(), "631"))
	p.do(p.t, "service", "add", "doorbell", net.JoinHostPort(p.Neighbour.Addr4.String(), "554"), "--port", "8554")
	_, tablet := p.phone(p.t, "clara", "Clara’s tablet", lab.Allowed)
	p.daemon.WaitFor(p.t, "peer.first_handshake", pagePatience)
	tablet.Close(p.t)
	for _, args := range [][]string{
		{"David"},
		{"Emma"},
		{"Grandma"},
		{"Cat sitter", "--expires", "7d", "--service", "doorbell"},
		{"Plumber"},
	} {
		p.do(p.t, append(append([]string{"peer", "add"}, args...), "--conf")...)
	}
	p.do(p.t, "peer", "disable", "David")
	p.do(p.t, "peer", "expire", "Plumber", time.Now().Add(4*time.Second).UTC().Format(time.RFC3339Nano))
	p.restart(p.t, p.args...)
}

func (p *pageTour) confirming(w *pageWindow) {
	w.at("/settings/address").press("main form button").refused("confirm")
	w.write("#passphrase", "viola meadow").press("main form button").refused("confirm/wrong")
	w.write("#passphrase", pagePassphrase).press("main form button").seen("settings/saved")
}

// live lets Anna come in from the internet and Ben from the home's Wi-Fi.
func (p *pageTour) live() {
	p.anna, _ = p.phone(p.t, "anna", "Anna", lab.Allowed)
	// As phones do all day; without it, they would be idle after 180 s.
	inside := p.status(p.t).Tunnel.IPv4
	ping := []string{"-q", "-i", "20", inside}
	lab.Start(p.t, p.anna.Command(p.t.Context(), "ping", ping...))
	p.do(p.t, "peer", "services", "Anna", "home-assistant", "printer")
	ben := p.fromTheLAN(p.do(p.t, "peer", "add", "Ben", "--conf", "--service", "home-assistant", "--service", "admin"))
	at := p.AddDevice(p.t, "ben")
	if !at.WireGuard(p.t, ben, lab.Allowed).Handshake(p.t, pagePatience) {
		p.t.Fatalf("no handshake\n%s", p.daemon.Output())
	}
	lab.Start(p.t, at.Command(p.t.Context(), "ping", ping...))
	for range 40 {
		if code, err := fetch(p.t.Context(), p.anna, "http://"+inside+":8123/"); err != nil || code != 200 {
			p.t.Fatalf("Home Assistant: %d, %v", code, err)
		}
	}
	var list []peer
	p.decode(p.t, &list, "peer", "list", "--json")
	for _, one := range list {
		p.ids[one.Name] = one.ID
	}
	eventually(p.t, pagePatience, "every state is there", func() bool {
		p.decode(p.t, &list, "peer", "list", "--json")
		var states []string
		for _, one := range list {
			states = append(states, one.State)
		}
		slices.Sort(states)
		return slices.Equal(slices.Compact(states), []string{"active", "disabled", "expired", "idle", "waiting"})
	})
}

// at is where a phone's page is.
func (p *pageTour) of(name, more string) string { return "/phones/" + p.ids[name] + more }

// unwatched is before anybody looks from outside.
func (p *pageTour) unwatched(w *pageWindow) {
	w.at("/").seen("home/unverified")
	w.press("#exposure details:first-of-type summary").seen("home/offer")
	w.at("/check").seen("check/unverified")
}

// watched has a witness look, who finds nothing.
func (p *pageTour) watched() {
	p.trust(p.t, p.outside(p.t, "tower").invite(p.t))
	if exit, v := p.check(p.t); exit != exitClosed {
		p.t.Errorf("closed was expected: %v", v)
	}
}

// openUp makes an opening and has it seen; afterwards it is gone, and nobody has seen that yet.
func (p *pageTour) openUp() {
	closeIt := p.Open(p.t, lab.Forward{External: 443, To: p.HomeAssistant, Port: 8123})
	if exit, v := p.check(p.t); exit != exitExposed {
		p.t.Errorf("exposed was expected: %v", v)
	}
	closeIt()
}

func (p *pageTour) standsOpen(w *pageWindow) {
	w.at("/").seen("home/exposed")
	w.press("#exposure summary").seen("home/how")
	w.at("/check").seen("check/exposed")
}

// atHome is before anybody adds more to the journal.
func (p *pageTour) atHome(w *pageWindow) {
	w.at("/").seen("home")
	w.at("/check").seen("check")
	w.at("/check/mapping?id=nothing").refused("not-found/mapping")
	w.at("/journal").seen("journal")
	w.at("/journal?kind=service").seen("journal/filtered")
	w.at("/journal?kind=token").seen("journal/empty")
}

func (p *pageTour) adding(w *pageWindow) {
	w.at("/phones/new").seen("phone-new")
	w.press("main summary").write("#name", "Anna").press(`button[value="code"]`).refused("phone-new/problem")
	w.at(p.of("Emma", "")).press(`form[action$="/rekey"] button`).seen("scan")
	w.press(`.tabs a[href="?app=android"]`).seen("scan/android")
	w.press(`form[action$="/link"] button`).seen("link-made")
	link := w.Value("#link")
	w.at(p.of("Grandma", "/scan")).seen("scan/gone")
	w.at(p.of("Anna", "/scan")).seen("scan-connected")
	w.at(p.of("Ben", "/scan")).seen("scan-connected/at-home")
	w.at(p.of("Ben", "/scan?app=android")).seen("scan-connected/android")

	guest := w.other()
	guest.Open(link)
	guest.seen("link-open").press("main form button").seen("link-spent")
	guest.Open(link) // who comes back from the App Store
	guest.seen("link-spent/again")
	late := w.other()
	late.Open(link)
	late.refused("link-open/gone")
	if guest.look.options.Phone { // somebody who adds the very phone that they hold
		guest.at("/signin").write("#passphrase", pagePassphrase).press("main form button")
		guest.at(p.of("Emma", "")).press(`form[action$="/rekey"] button`).seen("scan/on-the-phone")
		guest.press("details.quiet summary").seen("scan/on-the-phone-code")
		guest.press("form.leave button")
	}
}

func (p *pageTour) phones(w *pageWindow) {
	w.at(p.of("Anna", "")).press("main details.quiet summary").seen("phone")
	w.write("#name", "Ben").press(`form[action$="/rename"] button`).refused("phone/problem")
	w.at(p.of("Clara’s tablet", "")).seen("phone/idle")
	w.at(p.of("Grandma", "")).seen("phone/waiting")
	w.at(p.of("David", "")).seen("phone/paused")
	w.at(p.of("Plumber", "")).seen("phone/expired")
	w.at(p.of("Cat sitter", "")).seen("phone/for-a-week")
	w.at(p.of("Anna", "/remove")).seen("phone-remove")
	w.at("/phones/nobody").refused("not-found/phone")
	w.at("/nowhere").refused("not-found")
}

func (p *pageTour) settings(w *pageWindow) {
	w.at("/settings").seen("settings")
	w.at("/settings/address").seen("address")
	w.write("#endpoint", "my house").press("main form button").refused("address/problem")
	w.at("/settings/passphrase").write("#passphrase", "quiet river wooden clock").seen("passphrase")
	w.write("#passphrase", "hearthgate").press("main form button").refused("passphrase/problem")
	w.at("/settings/two-step").seen("two-step")
	w.press("main form button").seen("two-step-start")
	w.write("#code", "000000").press(`form[action$="/confirm"] button`).refused("two-step-start/problem")
	w.at("/settings/sessions").seen("sessions")
	w.at("/settings/tokens").seen("tokens/none")
	w.write("#name", "Home Assistant").press("main form button").seen("token-made")
	w.at("/settings/tokens").seen("tokens/listed").press(`form[action$="/remove"] button`)
	w.at("/settings/services").seen("services")
	w.write("#name", "printer").write("#target", "192.168.77.30:80").press(`form[action="/settings/services"] button`).refused("services/problem")
	w.at("/settings/services/printer/remove").seen("service-remove")
	w.at("/settings/watch").seen("settings/watch")
	w.write("#invite", "hearthgate-witness:nothing").press(`form[action="/settings/watch/witness"] button`).refused("settings/watch-problem")
	w.at("/settings/watch").write("#webhook", "http://"+p.Neighbour.Addr4.String()+"/hook").press(`form[action$="/webhook"] button`).seen("settings/watch-saved")
	w.press(`form[action$="/webhook"] button[name="off"]`).seen("settings/watch-forgotten")
	w.at("/settings/appearance").seen("appearance")
	w.press("main form button").seen("appearance/saved")
	w.at("/settings/stolen").seen("stolen")
}

// languages shows in the other languages, on the smallest screen, what can be asked for. The choice is that of the settings.
func (p *pageTour) languages() {
	paths := []string{
		"/", "/phones/new", p.of("Anna", "/scan"), p.of("Ben", "/scan"), p.of("Anna", ""), p.of("Plumber", ""), p.of("Anna", "/remove"),
		"/nowhere", "/journal", "/settings", "/settings/address", "/settings/passphrase", "/settings/two-step", "/settings/sessions",
		"/settings/tokens", "/settings/services", "/settings/services/printer/remove", "/settings/stolen",
		"/check", "/settings/watch",
	}
	w := *p.windows[0]
	w.Page = p.browser.Page(p.t, browser.Options{Width: 360, Height: 740, Phone: true})
	w.at("/signin").write("#passphrase", pagePassphrase).press("main form button")
	for _, language := range [][2]string{{"en", "English"}, {"fr", "Français"}, {"nl", "Nederlands"}, {"es", "Español"}} {
		w.at("/settings/appearance").Choose("#language", language[1])
		w.press("main form button")
		if lang := w.Attribute("html", "lang"); lang != language[0] {
			w.t.Errorf("%s was chosen, and the page is in %q", language[1], lang)
		}
		for _, path := range paths {
			w.at(path).fits(path + " in " + language[1])
		}
	}
}

// turnOnTwoStep leaves the recovery codes on the first window's screen.
func (p *pageTour) turnOnTwoStep() {
	w := p.windows[0]
	w.at("/settings/two-step").press("main form button")
	w.write("#code", totp(p.t, w.Value("#key"), time.Now())).press(`form[action$="/confirm"] button`)
	w.at("/settings/two-step").seen("two-step/first")
}

func (p *pageTour) twoStep(w *pageWindow) {
	w.at("/settings/two-step").seen("two-step/on")
	w.press(`form[action$="/codes"] button`).seen("recovery-codes")
	recovery := w.Text(".codes code")
	w.at("/settings").press("form.leave button")
	w.write("#passphrase", pagePassphrase).press("main form button").seen("sign-in-code")
	w.write("#code", "0000-0000-0000-0000").press("main form button").refused("sign-in-code/wrong")
	w.write("#code", recovery).press("main form button").seen("home/signed-in")
	if !w.Has("#exposure") {
		w.t.Errorf("%s: a recovery code does not open the page", w.called("sign-in-code"))
	}
}

// visitPortal looks at the portal from Anna's phone, with windows of a browser that is there.
func (p *pageTour) visitPortal() {
	first := p.windows[0]
	base := "http://" + p.status(p.t).Tunnel.IPv4
	windows := pageWindows(p.t, browser.Start(p.t, browser.On(p.anna)), base, first.album)
	for _, w := range windows {
		w.at("/").seen("portal")
		w.at("/check").seen("portal/check")
		w.at("/settings").refused("portal/nothing")
	}
	*first.pages += *windows[0].pages
}

func (p *pageTour) stolen(w *pageWindow) {
	w.at("/settings/stolen").press(`input[name="sure"]`).press("main form button").seen("stolen-done")
	w.at("/").seen("home/after-theft")
	w.at(p.of("Grandma", "")).seen("phone/needs-code")
}

// hostileNames are what somebody may call a phone who wants to see the page break.
var pageHostile = []string{
	`<script>alert(1)</script><img src=x onerror=alert(1)>`,
	`"'></textarea><b onmouseover=alert(1)>{{.}}`,
	strings.Repeat("W", 64),
	"هاتف سارة (<b>)",
	"Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"[:64],
}

func (p *pageTour) hostile() {
	for _, name := range pageHostile {
		p.do(p.t, "peer", "add", "--conf", name)
	}
	var list []peer
	p.decode(p.t, &list, "peer", "list", "--json")
	for _, one := range list {
		p.ids[one.Name] = one.ID
	}
}

// hostileNames looks for what such a name may do to a page: run, be markup, or push it apart.
func (p *pageTour) hostileNames(w *pageWindow) {
	w.at("/").seen("home/hostile")
	w.at("/journal").seen("journal/hostile")
	w.at(p.of(pageHostile[0], "")).seen("phone/hostile")
	for _, name := range pageHostile {
		w.at(p.of(name, "")).fits("phone, " + name)
		var markup int
		w.Look(&markup, `() => document.querySelectorAll("main img, main b, main script, [onmouseover], [onerror]").length`)
		if markup > 0 {
			w.t.Errorf("a phone called %s has become markup", name)
		}
		w.at(p.of(name, "/remove")).fits("phone-remove, " + name)
	}
}
