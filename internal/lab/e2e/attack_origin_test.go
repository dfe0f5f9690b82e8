package e2e

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A form is one of a page's, as a browser would send it.
type form struct {
	page, action, method string
	fields               url.Values
}

// formsOf reads the forms out of a page, each with all that stands in it, and the links that lead on.
func formsOf(t testing.TB, page, text string) (forms []form, links []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var current *form
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "a":
			links = append(links, attribute(n, "href"))
		case "form":
			forms = append(forms, form{page: page, action: attribute(n, "action"), method: attribute(n, "method"), fields: url.Values{}})
			current = &forms[len(forms)-1]
		case "input", "button", "select", "textarea":
			if name := attribute(n, "name"); name != "" && current != nil {
				current.fields.Add(name, attribute(n, "value"))
			}
		}
	}
	return forms, links
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// walk visits every page that links lead to, and gives their forms by what they do.
func (v *visitor) walk(t testing.TB, starts ...string) (pages map[string]string, forms map[string]form) {
	t.Helper()
	pages, forms = make(map[string]string), make(map[string]form)
	todo := starts
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if _, seen := pages[path]; seen || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "/journal.jsonl") || strings.HasPrefix(path, "/api/") {
			continue
		}
		a := v.get(t, path)
		pages[path] = a.Body
		if a.to() != "" {
			todo = append(todo, a.to())
			continue
		}
		found, links := formsOf(t, path, a.Body)
		todo = append(todo, links...)
		for _, f := range found {
			if strings.EqualFold(f.method, http.MethodPost) {
				forms[f.action] = f
			}
		}
	}
	return pages, forms
}

// furnish gives a home one of everything, so that every form is on some page. It returns the phone's id.
func (h *home) furnish(t testing.TB, owner *visitor) string {
	t.Helper()
	h.do(t, "service", "add", "camera", "192.168.77.30:80", "--port", "8081")
	owner.post(t, "/settings/tokens", url.Values{"name": {"monitor"}, "scope": {"read"}})
	a := owner.post(t, "/phones/new", url.Values{"name": {"Anna"}, "service": {"home-assistant"}, "how": {"code"}})
	id, ok := strings.CutPrefix(strings.TrimSuffix(a.to(), "/scan"), "/phones/")
	if !ok {
		t.Fatalf("adding a phone: %d\n%s", a.Status, a.Body)
	}
	return id
}

// foreign are the headers of a page that is not ours, each with what a browser would say of it.
func (h *home) foreign() map[string]http.Header {
	own := h.pageAddress()
	host := h.Appliance.Addr4.String()
	return map[string]http.Header{
		"another site":       {"Origin": {"http://evil.example"}},
		"null":               {"Origin": {"null"}},
		"another port":       {"Origin": {"http://" + host + ":8123"}},
		"no port":            {"Origin": {"http://" + host}},
		"https":              {"Origin": {"https://" + own}},
		"another spelling":   {"Origin": {"http://192.168.077.010:51821"}},
		"a longer name":      {"Origin": {"http://" + own + ".evil.example"}},
		"user information":   {"Origin": {"http://" + own + "@evil.example"}},
		"nothing in it":      {"Origin": {""}},
		"two":                {"Origin": {"http://" + own, "http://evil.example"}},
		"cross-site":         {"Sec-Fetch-Site": {"cross-site"}},
		"same-site":          {"Sec-Fetch-Site": {"same-site"}},
		"cross-site, ours":   {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"http://" + own}},
		"only a referer":     {"Referer": {"http://evil.example/" + own}},
		"an opaque referer":  {"Referer": {"about:blank"}},
		"a file":             {"Origin": {"file://"}},
		"ours by other name": {"Origin": {"http://hearthgate.local:51821"}},
	}
}

// TestAttackCrossSiteForms: no form of any page can be sent from a page of somebody else's, although the browser is signed in and its
// passphrase was typed a moment ago: every page is walked, every form is sent with every Origin that is not ours.
func TestAttackCrossSiteForms(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	wantRefusedForms(t, h, h.visitor(h.Neighbour), "/setup")
	owner := h.claim(t)
	id := h.furnish(t, owner)
	_, forms := owner.walk(t, "/", "/settings", "/setup/address", "/settings/two-step", "/phones/"+id+"/scan", "/check", "/settings/watch")
	// What no link leads to, or what only scripts and later steps send.
	for _, action := range []string{"/signin", "/signin/code", "/phones/" + id + "/leave", "/phones/" + id + "/link", "/settings/two-step/confirm", "/settings/two-step/off", "/settings/two-step/codes", "/home-assistant", "/check", "/check/known", "/check/mapping", "/settings/watch/witness/remove"} {
		if _, ok := forms[action]; !ok {
			forms[action] = form{action: action, fields: url.Values{
				"code": {"000000"}, "target": {"http://192.168.77.30:80"}, "passphrase": {passphrase}, "port": {"8123"}, "is": {"1"}, "id": {"0"},
			}}
		}
	}
	for _, must := range []string{
		"/signout", "/phones/new", "/phones/" + id + "/rename", "/phones/" + id + "/remove", "/phones/" + id + "/rekey", "/phones/" + id + "/pause",
		"/phones/" + id + "/services", "/phones/" + id + "/expiry", "/settings/passphrase", "/settings/sessions/end", "/settings/tokens",
		"/settings/tokens/remove", "/settings/services", "/settings/services/camera/remove", "/settings/appearance", "/settings/stolen", "/settings/two-step/start",
		"/settings/watch/witness", "/settings/watch/switch", "/settings/watch/token", "/settings/watch/webhook", "/settings/watch/mqtt",
		"/settings/watch/names",
	} {
		if _, ok := forms[must]; !ok {
			t.Errorf("no page has the form %s; there are %v", must, slices.Sorted(maps.Keys(forms)))
		}
	}
	before := h.all(t)
	wantRefused(t, h, owner, forms)
	wantSame(t, before, h.all(t))
	if !owner.isSignedIn(t) {
		t.Error("the browser was signed out")
	}
}

