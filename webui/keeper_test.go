package webui

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/hearthgate/hearthgate/webui/api"
)

// What the API asks of the page.
var (
	_ api.Links = (*Server)(nil)
	_ api.Desk  = (*Server)(nil)
)

func TestWhatBecameVoidLeavesMemoryThoughNobodyLooks(t *testing.T) {
	for name, do := range map[string]func(h *phoneHouse, path string) error{
		"the phone came in": func(h *phoneHouse, path string) error { h.handshake(path, ""); return nil },
		"the phone is gone": func(h *phoneHouse, path string) error { return h.cfg.Peers.Remove(h.phone(path).ID) },
		"it has another key": func(h *phoneHouse, path string) error {
			_, err := h.cfg.Peers.Rekey(h.phone(path).ID, nil, true)
			return err
		},
		"the server has":      func(h *phoneHouse, _ string) error { _, _, err := h.cfg.Peers.RekeyServer(); return err },
		"the session is over": func(h *phoneHouse, _ string) error { return h.account.EndSession(h.setup.Session.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newPhoneHouse(t)
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- h.Run(ctx) }()
				path := h.owner().add("Anna")
				synctest.Wait()
				if h.desk.lies() != 1 {
					t.Fatal("the code was thrown away")
				}
				if err := do(h, path); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if h.desk.lies() != 0 {
					t.Error("memory still holds the code")
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestALinkedPhonesFileStaysWhenSessionsEnd(t *testing.T) {
	h := newPhoneHouse(t)
	link := h.owner().addLink("Ben")
	phone := h.stranger()
	phone.send(link)
	if err := h.account.EndSession(h.setup.Session.ID); err != nil {
		t.Fatal(err)
	}
	h.tidy()
	if w := phone.get(link + "/conf"); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
}
