package browser

import (
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// A watch hears every event of a page, in order, and before the answer to a command that the page sent later.
type watch struct {
	mu         sync.Mutex
	frame      cdp.FrameID
	way        navigation
	world      runtime.ExecutionContextID // this package's, in the document that is there now; 0 before it is made
	worldKey   string                     // the same world's name among all that ever were
	response   *Response
	order      []*exchange
	exchanges  map[network.RequestID]*exchange // the last one of each id: a redirect goes on under the same
	complaints []Complaint
}

func newWatch() *watch { return &watch{exchanges: make(map[network.RequestID]*exchange)} }

// follow names the main frame.
func (w *watch) follow(frame cdp.FrameID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frame = frame
}

// reset forgets what was requested, answered and complained of.
func (w *watch) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.response, w.order, w.complaints = nil, nil, nil
	clear(w.exchanges)
}

// navigate notes what this package itself has to do with navigations.
func (w *watch) navigate(what func(*navigation)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what(&w.way)
}

// current is the world of the document that is there now, 0 where there is none yet.
func (w *watch) current() runtime.ExecutionContextID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.world
}

// still tells that no navigation is under way.
func (w *watch) still() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.way.still()
}

// hear is called by chromedp for each event, and must not ask the browser anything.
func (w *watch) hear(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if frame := frameOf(event); frame == "" || frame == w.frame {
		w.way.hear(event)
	}
	switch e := event.(type) {
	case *runtime.EventExecutionContextCreated:
		if e.Context.Name == world {
			w.world, w.worldKey = e.Context.ID, e.Context.UniqueID
		}
	case *runtime.EventExecutionContextDestroyed:
		if e.ExecutionContextUniqueID == w.worldKey {
			w.world = 0
		}
	case *runtime.EventExecutionContextsCleared:
		w.world = 0
	case *network.EventRequestWillBeSent:
		w.sent(e)
	case *network.EventRequestServedFromCache:
		w.served(e.RequestID)
	case *network.EventResponseReceived:
		w.answered(e)
	case *network.EventDataReceived:
		w.received(e)
	case *network.EventLoadingFinished:
		w.finished(e)
	case *network.EventLoadingFailed:
		w.failed(e)
	case *log.EventEntryAdded:
		w.entry(e.Entry)
	case *runtime.EventExceptionThrown:
		w.complain("exception", exception(e.ExceptionDetails), e.ExceptionDetails.URL)
	case *runtime.EventConsoleAPICalled:
		w.console(e)
	}
}
