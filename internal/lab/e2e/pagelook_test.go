package e2e

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab/browser"
)

// A pageLook is a way of looking at the page.
type pageLook struct {
	name    string
	options browser.Options
	axe     bool     // axe-core looks, too, and the console is heard; else it is only seen whether the page fits
	keep    []string // the pages of which a picture is kept; nil: of all
}

func pageNarrow(language string, dark bool) browser.Options {
	return browser.Options{Width: 390, Height: 844, Phone: true, Dark: dark, Language: language}
}

func pageWide(dark bool, agent string) browser.Options {
	return browser.Options{Width: 1280, Height: 800, Dark: dark, UserAgent: agent}
}

// What other browsers than ours call themselves.
const (
	pageFirefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
	pageSafari  = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15"
	pageIPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1"
)

// pageLooks are the looks of `make test`: each theme, each width, and the longest language on the smallest screen. With
// pictures they are all that are kept.
func pageLooks(pictures bool) []pageLook {
	light, dark := pageLook{"light-390", pageNarrow("en", false), true, nil}, pageLook{"dark-1280", pageWide(true, pageFirefox), true, nil}
	if pictures {
		return []pageLook{
			light,
			{"dark-390", pageNarrow("en", true), true, nil},
			{"light-1280", pageWide(false, pageSafari), true, nil},
			dark,
			{"de-390", pageNarrow("de", false), true, []string{"setup", "home", "phone-new", "scan", "scan-connected", "phone", "settings", "stolen"}},
		}
	}
	return []pageLook{light, dark, {name: "de-360", options: browser.Options{Width: 360, Height: 740, Phone: true, Language: "de"}}}
}

// A pageWindow is a browser's window that goes from page to page, and looks closely at each.
type pageWindow struct {
	*browser.Page
	t       *testing.T
	browser *browser.Browser
	look    pageLook
	base    string // of the page, without a slash at the end
	album   *pageAlbum
	heard   map[string]bool
	pages   *int // how often one was looked at
}

func pageWindows(t *testing.T, b *browser.Browser, base string, album *pageAlbum) (windows []*pageWindow) {
	t.Helper()
	pages := new(int)
	for _, look := range pageLooks(album != nil) {
		windows = append(windows, &pageWindow{
			Page: b.Page(t, look.options), t: t, browser: b, look: look, base: base, album: album,
			heard: make(map[string]bool), pages: pages,
		})
	}
	return windows
}

// other is a window like this one of somebody else, who holds a phone where this one is as small.
func (w *pageWindow) other() *pageWindow {
	o := *w
	if o.look.options.Phone {
		o.look.options.UserAgent = pageIPhone
	}
	o.Page = w.browser.Page(w.t, o.look.options)
	return &o
}

// at opens a path of the page.
func (w *pageWindow) at(path string) *pageWindow {
	w.Open(w.base + path)
	return w
}

// press presses what is selected, and write writes into it. Selectors mean the same in every language.
func (w *pageWindow) press(selector string) *pageWindow {
	w.Click(selector)
	return w
}

func (w *pageWindow) write(selector, text string) *pageWindow {
	w.Type(selector, text)
	return w
}

// seen looks at the page that is there, which must be an answer of status 200; refused must be one of 4xx.
func (w *pageWindow) seen(name string) *pageWindow {
	w.answered(name, http.StatusOK)
	return w
}

func (w *pageWindow) refused(name string) *pageWindow {
	w.answered(name, w.Response().Status/100*100)
	if status := w.Response().Status; status/100 != 4 {
		w.t.Errorf("%s: the answer's status is %d", w.called(name), status)
	}
	return w
}

func (w *pageWindow) called(name string) string { return name + ", " + w.look.name }

func (w *pageWindow) answered(name string, status int) {
	*w.pages++
	called := w.called(name)
	if got := w.Response().Status; status == http.StatusOK && got != status {
		w.t.Errorf("%s: the answer's status is %d", called, got)
	}
	w.fits(called)
	if !w.look.axe {
		return // the others look more closely at the same
	}
	if got := strings.Join(w.Texts("body"), " "); strings.Contains(got, "%!") || got == "" {
		w.t.Errorf("%s: it says %q", called, got)
	}
	w.listen(called)
	for _, v := range w.Axe(w.t) {
		w.t.Errorf("%s: %v", called, v)
	}
	w.album.keep(w, name)
}

func (w *pageWindow) fits(called string) {
	if got := w.Sideways(); got > 0 {
		w.t.Errorf("%s: one has to scroll sideways by %d px", called, got)
	}
}

// listen fails the test for what the console has to say, once for each word of it.
func (w *pageWindow) listen(called string) {
	for _, c := range w.Complaints() {
		refusal := c.Source == "network" && strings.Contains(c.Text, "with a status of 4") && !strings.Contains(c.URL, "/assets/")
		knocked := strings.HasSuffix(c.URL, "/manifest.json") // by a phone that looks; that nobody opens is what it hopes for
		if said := c.String(); !refusal && !knocked && !w.heard[said] {
			w.heard[said] = true
			w.t.Errorf("%s: the browser's console: %s", called, said)
		}
	}
}

// A pageAlbum is where pictures of the pages are kept; nil where none are.
type pageAlbum struct {
	t     *testing.T
	dir   string
	state string // the appliance's directory, whose name is another one each time
	kept  []pagePicture
}

// A pagePicture is a file of the album.
type pagePicture struct{ page, look, file string }

// pageUnkept are states that look like others.
var pageUnkept = []string{"home/offer", "home/how", "check/unverified", "not-found/mapping", "settings/watch-problem", "settings/watch-saved", "settings/watch-forgotten"}

// keep keeps a picture of a page in every look, and of one of its further states, whose name has a slash in it, in the first.
func (a *pageAlbum) keep(w *pageWindow, name string) {
	if a == nil || strings.HasSuffix(name, "/hostile") || slices.Contains(pageUnkept, name) || len(w.look.keep) > 0 && !slices.Contains(w.look.keep, name) {
		return
	}
	if strings.Contains(name, "/") && w.look.name != pageLooks(true)[0].name {
		return
	}
	a.settle(w)
	picture := pagePicture{name, w.look.name, strings.ReplaceAll(name, "/", "-") + "-" + w.look.name + ".png"}
	if err := pageWriteSmall(filepath.Join(a.dir, picture.file), w.Picture()); err != nil {
		a.t.Fatalf("keeping a picture: %v", err)
	}
	a.kept = append(a.kept, picture)
}

// settle puts in place of what is a test's own what a household would see there.
func (a *pageAlbum) settle(w *pageWindow) {
	w.Look(nil, `(state) => {
		const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		for (let text; (text = texts.nextNode()); ) {
			text.data = text.data.replace(state, "/var/lib/hearthgate").replace(/^(Hearthgate )?unknown$/, "$10.3");
		}
	}`, a.state)
}
