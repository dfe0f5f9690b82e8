package browser

import (
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// freeze stops what moves while a picture is taken: carets, animations, transitions. The style sheet is the document's by
// script, which the page's policy does not concern.
const freeze = `() => {
	const sheet = new CSSStyleSheet();
	sheet.replaceSync("*, *::before, *::after { animation: none !important; transition: none !important;" +
		" caret-color: transparent !important; scroll-behavior: auto !important }");
	globalThis.hearthgateFrozen = sheet;
	document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
	scrollTo(0, 0);
	return document.fonts.ready.then(() => true);
}`

const thaw = `() => {
	document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== globalThis.hearthgateFrozen);
}`

// Screenshot writes the whole page, also what is below the window's edge, into a PNG file, and makes its directory. The
// same page in the same window gives the same bytes.
func (p *Page) Screenshot(file string) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		p.t.Fatalf("writing a screenshot: %v", err)
	}
	if err := os.WriteFile(file, p.Picture(), 0o644); err != nil {
		p.t.Fatalf("writing a screenshot: %v", err)
	}
}

// Picture is the whole page as a PNG.
func (p *Page) Picture() []byte {
	p.t.Helper()
	return p.capture(func() page.Viewport {
		size := call(p, page.GetLayoutMetrics, struct{}{}).CSSContentSize
		return page.Viewport{Width: size.Width, Height: size.Height, Scale: 1}
	})
}

// PictureOf is one visible element as a PNG, by its name or selector, in the window's device pixels.
func (p *Page) PictureOf(what string) []byte {
	p.t.Helper()
	element := p.find(what, append([]string{"image", "img", "figure"}, pressable...))
	return p.capture(func() page.Viewport { return p.box(what, element) })
}

func (p *Page) box(what string, element runtime.RemoteObjectID) page.Viewport {
	p.t.Helper()
	var box struct{ X, Y, Width, Height float64 }
	p.must(what, p.on(element, &box, `function() {
		const b = this.getBoundingClientRect();
		return {x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height};
	}`))
	return page.Viewport{X: box.X, Y: box.Y, Width: box.Width, Height: box.Height, Scale: 1}
}

func (p *Page) capture(clip func() page.Viewport) []byte {
	p.t.Helper()
	p.must("a picture", p.ask(nil, freeze))
	defer func() { _ = p.ask(nil, thaw) }() // the picture is taken
	area, beyond := clip(), true
	return call(p, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, Clip: &area, CaptureBeyondViewport: &beyond,
	}).Data
}
