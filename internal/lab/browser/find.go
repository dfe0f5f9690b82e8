package browser

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
)

// What can be pressed, and what can be written into, by their roles (WAI-ARIA 1.2; the last two are Chromium's own names
// for <summary> and for fields of dates and the like).
var (
	pressable = []string{
		"button", "link", "tab", "checkbox", "radio", "switch", "menuitem", "option", "combobox", "listbox", "DisclosureTriangle",
	}
	writable = []string{"textbox", "searchbox", "spinbutton", "combobox", "Date", "InputTime"}
)

// find returns the one element that what names: a control of one of the roles by its accessible name, else the one
// visible element of a CSS selector. It waits for it, for pages change by themselves.
func (p *Page) find(what string, roles []string) runtime.RemoteObjectID {
	p.t.Helper()
	var problem error
	for began := time.Now(); time.Since(began) < patient; time.Sleep(10 * time.Millisecond) {
		var found runtime.RemoteObjectID
		if found, problem = p.look(what, roles); problem == nil {
			return found
		}
	}
	p.t.Fatalf("looking for %q: %v", what, problem)
	return ""
}

func (p *Page) look(what string, roles []string) (runtime.RemoteObjectID, error) {
	named, err := p.named(what, roles)
	if err != nil {
		return "", err
	}
	switch len(named) {
	case 1:
		return p.resolve(named[0])
	case 0:
		return p.selected(what)
	}
	return "", fmt.Errorf("%d controls are called so; expected one, so use a selector", len(named))
}

// named are the controls with an accessible name.
func (p *Page) named(name string, roles []string) ([]cdp.BackendNodeID, error) {
	root, err := p.evaluate("document", false)
	if err != nil {
		return nil, err
	}
	tree, err := attempt(p, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: root.ObjectID, AccessibleName: name})
	if err != nil {
		return nil, err
	}
	var found []cdp.BackendNodeID
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil || !slices.Contains(roles, text(node.Role)) {
			continue
		}
		found = append(found, node.BackendDOMNodeID)
	}
	return found, nil
}

func text(v *accessibility.Value) string {
	var s string
	if err := json.Unmarshal(v.Value, &s); err != nil {
		return ""
	}
	return s
}

func (p *Page) resolve(node cdp.BackendNodeID) (runtime.RemoteObjectID, error) {
	in, err := p.in()
	if err != nil {
		return "", err
	}
	got, err := attempt(p, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node, ExecutionContextID: in})
	if err != nil {
		return "", err
	}
	return got.Object.ObjectID, nil
}

// visible are the elements of a selector that are drawn: the body of visible() in all that this package runs in a page.
const visible = `
const visible = (selector) => {
	let all;
	try { all = document.querySelectorAll(selector) } catch { return [] }
	return [...all].filter((e) => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0);
};`

// selected is the one visible element of a selector.
func (p *Page) selected(selector string) (runtime.RemoteObjectID, error) {
	got, err := p.evaluate(invoke(`(selector) => {`+visible+`
		const found = visible(selector);
		return found.length === 1 ? found[0] : String(found.length);
	}`, selector), false)
	if err != nil {
		return "", err
	}
	if got.ObjectID == "" {
		count := strings.Trim(string(got.Value), `"`)
		if count == "0" {
			return "", errors.New("no control is called so, and no visible element is selected by it")
		}
		return "", fmt.Errorf("%s visible elements are selected by it; expected one", count)
	}
	return got.ObjectID, nil
}
