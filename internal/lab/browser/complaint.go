package browser

import (
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
)

// A Complaint is an error or a warning in the browser's console: an exception, what a script wrote there, what the page's
// own policy has stopped, and what a server refused.
type Complaint struct {
	Source string // exception, console, security (Content-Security-Policy among it), network, rendering, other ...
	Text   string
	URL    string // where, as far as it is known
}

func (c Complaint) String() string { return fmt.Sprintf("%s: %s (%s)", c.Source, c.Text, c.URL) }

// Complaints are those since the page was opened. An answer of 400 and above is one too, of the source network.
func (p *Page) Complaints() []Complaint {
	p.t.Helper()
	p.breathe()
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	return append([]Complaint(nil), p.watch.complaints...)
}

// AssertQuiet fails the test when there are complaints.
func (p *Page) AssertQuiet() {
	p.t.Helper()
	for _, c := range p.Complaints() {
		p.t.Errorf("the browser's console: %v", c)
	}
}

func (w *watch) complain(source, text, url string) {
	w.complaints = append(w.complaints, Complaint{Source: source, Text: strings.TrimSpace(text), URL: url})
}

func (w *watch) entry(e *log.Entry) {
	if e.Level == log.EntryLevelError || e.Level == log.EntryLevelWarning {
		source := string(e.Source)
		if strings.Contains(e.Text, "Content Security Policy") {
			source = "security"
		}
		w.complain(source, e.Text, e.URL)
	}
}

func (w *watch) console(e *runtime.EventConsoleAPICalled) {
	switch e.Type {
	case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
	default:
		return
	}
	var words []string
	for _, argument := range e.Args {
		if len(argument.Value) > 0 {
			words = append(words, strings.Trim(string(argument.Value), `"`))
		} else {
			words = append(words, argument.Description)
		}
	}
	w.complain("console", strings.Join(words, " "), "")
}
