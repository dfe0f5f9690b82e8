package browser

import (
	"encoding/json"
	"strings"
	"time"
)

// Text is what the first element of a selector says on the screen, with every run of blanks as one. It waits for the
// element, not for a text.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	var said []string
	p.eventually("an element "+selector, patient, func() bool {
		said = p.Texts(selector)
		return len(said) > 0
	})
	return said[0]
}

// Texts is what each visible element of a selector says now; nothing where there is none.
func (p *Page) Texts(selector string) []string {
	p.t.Helper()
	var said []string
	p.must(selector, p.ask(&said, `(selector) => {`+visible+`
		return visible(selector).map((e) => e.innerText);
	}`, selector))
	for i, one := range said {
		said[i] = plain(one)
	}
	return said
}

// Has tells whether an element of a selector is drawn now.
func (p *Page) Has(selector string) bool {
	p.t.Helper()
	return len(p.Texts(selector)) > 0
}

// Attribute is an attribute of the first element of a selector, seen or not; empty where there is none.
func (p *Page) Attribute(selector, name string) string {
	p.t.Helper()
	var value string
	p.must(selector, p.ask(&value, `(selector, name) => document.querySelector(selector)?.getAttribute(name) ?? ""`, selector, name))
	return value
}

// Value is what stands in a field, by its label or a selector.
func (p *Page) Value(what string) string {
	p.t.Helper()
	var value string
	p.must(what, p.on(p.find(what, append(writable, pressable...)), &value, `function() { return String(this.value ?? this.textContent) }`))
	return value
}

// Focus says what has the focus: its accessible name would be better, but a person sees its words.
func (p *Page) Focus() string {
	p.t.Helper()
	var words string
	p.must("the focus", p.ask(&words, `() => {
		const e = document.activeElement;
		if (!e || e === document.body) return "";
		return e.ariaLabel || e.innerText || e.labels?.[0]?.innerText || e.id || e.tagName;
	}`))
	return plain(words)
}

// Title and URL are what the window's tab and address bar show.
func (p *Page) Title() string {
	p.t.Helper()
	return p.script("document.title")
}

// URL is the address of the page that is there now.
func (p *Page) URL() string {
	p.t.Helper()
	return p.script("location.href")
}

func (p *Page) script(expression string) string {
	p.t.Helper()
	var value string
	p.must(expression, p.ask(&value, "() => "+expression))
	return value
}

// Look runs a function of the document, in JavaScript, and decodes the JSON of what it returns into into. It is for what
// the methods here do not tell; it sees the document, and none of the page's own variables.
func (p *Page) Look(into any, function string, arguments ...any) {
	p.t.Helper()
	p.must("looking", p.ask(into, function, arguments...))
}

// Sideways is by how many CSS pixels the page is wider than the window: 0 where nobody has to scroll sideways.
func (p *Page) Sideways() int {
	p.t.Helper()
	var wider int
	p.must("its width", p.ask(&wider, `() => {
		const e = document.scrollingElement;
		return Math.max(0, e.scrollWidth - Math.min(e.clientWidth, screen.width));
	}`))
	return wider
}

// WaitText waits until some visible element of a selector says want, as a part of what it says, and returns after how
// long it did. It fails the test after limit.
func (p *Page) WaitText(selector, want string, limit time.Duration) time.Duration {
	p.t.Helper()
	return p.eventually(selector+" saying "+want, limit, func() bool {
		for _, said := range p.Texts(selector) {
			if strings.Contains(said, plain(want)) {
				return true
			}
		}
		return false
	})
}

// WaitGone waits until no element of a selector is drawn any more.
func (p *Page) WaitGone(selector string, limit time.Duration) time.Duration {
	p.t.Helper()
	return p.eventually(selector+" gone", limit, func() bool { return !p.Has(selector) })
}

func (p *Page) eventually(what string, limit time.Duration, ok func() bool) time.Duration {
	p.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			p.t.Fatalf("waited %v for %s; the page at %s says:\n%s", limit, what, p.URL(), strings.Join(p.Texts("body"), "\n"))
		}
		time.Sleep(10 * time.Millisecond) // a real process, real time
	}
	return time.Since(began)
}

// tell says what was on the screen when a test failed.
func (p *Page) tell() {
	var said struct{ URL, Text string }
	if err := p.ask(&said, `() => ({URL: location.href, Text: document.body?.innerText ?? ""})`); err != nil {
		p.t.Logf("the page cannot be read any more: %v", err)
		return
	}
	p.t.Logf("the page at %s says:\n%s\n%s", said.URL, said.Text, p.watch.traffic())
}

// plain is a text with every run of blanks as one.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }

func quote(text string) string {
	written, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string is always written
	}
	return string(written)
}
