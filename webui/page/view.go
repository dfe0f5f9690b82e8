package page

import (
	"github.com/hearthgate/hearthgate/webui/words"
)

// view is the dot of every template: the frame, the model as M, and the language. Its methods are what templates can
// say. It is made for one page; sub-templates get a copy with another M.
//
// Methods that give template.HTML escape what they are given. The catalogues are ours and hold no character that HTML
// gives a meaning to; a test sees to that.
type view struct {
	Frame
	*words.Catalogue

	M      any
	Title  string // of the browser's tab, without the product's name
	Leave  string // URL to which the script says that the page was left; empty: nobody wants to know
	Worker string // URL of a script that the script lets run beside the page; empty: none
	From   string // URL of another page that has this one's live parts, for a page that cannot be fetched again; else empty
	Wide   bool   // the page uses more than a reading column
	Fetch  int    // seconds after which a browser without script fetches the page again; 0: it does not
}

// Language says which it is; Frame and Catalogue both could.
func (v *view) Language() words.Language { return v.Catalogue.Language() }

// With is the same view on another thing.
func (v *view) With(m any) *view {
	other := *v
	other.M = m
	return &other
}

// Titled names the page.
func (v *view) Titled(title string) *view {
	other := *v
	other.Title = title
	return &other
}

// Scanning is the frame of the page with the code: wide, live, and it tells when it is left.
func (v *view) Scanning(leave string, fetch int) *view {
	other := *v
	other.Wide, other.Leave, other.Fetch = true, leave, fetch
	return &other
}

// Worked is the frame of a page beside which a script runs.
func (v *view) Worked(worker string) *view {
	other := *v
	other.Worker = worker
	return &other
}

// Columns is the frame of a page that has room for two.
func (v *view) Columns() *view {
	other := *v
	other.Wide = true
	return &other
}

// LiveFrom is the frame of a page that was the answer to a form, and whose live parts stand on another page, too.
func (v *view) LiveFrom(address string) *view {
	other := *v
	other.From = address
	return &other
}
