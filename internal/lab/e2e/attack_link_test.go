package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// link makes a one-time link for a new phone and gives its path.
func (h *home) link(t testing.TB, owner *visitor, name string) string {
	t.Helper()
	a := owner.post(t, "/phones/new", url.Values{"name": {name}, "service": {"home-assistant"}, "how": {"link"}})
	path := regexp.MustCompile(`/l/[0-9a-f]{32}`).FindString(a.Body)
	if path == "" {
		t.Fatalf("no link: %d\n%s", a.Status, a.Body)
	}
	return path
}

// hasConfig tells whether an answer holds a phone's private key, as a file or as a code.
func hasConfig(a answer) bool {
	return strings.Contains(a.Body, "PrivateKey") || strings.Contains(a.Body, `class="paper"`) || strings.Contains(a.Header.Get("Set-Cookie"), "hearthgate_link=")
}

// TestAttackLinkGuessing: a link that was never made, one that is spent, one that was replaced and one whose phone is gone all look the
// same, so that whoever guesses learns nothing; and none of the ways to look at a link spends it.
func TestAttackLinkGuessing(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	stranger := h.visitor(h.AddDevice(t, "stranger"))
	spent, gone, kept := h.link(t, owner, "Spent"), h.link(t, owner, "Gone"), h.link(t, owner, "Kept")
	if a := stranger.post(t, spent, nil); !hasConfig(a) {
		t.Fatalf("spending a link: %d", a.Status)
	}
	h.do(t, "peer", "remove", "Gone")
	bodies := make(map[string]string)
	for i := range 200 {
		path := fmt.Sprintf("/l/%032x", i*7919)
		bodies[stranger.get(t, path).Body] = path
		bodies[stranger.post(t, path, nil).Body] = path
	}
	fresh := h.visitor(stranger.on) // without the cookie of the spent one
	for _, path := range []string{spent, gone, kept[:34], kept + "0", "/l/" + strings.ToUpper(kept[3:]), kept[:30] + "ffff", "/l/" + strings.Repeat("0", 32)} {
		for _, a := range []answer{fresh.get(t, path), fresh.post(t, path, nil), fresh.get(t, path+"/conf")} {
			bodies[a.Body] = path
			if a.Status != http.StatusNotFound || hasConfig(a) {
				t.Errorf("%s: %d", path, a.Status)
			}
		}
	}
	if len(bodies) != 1 {
		t.Errorf("%d different answers to links that are good for nothing", len(bodies))
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "GET", "HEAD"} {
		if a := stranger.must(t, method, kept, "", ""); hasConfig(a) {
			t.Errorf("%s spends a link: %d", method, a.Status)
		}
	}
	for _, header := range []http.Header{{"X-Http-Method-Override": {"POST"}}, {"X-Method-Override": {"POST"}}, {"Purpose": {"prefetch"}}} {
		fresh.header = header
		for _, path := range []string{kept, kept + "?_method=POST"} {
			if a := fresh.get(t, path); hasConfig(a) {
				t.Errorf("GET with %v spends a link", header)
			}
		}
	}
	if a := h.visitor(h.AddDevice(t, "phone")).post(t, kept, nil); !hasConfig(a) {
		t.Errorf("the link does not work any more, from another machine: %d", a.Status)
	}
}

// TestAttackLinkDoubleSpending: of twenty who spend a link in the same moment one gets a code, and nobody but that browser gets the file:
// not with the link alone, not with the cookie of another link, not with the household's own session.
func TestAttackLinkDoubleSpending(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	for round := range 5 {
		path := h.link(t, owner, fmt.Sprintf("Phone %d", round))
		browsers := make([]*visitor, 20)
		answers := make([]answer, len(browsers))
		var spending sync.WaitGroup
		for i := range browsers {
			browsers[i] = h.visitor(h.Neighbour)
			spending.Go(func() { answers[i], _ = browsers[i].ask(t.Context(), http.MethodPost, path, "", "") })
		}
		spending.Wait()
		got, files := 0, 0
		for i, v := range browsers {
			if hasConfig(answers[i]) {
				got++
			} else if answers[i].Status != http.StatusNotFound {
				t.Errorf("whoever was late: %d", answers[i].Status)
			}
			a := v.get(t, path+"/conf")
			v.client.CloseIdleConnections() // a machine may not have so many
			if strings.Contains(a.Body, "PrivateKey") {
				files++
				if !hasConfig(answers[i]) {
					t.Error("a browser has the file that did not spend the link")
				}
			}
		}
		if got != 1 || files != 1 {
			t.Errorf("%d codes and %d files out of one link", got, files)
		}
		if a := owner.get(t, path+"/conf"); hasConfig(a) || a.Status != http.StatusNotFound {
			t.Errorf("the household's browser got the file: %d", a.Status)
		}
	}
	// One browser's cookie opens one link's file.
	first, second := h.link(t, owner, "First"), h.link(t, owner, "Second")
	a, b := h.visitor(h.Neighbour), h.visitor(h.HomeAssistant)
	a.post(t, first, nil)
	b.post(t, second, nil)
	if got := a.get(t, second+"/conf"); hasConfig(got) {
		t.Error("the cookie of one link opens another's file")
	}
	if !strings.Contains(b.get(t, second+"/conf").Body, "PrivateKey") {
		t.Error("the second browser has no file: this proves nothing")
	}
}
