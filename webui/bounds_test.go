package webui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
)

// TestFieldsAreBounded sends forms and queries of as many fields as fit: each field takes far more memory than its bytes.
func TestFieldsAreBounded(t *testing.T) {
	h := newPhoneHouse(t)
	many := url.Values{"name": {"Anna"}, "service": make([]string, mostFields)}
	for _, b := range []*browser{h.stranger(), h.owner()} {
		for _, target := range []string{"/signin", "/signin/code", "/setup", "/phones/new"} {
			if w := b.ask(http.MethodPost, target, navigation, many); w.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("POST %s with %d fields: %d", target, mostFields+1, w.Code)
			}
		}
		for _, query := range []string{strings.Repeat("a&", mostFields), "next=" + strings.Repeat("a", queryLimit)} {
			if w := b.get("/signin?" + query); w.Code != http.StatusBadRequest {
				t.Errorf("a query of %d bytes: %d", len(query), w.Code)
			}
		}
	}
	if list, err := h.cfg.Peers.List(); err != nil || len(list) != 0 {
		t.Errorf("%d phones, %v", len(list), err)
	}
}

// TestALinkEndsWithWhatItWasFor tries each thing after which a link that is still in somebody's messages must be worth nothing.
func TestALinkEndsWithWhatItWasFor(t *testing.T) {
	for name, happens := range map[string]func(h *phoneHouse, b *browser, path string){
		"a new code":         func(_ *phoneHouse, b *browser, path string) { b.send(path + "/rekey") },
		"the phone came in":  func(h *phoneHouse, _ *browser, path string) { h.handshake(path, "203.0.113.9:4000") },
		"paused":             func(_ *phoneHouse, b *browser, path string) { b.send(path + "/pause") },
		"removed":            func(_ *phoneHouse, b *browser, path string) { b.send(path + "/remove") },
		"a newer link":       func(_ *phoneHouse, b *browser, path string) { b.send(path + "/link") },
		"stolen":             func(_ *phoneHouse, b *browser, _ string) { b.send("/settings/stolen", "sure", "1") },
		"rekeyed elsewhere":  func(h *phoneHouse, _ *browser, path string) { _, _ = h.cfg.Peers.Rekey(h.phone(path).ID, nil, true) },
		"server key changed": func(h *phoneHouse, _ *browser, _ string) { _, _, _ = h.cfg.Peers.RekeyServer() },
		"a reset":            func(h *phoneHouse, _ *browser, _ string) { _, _ = h.account.Reset(h.t.Context()) },
		"another passphrase": func(_ *phoneHouse, b *browser, _ string) {
			b.send("/settings/passphrase", "passphrase", "willow pebble harbor candle")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newPhoneHouse(t)
				ended := make(chan error, 1)
				go func() { ended <- h.Run(t.Context()) }()
				b := h.owner()
				link := b.addLink("Anna")
				list, err := h.cfg.Peers.List()
				if err != nil {
					t.Fatal(err)
				}
				happens(h, b, "/phones/"+list[0].ID)
				synctest.Wait()
				if w := h.stranger().get(link); w.Code != http.StatusNotFound {
					t.Errorf("the link's page: %d", w.Code)
				}
				if w := h.stranger().send(link); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "viewBox=\"0 0 6") {
					t.Errorf("it can be spent: %d\n%s", w.Code, text(w))
				}
			})
		})
	}
}

// TestWhoSpentALinkMayComeBack is a phone that goes to the App Store and whose browser then loads the page again.
func TestWhoSpentALinkMayComeBack(t *testing.T) {
	h := newPhoneHouse(t)
	link := h.owner().addLink("Anna")
	phone := h.stranger()
	first := phone.send(link)
	again := phone.get(link)
	if again.Code != http.StatusOK || scanned(t, again) == "" || scanned(t, again) != scanned(t, first) {
		t.Errorf("coming back: %d\n%s", again.Code, text(again))
	}
	if w := h.stranger().get(link); w.Code != http.StatusNotFound {
		t.Errorf("another browser: %d", w.Code)
	}
}

// TestSigningInAgainEndsTheOldSession is for who does it because somebody may have the old cookie.
func TestSigningInAgainEndsTheOldSession(t *testing.T) {
	h := newPhoneHouse(t)
	b, thief := h.partner(), h.stranger()
	thief.cookies[sessionCookie] = b.cookies[sessionCookie]
	if w := thief.get("/settings"); w.Code != http.StatusOK {
		t.Fatal(w.Code)
	}
	if w := b.send("/signin", "passphrase", testPassphrase); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code)
	}
	if w := thief.get("/settings"); w.Code != http.StatusSeeOther {
		t.Errorf("the old cookie opens %d", w.Code)
	}
	if w := b.get("/settings"); w.Code != http.StatusOK {
		t.Errorf("the new one opens %d", w.Code)
	}
}

// TestAnAddressThatNoCodeCanHoldIsRefusedWhereItIsTyped, and not later, at every phone.
func TestAnAddressThatNoCodeCanHoldIsRefusedWhereItIsTyped(t *testing.T) {
	h := newPhoneHouse(t)
	w := h.owner().send("/settings/address", "endpoint", strings.Repeat("a.", 60)+"example.org")
	if w.Code != http.StatusConflict && w.Code != http.StatusBadRequest {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
}
