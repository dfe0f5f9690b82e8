package browser

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/network"
)

// A Request is one request of the page, and what became of it. A redirect is one, and what it leads to another one.
type Request struct {
	Method, URL string
	Type        string // Document, Stylesheet, Script, Image, EventSource, Fetch ...
	Status      int    // 0 while there is no answer
	Cached      bool   // answered by the window's own cache, without asking
	Transferred int64  // bytes on the wire, headers included, as far as they have come
	Decoded     int64  // bytes of the body as the page got it
	Failure     string // in the browser's words; empty when there was none
}

// Traffic is what the page asked for, the icon of the window's tab included (its Type is Other), in order.
type Traffic struct {
	Requests             []Request
	Transferred, Decoded int64 // of all together
}

// Count is the number of requests that went to a server.
func (t Traffic) Count() int {
	n := 0
	for _, r := range t.Requests {
		if !r.Cached {
			n++
		}
	}
	return n
}

// String is a table for people, one line for each request.
func (t Traffic) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests, %d bytes transferred, %d decoded\n", t.Count(), t.Transferred, t.Decoded)
	for _, r := range t.Requests {
		fmt.Fprintf(&b, "  %d %-4s %-11s %7d %7d %s %s\n", r.Status, r.Method, r.Type, r.Transferred, r.Decoded, r.URL, r.Failure)
	}
	return b.String()
}

// A Response is the answer that the page in the window is.
type Response struct {
	URL     string
	Status  int
	Header  http.Header // without Set-Cookie, which is told by [Page.Cookies]
	Address string      // the server's IP address and port
}

// Requests tells what was requested since the page was opened.
func (p *Page) Requests() Traffic {
	p.t.Helper()
	p.breathe() // so that what has happened has been heard
	return p.watch.traffic()
}

// Response is the answer to the last request for a page in this window, by whatever way it was asked for.
func (p *Page) Response() Response {
	p.t.Helper()
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	if p.watch.response == nil {
		p.t.Fatal("no page has been answered yet")
	}
	return *p.watch.response
}

// An exchange is a request on its way.
type exchange struct{ Request }

func (w *watch) traffic() Traffic {
	w.mu.Lock()
	defer w.mu.Unlock()
	var t Traffic
	for _, x := range w.order {
		t.Requests = append(t.Requests, x.Request)
		t.Transferred += x.Transferred
		t.Decoded += x.Decoded
	}
	return t
}

// sent begins an exchange. What has no server (data:, blob:, about:) is none.
func (w *watch) sent(e *network.EventRequestWillBeSent) {
	if e.RedirectResponse != nil {
		if x := w.exchanges[e.RequestID]; x != nil {
			x.Status, x.Transferred = int(e.RedirectResponse.Status), int64(e.RedirectResponse.EncodedDataLength)
		}
	}
	if !slices.ContainsFunc([]string{"http:", "https:"}, func(s string) bool { return strings.HasPrefix(e.Request.URL, s) }) {
		return
	}
	x := &exchange{Request{Method: e.Request.Method, URL: e.Request.URL, Type: string(e.Type)}}
	w.order = append(w.order, x)
	w.exchanges[e.RequestID] = x
}

func (w *watch) served(id network.RequestID) {
	if x := w.exchanges[id]; x != nil {
		x.Cached = true
	}
}

func (w *watch) answered(e *network.EventResponseReceived) {
	if e.Type == network.ResourceTypeDocument && e.FrameID == w.frame {
		w.response = answer(e.Response)
	}
	if x := w.exchanges[e.RequestID]; x != nil {
		x.Status, x.Transferred = int(e.Response.Status), int64(e.Response.EncodedDataLength)
		x.Cached = x.Cached || e.Response.FromDiskCache
	}
}

func (w *watch) received(e *network.EventDataReceived) {
	if x := w.exchanges[e.RequestID]; x != nil {
		x.Decoded += e.DataLength
		x.Transferred += e.EncodedDataLength
	}
}

// finished has the sum of what was received, headers included, which is nothing where the cache answered.
func (w *watch) finished(e *network.EventLoadingFinished) {
	if x := w.exchanges[e.RequestID]; x != nil {
		x.Transferred = int64(e.EncodedDataLength)
	}
}

func (w *watch) failed(e *network.EventLoadingFailed) {
	if x := w.exchanges[e.RequestID]; x != nil {
		x.Failure = strings.TrimSpace(e.ErrorText + " " + string(e.BlockedReason))
	}
}

func answer(r *network.Response) *Response {
	header := make(http.Header)
	for name, value := range r.Headers {
		for line := range strings.SplitSeq(fmt.Sprint(value), "\n") {
			header.Add(name, line)
		}
	}
	return &Response{
		URL: r.URL, Status: int(r.Status), Header: header, Address: fmt.Sprintf("%s:%d", r.RemoteIPAddress, r.RemotePort),
	}
}
