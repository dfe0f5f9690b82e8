package browser

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Effort is what the page has cost the person so far.
type Effort struct {
	Presses    int // of the mouse or a finger, and of keys that are not characters
	Characters int // typed
}

// Effort counts since the window was opened.
func (p *Page) Effort() Effort { return p.effort }

// Click presses what is called so, or the one visible element that is selected so, at its middle, and returns when the
// page that this may lead to has loaded. It fails the test when a person could not press it.
func (p *Page) Click(what string) {
	p.t.Helper()
	p.press(what, p.find(what, pressable))
}

// Type writes into a field in place of what is there. Where the field has not got the focus yet it is pressed first, and
// that counts.
func (p *Page) Type(what, text string) {
	p.t.Helper()
	field := p.find(what, writable)
	var focused bool
	p.must(what, p.on(field, &focused, `function() { return document.activeElement === this }`))
	if !focused {
		p.press(what, field)
	}
	var ok bool
	p.must(what, p.on(field, &ok, `function() { if (this.select) this.select(); return document.activeElement === this }`))
	if !ok {
		p.t.Fatalf("typing into %q: it does not take the focus", what)
	}
	p.must(what, chromedp.Do(p.ctx, chromedp.KeyEvent(text)))
	p.effort.Characters += utf8.RuneCountInString(text)
	p.settle()
}

// Choose picks an option of a <select> by what it says. It counts as two presses: the list has to be opened.
func (p *Page) Choose(what, option string) {
	p.t.Helper()
	var found bool
	element := p.find(what, pressable)
	p.must(what, p.on(element, &found, `function() {
		const option = [...this.options].find((o) => o.label.trim() === `+quote(option)+`);
		if (!option) return false;
		this.focus();
		this.value = option.value;
		for (const kind of ["input", "change"]) this.dispatchEvent(new Event(kind, {bubbles: true}));
		return true;
	}`))
	if !found {
		p.t.Fatalf("%q does not offer %q", what, option)
	}
	p.effort.Presses += 2
	p.settle()
}

// keys are those that Press knows besides characters.
var keys = map[string]string{
	"Enter": kb.Enter, "Tab": kb.Tab, "Escape": kb.Escape, "Space": " ",
	"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End,
}

// Press presses a key: Enter, Tab, Shift+Tab, Escape, Space, an arrow (ArrowUp), Home or End.
func (p *Page) Press(key string) {
	p.t.Helper()
	code, options := keys[key], []chromedp.KeyOption(nil)
	if key == "Shift+Tab" {
		code, options = kb.Tab, append(options, chromedp.KeyModifiers(chromedp.ModifierShift))
	}
	if code == "" {
		p.t.Fatalf("no key is called %q here", key)
	}
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(code, options...)); err != nil {
		p.t.Fatalf("pressing %s: %v", key, err)
	}
	p.effort.Presses++
	p.settle()
}

func (p *Page) must(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%q: %v", what, err)
	}
}

// spot is a place on an element, or on its label, where a press meets it.
type spot struct {
	X, Y      float64
	Problem   string
	Temporary bool // it may be gone in a moment
}

const locate = `function() {
	if (!this.isConnected) return {problem: "it has gone", temporary: true};
	if (this.matches(":disabled")) return {problem: "it is disabled", temporary: true};
	this.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
	let cover = "nothing";
	for (const place of [this, ...(this.labels ?? [])]) for (const box of place.getClientRects()) {
		const x = box.left + box.width / 2, y = box.top + box.height / 2;
		const top = document.elementFromPoint(x, y);
		if (top && (place.contains(top) || this.contains(top) || top.closest("label")?.control === this)) return {x, y};
		if (top) cover = top.cloneNode(false).outerHTML;
	}
	return {problem: "it cannot be pressed, for what is drawn at its place is " + cover, temporary: true};
}`

// press is a press of the mouse's left button in the middle of an element. A browser drops what comes before it has drawn
// a new page for the first time, and a person would press again; that is counted once.
func (p *Page) press(what string, element runtime.RemoteObjectID) {
	p.t.Helper()
	taken := false
	for began := time.Now(); !taken; {
		at, err := p.spot(element)
		p.must("pressing "+what, err)
		p.mouse(at, input.DispatchMouseEventTypeMouseMoved, input.MouseButtonNone)
		p.mouse(at, input.DispatchMouseEventTypeMousePressed, input.MouseButtonLeft)
		taken = p.active(element, true)
		p.mouse(at, input.DispatchMouseEventTypeMouseReleased, input.MouseButtonLeft)
		if !taken && time.Since(began) > patient {
			p.t.Fatalf("pressing %s: the page takes no notice", what)
		}
	}
	p.active(element, false)
	p.effort.Presses++
	p.settle()
}

func (p *Page) mouse(at spot, kind input.DispatchMouseEventType, button input.MouseButton) {
	p.t.Helper()
	event := input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y, Button: button}
	if button != input.MouseButtonNone {
		event.ClickCount = 1
	}
	call(p, input.DispatchMouseEvent, event)
}

// notice is how long a press may go unnoticed before it is taken for one that the browser has dropped, as it does before a page's
// first paint. A second press of what a busy machine was only slow about would fold a <details> up again.
const notice = 2 * time.Second

// active waits until the page has taken note of the mouse's button, for the browser does not wait for it: an element is
// :active from the press to the release, and with the release its link has been followed or its form is on its way. An
// element that cannot tell any more has gone with its document.
func (p *Page) active(element runtime.RemoteObjectID, want bool) bool {
	for began := time.Now(); time.Since(began) < notice; time.Sleep(2 * time.Millisecond) {
		var is bool
		if err := p.on(element, &is, `function() { return this.matches(":active") }`); err != nil || is == want {
			return true
		}
	}
	return false
}

// spot waits until the element can be pressed.
func (p *Page) spot(element runtime.RemoteObjectID) (spot, error) {
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		var at spot
		if err := p.on(element, &at, locate); err != nil {
			return at, fmt.Errorf("looking where it is: %w", err)
		}
		if at.Problem == "" {
			return at, nil
		}
		if !at.Temporary || time.Since(began) > patient {
			return at, errors.New(at.Problem)
		}
	}
}
