package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// hostile are texts that would do something if they were taken for more than text. Each has a mark by which it is found again.
func hostile() []string {
	return []string{
		`<script>alert("m4rk")</script>`, `"><img src=x onerror=alert("m4rk")>`, `' onmouseover='alert("m4rk")`, "`m4rk`${alert(1)}",
		`{{.}}{{printf "m4rk"}}`, `{{template "home" .}}m4rk`, `${7*7}<%= 7*7 %>m4rk`, `javascript:alert("m4rk")`, `data:text/html,<b>m4rk`,
		`</title><svg onload=alert("m4rk")>`, `</textarea><style>*{background:url(//evil/m4rk)}`, `<svg><a xlink:href="javascript:m4rk">`, `]]><!--m4rk`,
		`=HYPERLINK("//evil/m4rk")`, `+cmd|' /C m4rk'!A0`, `@SUM(1)m4rk`, `-2+3m4rk`, `m4rk\"} evil 1`, `m4rk%0d%0aX-Evil: yes`, `&lt;m4rk&gt;&#60;b&#62;`,
		`m4rk\u003cb\u003e\r\nX-Evil: yes`, `../../m4rk`, `//evil.example/m4rk`, `m4rk";filename="evil.exe`,
	}
}

// unwelcome are texts that no name may have: line ends, NUL, what turns the reading direction, what is no UTF-8.
func unwelcome() []string {
	return []string{
		"m4rk\r\nX-Evil: yes", "m4rk\nPrivateKey=x", "m4rk\x00", "m4rk\x1b[31m", "m4rk\u202etxt.exe", "m4rk\u2066a\u2069", "m4rk\xff\xfe", "m4rk\u2028x", "\u200b",
		"m4rk\u0085x", strings.Repeat("m4rk", 40), " ", "",
	}
}

// elements are all that pages of ours consist of.
var elements = strings.Fields(`html head meta title link script noscript body a header nav form button main p span footer svg path g rect circle line
	polyline defs use h1 h2 h3 input label div details summary code ul ol li dl dt dd section fieldset legend select option textarea figure figcaption
	table caption thead tbody tr th td bdi strong em b time small abbr article aside kbd br hr text desc`)

// wantOnlyText parses a page as a browser does and wants nothing in it that a text has become: no element that we do not use, no
// handler, no style, no script but ours, no address that is not a path of ours.
func wantOnlyText(t testing.TB, what, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		switch n.Type {
		case html.CommentNode:
			t.Errorf("%s: comment %q", what, n.Data)
		case html.ElementNode:
			if !slices.Contains(elements, n.Data) {
				t.Errorf("%s: element %s %v", what, n.Data, n.Attr)
			}
			if n.Data == "script" && (n.FirstChild != nil || !strings.HasPrefix(attribute(n, "src"), "/assets/")) {
				t.Errorf("%s: script %v", what, n.Attr)
			}
			for _, a := range n.Attr {
				wantPlain(t, what, n.Data, a)
			}
		default:
		}
	}
}

// ownAddress is what an address on a page may begin with: a path of ours, a place on the page, or Home Assistant in the tunnel.
var ownAddress = regexp.MustCompile(`^(/($|[^/\\])|#|\?|http://(10\.|192\.168\.77\.10)|homeassistant://|https://my\.home-assistant\.io/|https://(www\.)?home-assistant\.io/)`)

func wantPlain(t testing.TB, what, element string, a html.Attribute) {
	t.Helper()
	switch {
	case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", strings.ContainsAny(a.Key, "\"'<>="), strings.Contains(a.Key, "m4rk"):
		t.Errorf("%s: <%s %s=%q>", what, element, a.Key, a.Val)
	case slices.Contains([]string{"href", "src", "action", "formaction", "xlink:href", "data", "poster", "background"}, a.Key) && !ownAddress.MatchString(a.Val):
		t.Errorf("%s: <%s %s=%q>", what, element, a.Key, a.Val)
	}
}

// wantSafeHeaders wants what every answer of the page has, and nothing that a text has put there.
func wantSafeHeaders(t testing.TB, what string, a answer) {
	t.Helper()
	csp := a.Header.Get("Content-Security-Policy")
	if a.Header.Get("X-Evil") != "" || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") || a.Header.Get("X-Content-Type-Options") != "nosniff" ||
		a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: headers %v", what, a.Header)
	}
}