// wantRefusedForms is wantRefused for the forms of one page.
func wantRefusedForms(t testing.TB, h *home, v *visitor, page string) {
	t.Helper()
	found, _ := formsOf(t, page, v.get(t, page).Body)
	forms := make(map[string]form)
	for _, f := range found {
		forms[f.action] = f
	}
	if len(forms) == 0 {
		t.Errorf("%s has no form", page)
	}
	if page == "/setup" {
		forms["/setup"].fields.Set("code", h.setupCode(t))
	}
	before := h.all(t)
	wantRefused(t, h, v, forms)
	wantSame(t, before, h.all(t))
}

func wantRefused(t testing.TB, h *home, v *visitor, forms map[string]form) {
	t.Helper()
	for _, f := range forms {
		for from, header := range h.foreign() {
			v.header = header
			a := v.post(t, f.action, f.fields)
			if a.Status != http.StatusForbidden || len(a.Header["Set-Cookie"]) > 0 || !strings.Contains(a.Body, "did not come from the Hearthgate page") {
				t.Errorf("POST %s from %s: %d\n%.300s", f.action, from, a.Status, a.Body)
			}
		}
	}
	v.header = make(http.Header)
}

// TestAttackCrossSiteAPI: nothing that the API changes can be changed from a page of somebody else's with the browser's cookie, by any
// method and with any body that a page can send.
func TestAttackCrossSiteAPI(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	id := h.furnish(t, owner)
	before := h.all(t)
	for _, write := range []struct{ method, path, body string }{
		{"POST", "/api/v1/peers", `{"name":"Evil"}`},
		{"PATCH", "/api/v1/peers/" + id, `{"name":"Evil"}`},
		{"DELETE", "/api/v1/peers/" + id, ""},
		{"POST", "/api/v1/peers/" + id + "/rekey", `{"now":true}`},
		{"POST", "/api/v1/peers/" + id + "/link", `{}`},
		{"POST", "/api/v1/services", `{"name":"evil","target":"192.168.77.30:80"}`},
		{"DELETE", "/api/v1/services/camera", ""},
		{"PUT", "/api/v1/home-assistant", `{"address":"http://192.168.77.30:80"}`},
		{"POST", "/api/v1/server/rekey", `{}`},
		{"PUT", "/api/v1/settings", `{"endpoint":"evil.example"}`},
		{"PUT", "/api/v1/account/passphrase", `{"passphrase":"evil evil evil evil 12"}`},
		{"POST", "/api/v1/account/reset", `{}`},
		{"POST", "/api/v1/account/two-step", `{}`},
		{"DELETE", "/api/v1/account/two-step", ""},
		{"POST", "/api/v1/account/recovery-codes", `{}`},
		{"DELETE", "/api/v1/sessions", ""},
		{"POST", "/api/v1/tokens", `{"name":"e","scopes":["manage"]}`},
		{"POST", "/api/v1/exposure/checks", ""},
		{"PATCH", "/api/v1/exposure/setup", `{"webhook":"http://evil.example/"}`},
		{"PATCH", "/api/v1/exposure/setup", `{"known":[8123]}`},
		{"POST", "/api/v1/exposure/witnesses", `{"invite":"hearthgate-witness:evil"}`},
		{"DELETE", "/api/v1/exposure/witnesses/evil", ""},
		{"POST", "/api/v1/exposure/mappings/delete", `{"id":"0"}`},
	} {
		for from, header := range h.foreign() {
			for _, media := range []string{"application/json", "text/plain", formMedia, ""} {
				owner.header = header
				if a := owner.must(t, write.method, write.path, media, write.body); a.Status != http.StatusForbidden {
					t.Errorf("%s %s from %s as %q: %d %.200s", write.method, write.path, from, media, a.Status, a.Body)
				}
			}
		}
		owner.header = make(http.Header)
		// An old browser that says nothing of where it comes from still cannot send JSON from another site's form.
		for _, media := range []string{"text/plain", formMedia, "multipart/form-data; boundary=x", ""} {
			if write.body == "" || write.body == "{}" {
				continue
			}
			if a := owner.must(t, write.method, write.path, media, write.body); a.Status < 400 {
				t.Errorf("%s %s as %q: %d %.200s", write.method, write.path, media, a.Status, a.Body)
			}
		}
	}
	wantSame(t, before, h.all(t))
}
