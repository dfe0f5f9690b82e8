package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// A Violation is a finding of axe-core that is serious or critical.
type Violation struct {
	Rule   string // axe-core's id, such as color-contrast
	Impact string // serious or critical
	Help   string // the rule in a sentence
	Nodes  []Node // where
}

// A Node is an element that breaks a rule.
type Node struct {
	Selector string
	HTML     string
	Message  string // what would have to be otherwise
}

func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s", v.Rule, v.Impact, v.Help)
	for _, n := range v.Nodes {
		fmt.Fprintf(&b, "\n  %s\n    %s\n    %s", n.Selector, n.HTML, n.Message)
	}
	return b.String()
}

// examine runs axe-core, every rule that it has on by default, and keeps what is serious or critical.
const examine = `async () => {
	const found = await axe.run(document, {resultTypes: ["violations"]});
	return found.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => ({
		Rule: v.id, Impact: v.impact, Help: v.help,
		Nodes: v.nodes.map((n) => ({
			Selector: n.target.join(" "), HTML: n.html, Message: n.failureSummary.replace(/\s+/g, " "),
		})),
	}));
}`

// Axe examines the page as it is now with axe-core, in a world of scripts that the page does not see. It needs a window
// whose scripts are on. Where there is no axe-core the test is left out.
func (p *Page) Axe(t testing.TB) []Violation {
	t.Helper()
	core, err := axeCore()
	if err != nil {
		lab.LeaveOut(t, err.Error())
	}
	var there bool
	p.must("axe-core", p.ask(&there, `() => "axe" in globalThis`))
	if !there {
		if _, err := p.evaluate(core+"; 0", true); err != nil {
			t.Fatalf("loading axe-core: %v", err)
		}
	}
	var found []Violation
	p.must("axe-core", p.ask(&found, examine))
	return found
}

// AssertAccessible fails the test when axe-core finds something serious or critical.
func (p *Page) AssertAccessible() {
	p.t.Helper()
	for _, v := range p.Axe(p.t) {
		p.t.Errorf("%s: %v", p.URL(), v)
	}
}