// TestAttackNames: whatever stands in the names of phones and tokens, in addresses, user agents and languages is text on every page, in
// JSON, in metrics, in the journal's file and in a file's name, and never anything else.
func TestAttackNames(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	var ids []string
	for i, name := range hostile() {
		a := owner.post(t, "/phones/new", url.Values{"name": {name}, "service": {"home-assistant"}, "how": {"code"}})
		id, ok := strings.CutPrefix(strings.TrimSuffix(a.to(), "/scan"), "/phones/")
		if !ok {
			t.Errorf("%q is no name: %d", name, a.Status)
			continue
		}
		ids = append(ids, id)
		wantSafeFile(t, owner, id)
		owner.post(t, "/settings/tokens", url.Values{"name": {name}, "scope": {"read"}})
		browser := h.visitor(h.Neighbour)
		browser.header = http.Header{"User-Agent": {name}, "Accept-Language": {name}, "Cookie": {"hearthgate_language=" + name + "; hearthgate_theme=" + name}}
		if a := browser.signIn(t, passphrase); a.Status != http.StatusSeeOther {
			t.Errorf("signing in as %q: %d", name, a.Status)
		}
		if i == 0 {
			owner.post(t, "/phones/"+id+"/link", nil)
		}
	}
	for _, name := range unwelcome() {
		if a := owner.post(t, "/phones/new", url.Values{"name": {name}, "service": {"home-assistant"}, "how": {"code"}}); a.Status != http.StatusBadRequest {
			t.Errorf("%q is a name: %d", name, a.Status)
		} else {
			wantOnlyText(t, "refusing "+name, a.Body)
		}
		if a := owner.post(t, "/settings/tokens", url.Values{"name": {name}, "scope": {"read"}}); a.Status != http.StatusBadRequest {
			t.Errorf("%q is a token's name: %d", name, a.Status)
		}
	}
	pages, _ := owner.walk(t, "/", "/settings", "/journal", "/settings/sessions", "/settings/tokens", "/phones/"+ids[len(ids)-1]+"/scan")
	marks := 0
	for path, text := range pages {
		wantOnlyText(t, path, text)
		marks += strings.Count(text, "m4rk")
	}
	if len(pages) < 60 || marks < 200 {
		t.Errorf("%d pages with %d marks: this proves nothing", len(pages), marks)
	}
	wantSafeExports(t, owner, len(ids))
}

// wantSafeFile looks at a config's file name.
func wantSafeFile(t testing.TB, owner *visitor, id string) {
	t.Helper()
	a := owner.get(t, "/phones/"+id+"/conf")
	got := a.Header.Get("Content-Disposition")
	if a.Status != http.StatusOK || !regexp.MustCompile(`^attachment; filename="[A-Za-z0-9][A-Za-z0-9_=+.-]{0,14}\.conf"$`).MatchString(got) {
		t.Errorf("file: %d %q", a.Status, got)
	}
	wantSafeHeaders(t, "conf", a)
}

// wantSafeExports looks at what is not HTML.
func wantSafeExports(t testing.TB, owner *visitor, phones int) {
	t.Helper()
	lines := owner.get(t, "/journal.jsonl")
	for line := range strings.Lines(lines.Body) {
		var event struct{ Type, Message string }
		if err := json.Unmarshal([]byte(line), &event); err != nil || event.Type == "" || strings.ContainsAny(line, "<>\u2028") {
			t.Errorf("journal line %q: %v", line, err)
		}
	}
	metrics := owner.get(t, "/metrics")
	label := `[a-z_]+="(?:[^"\\\n]|\\["\\n])*"`
	sample := regexp.MustCompile(`^([a-z_]+)(\{` + label + `(?:,` + label + `)*\})? [0-9.e+-]+$`)
	found := make(map[string]int)
	for line := range strings.Lines(metrics.Body) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("metrics line %q", line)
			continue
		}
		found[m[1]]++
	}
	for name, n := range found {
		if n > phones {
			t.Errorf("%s has %d samples for %d phones", name, n, phones)
		}
	}
	for what, a := range map[string]answer{"journal": lines, "metrics": metrics, "peers": owner.get(t, "/api/v1/peers"), "tokens": owner.get(t, "/api/v1/tokens")} {
		wantSafeHeaders(t, what, a)
		if strings.Contains(a.Header.Get("Content-Type"), "html") || a.Status != http.StatusOK || (what != "metrics" && strings.Contains(a.Body, "<script")) {
			t.Errorf("%s: %d %s", what, a.Status, a.Header.Get("Content-Type"))
		}
	}
	if !strings.Contains(metrics.Body, "m4rk") || !strings.Contains(lines.Body, "m4rk") {
		t.Error("the names are in no export: this proves nothing")
	}
}

