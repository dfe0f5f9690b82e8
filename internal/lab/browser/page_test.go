package browser_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab/browser"
)

// One browser serves all these tests: its start is most of what they take.
func TestAPage(t *testing.T) {
	b := browser.Start(t)
	t.Run("as a person uses it", func(t *testing.T) { use(t, b) })
	t.Run("as it looks to whom", func(t *testing.T) { look(t, b) })
	t.Run("what it asks for", func(t *testing.T) { count(t, b) })
	t.Run("what the console says", func(t *testing.T) { complain(t, b) })
	t.Run("in pictures", func(t *testing.T) { draw(t, b) })
	t.Run("as axe-core sees it", func(t *testing.T) { examine(t, b) })
	t.Run("where nobody is", func(t *testing.T) {
		err := b.Page(t, browser.Options{}).TryOpen("http://hearthgate.example/")
		if err == nil || !strings.Contains(err.Error(), "ERR_NAME_NOT_RESOLVED") {
			t.Errorf("a name on the internet: %v", err)
		}
	})
}

func use(t *testing.T, b *browser.Browser) {
	s := newSite(t)
	t.Run("reads, presses and types, which is counted", func(t *testing.T) {
		p := b.Page(t, browser.Options{})
		p.Open(s.URL)
		if got := p.Text("#script"); got != "a script has run" {
			t.Errorf("the page says %q", got)
		}
		p.Click("Say it here")
		if got := p.Text("#said"); got != "said" {
			t.Errorf("after a press the page says %q", got)
		}
		p.Click("Details") // a <summary>
		if !p.Has("#folded") {
			t.Error("what was folded is not to be seen")
		}
		p.Click("Add a phone")
		if got := p.Text("h1"); got != "Add a phone" || p.URL() != s.URL+"/add" {
			t.Errorf("the link led to %q at %s", got, p.URL())
		}
		p.Type("Name", "Änne") // has the focus already
		p.Type("[name=note]", "new")
		p.Click("Everything")
		p.Choose("Kind", "Android")
		if got := p.Effort(); got != (browser.Effort{Presses: 7, Characters: 7}) {
			t.Errorf("counted %+v", got)
		}
		p.Press("Tab")
		if got := p.Focus(); got != "Show QR code" {
			t.Errorf("after Tab the focus is on %q", got)
		}
		p.Press("Enter")
		if got := p.Text("#form"); got != "Änne, new, on, Android" {
			t.Errorf("the server got %q", got)
		}
		if got := p.Effort().Presses; got != 9 {
			t.Errorf("counted %d presses", got)
		}
		p.AssertQuiet()
	})
	t.Run("sees a live line change by itself", func(t *testing.T) {
		p := b.Page(t, browser.Options{})
		p.Open(s.URL)
		p.WaitText("[role=status]", "waiting", limit)
		s.events <- "connected"
		p.WaitText("[role=status]", "connected", limit)
		p.Reload()
		p.WaitText("[role=status]", "waiting", limit)
	})
	t.Run("gets a file", func(t *testing.T) {
		p := b.Page(t, browser.Options{})
		p.Open(s.URL)
		if name, content := p.Download("Configuration file"); name != "home.conf" || string(content) != secret {
			t.Errorf("got %s: %q", name, content)
		}
	})
	t.Run("is told who answered, and how", func(t *testing.T) {
		p := b.Page(t, browser.Options{})
		p.Open(s.URL + "/nowhere")
		if got := p.Response(); got.Status != http.StatusNotFound || !strings.HasPrefix(s.URL, "http://"+got.Address) {
			t.Errorf("the answer: %+v", got)
		}
		p.Open(s.URL)
		if got := p.Response().Header.Get("Content-Security-Policy"); got != policy {
			t.Errorf("the policy: %q", got)
		}
		refused, ok := errors.AsType[*browser.OpenError](p.TryOpen("http://127.0.0.1:1/"))
		if !ok || refused.Reason != "net::ERR_UNSAFE_PORT" {
			t.Errorf("port 1: %v", refused)
		}
	})
	t.Run("is known by cookies of one window", func(t *testing.T) {
		p := b.Page(t, browser.Options{})
		p.Open(s.URL)
		p.Open(s.URL)
		if got := p.Text("#request"); !strings.HasSuffix(got, "cookie seen=yes") {
			t.Errorf("the second visit: %s", got)
		}
		if all := p.Cookies(); len(all) != 1 || all[0].Name != "seen" || !all[0].HTTPOnly || all[0].SameSite != "Strict" {
			t.Errorf("cookies: %+v", all)
		}
		other := b.Page(t, browser.Options{})
		other.Open(s.URL)
		if got := other.Text("#request"); !strings.HasSuffix(got, "cookie none") {
			t.Errorf("another window: %s", got)
		}
	})
}

