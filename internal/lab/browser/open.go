package browser

import (
	"time"

	"github.com/chromedp/cdproto/page"
)

// Open goes to an address, as typed into the address bar, and returns when the page has loaded. Any answer will do, an
// error page of ours too; no answer fails the test. What was requested before is forgotten.
func (p *Page) Open(url string) {
	p.t.Helper()
	if err := p.TryOpen(url); err != nil {
		p.t.Fatal(err)
	}
}

// TryOpen is Open where it may be that nobody answers.
func (p *Page) TryOpen(url string) error {
	p.t.Helper()
	p.watch.reset()
	result, err := attempt(p, page.Navigate, page.NavigateParams{URL: url})
	if err == nil && result.ErrorText != "" {
		err = &OpenError{URL: url, Reason: result.ErrorText}
	} else if err == nil && result.LoaderID != "" && !result.IsDownload {
		p.watch.navigate(func(n *navigation) { n.begin(result.LoaderID) })
	}
	p.settle()
	return err
}

// An OpenError is an address that nobody answers at, in the browser's words, such as net::ERR_CONNECTION_REFUSED.
type OpenError struct{ URL, Reason string }

func (e *OpenError) Error() string { return "opening " + e.URL + ": " + e.Reason }

// Reload loads the page again, as by F5. It does not count as a press, and what was requested before is forgotten.
func (p *Page) Reload() {
	p.t.Helper()
	p.watch.reset()
	p.watch.navigate((*navigation).ask)
	call(p, page.Reload, page.ReloadParams{})
	p.settle()
}

// settle returns when no navigation is under way.
func (p *Page) settle() {
	p.t.Helper()
	began := time.Now()
	for {
		// Nothing is asked while a document takes another one's place.
		if p.watch.still() {
			p.breathe()
			if p.watch.still() {
				return
			}
		}
		if time.Since(began) > commandTime {
			p.t.Fatalf("the page has been loading for %v", commandTime)
		}
		time.Sleep(2 * time.Millisecond) // a real process, real time
	}
}
