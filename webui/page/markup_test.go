package page

import (
	"bytes"
	"fmt"
	"iter"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// parse reads a page as a browser would.
func parse(t testing.TB, page []byte) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// elements walks a page in order. What stands in <noscript> is markup here, too: it is read by the browsers that matter for it.
func elements(root *html.Node) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && !yield(n) {
				return
			}
		}
	}
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func value(n *html.Node, name string) string { v, _ := attr(n, name); return v }

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func within(n *html.Node, tag string) *html.Node {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Type == html.ElementNode && p.Data == tag {
			return p
		}
	}
	return nil
}

func TestEveryPageIsWellMade(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			root := parse(t, render(t, s))
			checkOnes(t, root)
			checkNames(t, root)
			checkPolicy(t, root)
			checkAddresses(t, root)
		})
	}
}

// checkOnes counts what there must be one of.
func checkOnes(t *testing.T, root *html.Node) {
	t.Helper()
	count := make(map[string]int)
	ids := make(map[string]bool)
	for n := range elements(root) {
		count[n.Data]++
		if value(n, "role") == "status" {
			count["status"]++
		}
		if slices.Contains(strings.Fields(value(n, "class")), "primary") {
			count["primary"]++
		}
		if id, ok := attr(n, "id"); ok {
			if ids[id] || id == "" {
				t.Errorf("id %q is there twice, or is empty", id)
			}
			ids[id] = true
		}
		if _, live := attr(n, "data-live"); live && value(n, "id") == "" {
			t.Errorf("<%s data-live> has no id, so the script cannot find it again", n.Data)
		}
	}
	for _, tag := range []string{"h1", "title", "main"} {
		if count[tag] != 1 {
			t.Errorf("%d <%s>, want 1", count[tag], tag)
		}
	}
	for _, what := range []string{"status", "primary"} {
		if count[what] > 1 {
			t.Errorf("%d of %s, want one at most", count[what], what)
		}
	}
	checkReferences(t, root, ids)
}

func checkReferences(t *testing.T, root *html.Node, ids map[string]bool) {
	t.Helper()
	for n := range elements(root) {
		for _, name := range []string{"for", "aria-labelledby", "aria-describedby"} {
			for id := range strings.FieldsSeq(value(n, name)) {
				if !ids[id] {
					t.Errorf("<%s %s> names %q, which is not on the page", n.Data, name, id)
				}
			}
		}
	}
}

// checkNames looks for fields, buttons, links and pictures without a name.
func checkNames(t *testing.T, root *html.Node) {
	t.Helper()
	labelled := make(map[string]bool)
	for n := range elements(root) {
		if n.Data == "label" && strings.TrimSpace(text(n)) != "" {
			labelled[value(n, "for")] = true
		}
	}
	for n := range elements(root) {
		_, hidden := attr(n, "hidden")
		switch n.Data {
		case "input", "select", "textarea":
			if value(n, "type") != "hidden" && !hidden && !labelled[value(n, "id")] && within(n, "label") == nil {
				t.Errorf("<%s name=%q> has no label", n.Data, value(n, "name"))
			}
			if _, ok := attr(n, "placeholder"); ok {
				t.Errorf("<%s name=%q> has a placeholder, which is gone once something is typed", n.Data, value(n, "name"))
			}
		case "button", "a", "summary", "h1", "h2", "legend", "title", "th":
			if strings.TrimSpace(text(n)) == "" {
				t.Errorf("<%s> says nothing", n.Data)
			}
		case "svg":
			if value(n, "aria-hidden") != "true" && (value(n, "role") != "img" || value(n, "aria-label") == "") {
				t.Errorf("an <svg class=%q> has neither a name nor is it hidden", value(n, "class"))
			}
		}
	}
}

// checkPolicy holds what the page's Content-Security-Policy would refuse.
func checkPolicy(t *testing.T, root *html.Node) {
	t.Helper()
	for n := range elements(root) {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has the attribute %s", n.Data, a.Key)
			}
		}
		source, hasSource := attr(n, "src")
		switch n.Data {
		case "style", "iframe", "object", "embed", "base", "img", "use", "image":
			t.Errorf("there is a <%s>", n.Data)
		case "script":
			if text(n) != "" || !strings.HasPrefix(source, "/assets/") {
				t.Errorf("a <script> that is not one of our files: src=%q", source)
			}
		case "link":
			if !strings.HasPrefix(value(n, "href"), "/assets/") {
				t.Errorf("<link> leads to %q", value(n, "href"))
			}
		default:
			if hasSource {
				t.Errorf("<%s> has a src", n.Data)
			}
		}
	}
}

// elsewhere are the places outside of the house that a page may link to. It loads nothing from any.
var elsewhere = []string{
	"https://my.home-assistant.io/invite/", "https://apps.apple.com/app/wireguard/", "https://play.google.com/store/apps/details?id=com.wireguard.android",
	"http://192.168.1.5:51821/", "http://hearthgate.local:51821/", "http://10.77.0.1:8123", "http://10.77.15.254/",
}

func checkAddresses(t *testing.T, root *html.Node) {
	t.Helper()
	for n := range elements(root) {
		for _, name := range []string{"href", "action", "formaction"} {
			address, ok := attr(n, name)
			if !ok || address == "" || address == "#main" || strings.HasPrefix(address, "?app=") {
				continue
			}
			local := strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//")
			if !local && !slices.ContainsFunc(elsewhere, func(p string) bool { return strings.HasPrefix(address, p) }) {
				t.Errorf("<%s %s=%q> leads out of the house", n.Data, name, address)
			}
			if _, err := url.Parse(address); err != nil {
				t.Errorf("<%s %s=%q>: %v", n.Data, name, address, err)
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// TestNoSentenceHasAHole looks for keys that no sentence stood for and for places in a sentence that nothing filled.
func TestNoSentenceHasAHole(t *testing.T) {
	dotted := regexp.MustCompile(`\b(frame|setup|home|exposure|remote|ha|warning|state|new|scan|late|here|open|link|phone|data|settings|journal|portal|notice|problem|failure|twostep|tokens|services|service|stolen|time|unit|check|watch|mapping_delete)\.[a-z_]+(\.[a-z_]+)*\b`)
	for _, s := range samples(t) {
		body := text(parse(t, render(t, s)))
		for _, innocent := range []string{hostile[3], "home.example.org"} {
			body = strings.ReplaceAll(body, innocent, "")
		}
		for _, hole := range append(placeholder.FindAllString(body, -1), dotted.FindAllString(body, -1)...) {
			t.Errorf("%s shows %q", s.name, hole)
		}
	}
}

func TestTheSameModelIsTheSameBytes(t *testing.T) {
	for _, s := range samples(t) {
		if !bytes.Equal(render(t, s), render(t, s)) {
			t.Errorf("%s was not the same the second time", s.name)
		}
	}
}

// shape is a page's elements and the names of their attributes, without what stands in them.
func shape(root *html.Node) string {
	var b strings.Builder
	for n := range elements(root) {
		fmt.Fprintf(&b, "%s %s", n.Namespace, n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