func look(t *testing.T, b *browser.Browser) {
	s := newSite(t)
	const background = `() => getComputedStyle(document.body).backgroundColor`
	t.Run("at a desk", func(t *testing.T) {
		p := b.Page(t, browser.Options{})
		p.Open(s.URL)
		var colour string
		if p.Look(&colour, background); colour != "rgba(0, 0, 0, 0)" {
			t.Errorf("the background is %s", colour)
		}
		if got := p.Text("#request"); strings.Contains(got, "Headless") || !strings.Contains(got, "; en;") {
			t.Errorf("the request: %s", got)
		}
	})
	t.Run("on a phone, in the dark, in German, without script", func(t *testing.T) {
		p := b.Page(t, browser.Options{
			Width: 390, Height: 844, Scale: 2, Phone: true, Dark: true, NoScript: true, Language: "de-CH,de", UserAgent: "Phone/1",
		})
		p.Open(s.URL)
		var colour string
		if p.Look(&colour, background); colour != "rgb(17, 17, 17)" {
			t.Errorf("the background is %s", colour)
		}
		if got := p.Text("#request"); !strings.HasPrefix(got, "Phone/1; de-CH,de") {
			t.Errorf("the request: %s", got)
		}
		if got := p.Text("#script"); got != "no script has run" || !p.Has("#noscript") {
			t.Errorf("without script the page says %q", got)
		}
		p.Click("Add a phone")
		p.Type("Name", "Anna")
		p.Click("Show QR code")
		if got := p.Text("h1"); got != "Added Anna" {
			t.Errorf("the form led to %q", got)
		}
	})
	t.Run("at too narrow a window", func(t *testing.T) {
		for _, phone := range []bool{true, false} {
			p := b.Page(t, browser.Options{Width: 360, Phone: phone})
			p.Open(s.URL + "/wide")
			if got := p.Sideways(); got < 340 || got > 380 {
				t.Errorf("phone %v: the page is %d pixels too wide", phone, got)
			}
			p.Open(s.URL + "/add")
			if got := p.Sideways(); got != 0 {
				t.Errorf("phone %v: a page that fits is %d pixels too wide", phone, got)
			}
		}
	})
}

func count(t *testing.T, b *browser.Browser) {
	s := newSite(t)
	p := b.Page(t, browser.Options{})
	p.Open(s.URL + "/moved")
	got := p.Requests()
	var asked []string
	for _, r := range got.Requests {
		asked = append(asked, strings.TrimPrefix(r.URL, s.URL)+" "+r.Type)
		if r.Transferred < r.Decoded || r.Status == http.StatusOK && r.Decoded == 0 {
			t.Errorf("nothing is compressed, so more is transferred than decoded: %+v", r)
		}
	}
	want := []string{"/moved Document", "/add Document", "/app.css Stylesheet", "/app.svg Other"}
	if !slices.Equal(asked, want) || got.Count() != 4 {
		t.Errorf("requested %q (%d), want %q", asked, got.Count(), want)
	}
	if got.Decoded < int64(len(style)) || got.Transferred < got.Decoded+400 || got.Transferred > got.Decoded+4000 {
		t.Errorf("%v", got)
	}
	p.Open(s.URL + "/add")
	if got := p.Requests(); len(got.Requests) != 3 {
		t.Errorf("what was asked for before the last opening is not forgotten: %v", got)
	}
}

func complain(t *testing.T, b *browser.Browser) {
	s := newSite(t)
	p := b.Page(t, browser.Options{})
	for _, c := range []struct{ path, source, text string }{
		{"/inline", "security", "inline script"},
		{"/inline", "security", "inline style"},
		{"/console", "console", "loud 7"},
		{"/console", "exception", "thrown"},
		{"/nowhere", "network", "404"},
	} {
		p.Open(s.URL + c.path)
		all := p.Complaints()
		if !slices.ContainsFunc(all, func(one browser.Complaint) bool {
			return one.Source == c.source && strings.Contains(one.Text, c.text)
		}) {
			t.Errorf("%s: no complaint of %s with %q among %v", c.path, c.source, c.text, all)
		}
	}
	p.Open(s.URL + "/add")
	if all := p.Complaints(); len(all) > 0 {
		t.Errorf("of a good page: %v", all)
	}
}

func draw(t *testing.T, b *browser.Browser) {
	s := newSite(t)
	file := filepath.Join(t.TempDir(), "screens", "home.png")
	var pictures [2]string
	for i := range pictures {
		p := b.Page(t, browser.Options{Width: 390})
		p.Open(s.URL + "/code") // its heading turns all the time
		p.Screenshot(file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pictures[i] = string(text)
	}
	if pictures[0] != pictures[1] {
		t.Error("two pictures of the same page differ")
	}
	for _, o := range []browser.Options{{Scale: 1}, {Scale: 2, Dark: true}, {Scale: 3, Width: 390, Phone: true}} {
		p := b.Page(t, o)
		p.Open(s.URL + "/code")
		if got := browser.DecodeQR(t, p.PictureOf("QR code")); got != secret {
			t.Errorf("%+v: the code says %q", o, got)
		}
	}
	if got := browser.DecodeQR(t, []byte(pictures[0])); got != secret {
		t.Errorf("on the whole page the code says %q", got)
	}
}

func examine(t *testing.T, b *browser.Browser) {
	browser.NeedAxe(t)
	s := newSite(t)
	p := b.Page(t, browser.Options{})
	p.Open(s.URL + "/faults")
	for _, c := range []struct{ rule, impact, selector string }{
		{"color-contrast", "serious", "#pale"},
		{"image-alt", "critical", "img"},
	} {
		if !slices.ContainsFunc(p.Axe(t), func(v browser.Violation) bool {
			return v.Rule == c.rule && v.Impact == c.impact && v.Nodes[0].Selector == c.selector && v.Nodes[0].Message != ""
		}) {
			t.Errorf("%s was not found: %v", c.rule, p.Axe(t))
		}
	}
	var seen bool
	if p.Look(&seen, `() => document.querySelectorAll("script").length > 0`); seen {
		t.Error("axe-core left a script in the page")
	}
	p.Open(s.URL + "/add")
	if found := p.Axe(t); len(found) > 0 {
		t.Errorf("of a good page: %v", found)
	}
	p.AssertQuiet()
}
