package browser

import (
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
)

// A navigation is how the main frame comes from one document to the next, put together from the browser's events: a page
// asks for it, the browser begins it under an id, and the document with that id has loaded. What ends otherwise (a
// download, an answer without a body, a link to another program) is told by what the browser says then, and where it says
// nothing, by silence.
type navigation struct {
	asked   time.Time    // when the page asked for one that has not begun; zero if it has not
	begun   cdp.LoaderID // the one under way; empty if there is none
	loaded  cdp.LoaderID // the last that has loaded
	stopped time.Time    // when the frame said that it loads no more, while one was under way
}

// silence is how long a navigation may go on without a word before it is taken for one that has ended.
const silence = 2 * time.Second

// still tells that none is under way.
func (n *navigation) still() bool {
	if !n.asked.IsZero() {
		return time.Since(n.asked) > silence
	}
	return n.begun == "" || !n.stopped.IsZero() && time.Since(n.stopped) > silence
}

// ask notes that one was asked for, by the page or by the test.
func (n *navigation) ask() { n.asked = time.Now() }

// begin notes that one is under way, unless its document has loaded already.
func (n *navigation) begin(id cdp.LoaderID) {
	n.asked, n.stopped = time.Time{}, time.Time{}
	if n.begun = id; n.loaded == id {
		n.begun = ""
	}
}

func (n *navigation) end() { n.asked, n.begun = time.Time{}, "" }

// hear takes an event of the main frame.
func (n *navigation) hear(event any) {
	switch e := event.(type) {
	case *page.EventFrameRequestedNavigation:
		if e.Disposition == page.ClientNavigationDispositionCurrentTab {
			n.ask()
		}
	case *page.EventFrameStartedNavigating:
		switch e.NavigationType {
		case page.FrameStartedNavigatingNavigationTypeSameDocument, page.FrameStartedNavigatingNavigationTypeHistorySameDocument:
			n.asked = time.Time{}
		default:
			n.begin(e.LoaderID)
		}
	case *page.EventNavigatedWithinDocument:
		n.asked = time.Time{}
	case *page.EventLifecycleEvent:
		if e.Name == "load" {
			n.loaded = e.LoaderID
			if n.begun == e.LoaderID {
				n.end()
			}
		}
	case *page.EventFrameStoppedLoading:
		n.stopped = time.Now()
	case *network.EventLoadingFailed:
		if e.Canceled && cdp.LoaderID(e.RequestID) == n.begun {
			n.end()
		}
	}
}

// frameOf is the frame that an event is about, empty where it is about none.
func frameOf(event any) cdp.FrameID {
	switch e := event.(type) {
	case *page.EventFrameRequestedNavigation:
		return e.FrameID
	case *page.EventFrameStartedNavigating:
		return e.FrameID
	case *page.EventNavigatedWithinDocument:
		return e.FrameID
	case *page.EventLifecycleEvent:
		return e.FrameID
	case *page.EventFrameStoppedLoading:
		return e.FrameID
	}
	return ""
}
