package browser

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Options say who looks. The zero value is somebody at a desk with a light theme who reads English.
type Options struct {
	Width, Height int     // in CSS pixels; 0 is 1280 and 800
	Scale         float64 // device pixels per CSS pixel; 0 is 1
	Phone         bool    // the viewport and the pointer of a phone: without <meta name=viewport> the page is drawn 980 wide
	Dark          bool    // prefers-color-scheme: dark
	NoScript      bool    // scripts are switched off in the browser's settings
	Language      string  // such as "de" or "de-CH,de", the dearest first; empty is "en"
	UserAgent     string  // empty is Chromium's own
}

// A Page is a window with cookies, cache and storage of its own. Motion is reduced in it (prefers-reduced-motion), its
// time zone is UTC, and it always has the focus. Its methods fail the test that made it, on whose goroutine they are
// called.
type Page struct {
	t       testing.TB
	browser *Browser
	ctx     context.Context
	frame   cdp.FrameID // the main frame, which keeps its id
	context cdp.BrowserContextID

	watch  *watch
	effort Effort
}

// Page opens a window that lasts as long as the test.
func (b *Browser) Page(t testing.TB, o Options) *Page {
	t.Helper()
	w := newWatch()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.hear))
	t.Cleanup(cancel)
	p := &Page{t: t, browser: b, ctx: ctx, watch: w}
	// The first command opens the window, which lives as long as the context of that command.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("opening a window: %v", err)
	}
	c := chromedp.FromContext(ctx)
	p.frame, p.context = cdp.FrameID(c.Target.TargetID), c.BrowserContextID
	w.follow(p.frame)
	p.dress(o)
	t.Cleanup(func() {
		if t.Failed() {
			p.tell()
		}
	})
	return p
}

// dress sets what the options say.
func (p *Page) dress(o Options) {
	p.t.Helper()
	if o.Width == 0 {
		o.Width, o.Height = 1280, 800
	}
	if o.Height == 0 {
		o.Height = 800
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(o.Width), Height: int64(o.Height), DeviceScaleFactor: o.Scale, Mobile: o.Phone,
		ScreenWidth: int64(o.Width), ScreenHeight: int64(o.Height),
	})
	call(p, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: o.Phone})
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: map[bool]string{true: "dark", false: "light"}[o.Dark]},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	call(p, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "UTC"})
	call(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: o.NoScript})
	p.speak(o)
	yes := true
	_, err := askBrowser(p.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllowAndName, BrowserContextID: p.context,
		DownloadPath: p.browser.downloadDir(), EventsEnabled: &yes,
	})
	if err != nil {
		p.t.Fatalf("allowing downloads: %v", err)
	}
}

// speak sets the languages, and the name by which the browser presents itself.
func (p *Page) speak(o Options) {
	p.t.Helper()
	if o.Language == "" {
		o.Language = "en"
	}
	if o.UserAgent == "" {
		o.UserAgent = p.browser.agent
	}
	call(p, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: o.UserAgent, AcceptLanguage: o.Language,
	})
	first, _, _ := strings.Cut(o.Language, ",")
	call(p, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: strings.TrimSpace(first)})
}

// call has the browser do something in this page. It must succeed.
func call[P, R any](p *Page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	result, err := attempt(p, command, params)
	if err != nil {
		p.t.Fatalf("the browser refuses %s: %v", command.Method, err)
	}
	return result
}

// attempt is call where a refusal is an answer.
func attempt[P, R any](p *Page, command cdp.Command[P, R], params P) (R, error) {
	return attemptFor(p, commandTime, command, params)
}

// attemptFor is attempt for a command that can be given again: the browser forgets to answer some of those that reach a
// document while another one takes its place.
func attemptFor[P, R any](p *Page, limit time.Duration, command cdp.Command[P, R], params P) (R, error) {
	ctx, cancel := context.WithTimeout(p.ctx, limit)
	defer cancel()
	return chromedp.Call(ctx, command, params)
}

// Cookies are those of the page's window, as the browser keeps them.
func (p *Page) Cookies() []*network.Cookie {
	p.t.Helper()
	return call(p, network.GetCookies, network.GetCookiesParams{}).Cookies
}
