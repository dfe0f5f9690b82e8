package webui

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestLinksAreSpentAtHomeOnly opens one through the tunnel, as a phone that may see the page there could.
func TestLinksAreSpentAtHomeOnly(t *testing.T) {
	h := newPhoneHouse(t)
	b := h.owner()
	link := b.addLink("Anna")
	inside := func(method, target string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
		r.AddCookie(b.cookies[sessionCookie])
		w := httptest.NewRecorder()
		h.Inside().ServeHTTP(w, r)
		return w
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if w := inside(method, link); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "<h1") {
			t.Errorf("%s %s inside the tunnel: %d", method, link, w.Code)
		}
	}
	if w := inside(http.MethodGet, "/settings"); w.Code != http.StatusOK {
		t.Errorf("the rest of the page: %d", w.Code)
	}
	if w := h.stranger().send(link); w.Code != http.StatusOK {
		t.Errorf("at home it is as good as before: %d", w.Code)
	}
}