// TestAttackFields: what stands in addresses, in forms that are refused and in cookies comes back as text or not at all, redirects lead to
// paths of ours only, and no header is split.
func TestAttackFields(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	id := h.furnish(t, owner)
	stranger := h.visitor(h.Neighbour)
	for _, text := range slices.Concat(hostile(), unwelcome(), []string{"http://evil.example/m4rk", "//evil.example", `/\evil.example`, "/\t/evil.example", "https:evil.example", "/%5cevil.example", "\\\\evil.example", "/..//evil.example", "/a/..//evil.example", "///evil.example", "/.//evil.example", "\x01/evil.example", " //evil.example"}) {
		q := url.QueryEscape(text)
		for _, path := range []string{
			"/?page=" + q, "/signin?next=" + q, "/setup?code=" + q, "/phones/" + id + "/scan?app=" + q, "/journal?kind=" + q, "/journal?phone=" + q, "/journal?before=" + q,
			"/journal.jsonl?kind=" + q, "/signin/code?pending=" + q, "/settings/tokens?name=" + q, "/phones/" + url.PathEscape(text), "/l/" + url.PathEscape(text),
			"/settings/services/" + url.PathEscape(text) + "/remove", "/api/v1/journal?type=" + q, "/api/v1/events?after=" + q + "x", "/" + url.PathEscape(text),
		} {
			for _, v := range []*visitor{owner, stranger} {
				wantHarmless(t, "GET "+path, v.get(t, path))
			}
		}
		for path, form := range map[string]url.Values{
			"/signin": {"passphrase": {text}, "next": {text}}, "/signin/code": {"pending": {text}, "code": {text}, "next": {text}},
			"/l/" + url.PathEscape(text): {},
		} {
			if path != "/signin" { // which would be held up
				wantHarmless(t, "POST "+path, stranger.post(t, path, form))
			}
		}
		for path, form := range map[string]url.Values{
			"/phones/new": {"name": {"x"}, "service": {text}, "expires": {text}, "how": {text}}, "/settings/services": {"name": {text}, "target": {text}, "port": {text}, "protocol": {text}},
			"/settings/address": {"endpoint": {text}}, "/home-assistant": {"target": {text}}, "/phones/" + id + "/expiry": {"expires": {text}},
			"/phones/" + id + "/services": {"service": {text}}, "/settings/appearance": {"theme": {text}, "language": {text}}, "/settings/sessions/end": {"id": {text}},
			"/settings/tokens/remove": {"id": {text}}, "/settings/passphrase": {"passphrase": {text[:min(len(text), 8)]}}, "/settings/tokens": {"name": {"y"}, "scope": {text}},
		} {
			wantHarmless(t, "POST "+path, owner.post(t, path, form))
		}
	}
	signIn := h.visitor(h.Neighbour)
	for _, next := range []string{"//evil.example", `/\evil.example`, "https://evil.example/", "javascript:alert(1)", "/\r\nX-Evil: yes"} {
		a := signIn.post(t, "/signin", url.Values{"passphrase": {passphrase}, "next": {next}})
		if a.Status != http.StatusSeeOther || a.to() != "/" {
			t.Errorf("signing in leads to %q", a.to())
		}
	}
}

// wantHarmless looks at one answer.
func wantHarmless(t testing.TB, what string, a answer) {
	t.Helper()
	what = fmt.Sprintf("%.150q", what)
	wantSafeHeaders(t, what, a)
	if to := a.to(); to != "" && !regexp.MustCompile(`^/($|[^/\\\t])[^\r\n]*$`).MatchString(to) {
		t.Errorf("%s leads to %q", what, to)
	}
	if a.Status >= 500 {
		t.Errorf("%s: %d\n%.300s", what, a.Status, a.Body)
	}
	if strings.Contains(a.Header.Get("Content-Type"), "html") {
		wantOnlyText(t, what, a.Body)
	}
}
