package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/key"
)

const idempotencyKey = "Idempotency-Key"

func (h *house) addWith(c Caller, word, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.askAs(c, "POST", "/api/v1/peers", body, idempotencyKey, word)
}

func (h *house) peers() int {
	h.t.Helper()
	list, err := h.registry.List()
	if err != nil {
		h.t.Fatal(err)
	}
	return len(list)
}

func TestAPhoneIsAddedOnceForOneKey(t *testing.T) {
	h := newHouse(t)
	manage := Caller{TokenID: "t", Read: true, Manage: true}
	first := h.addWith(manage, "k1", `{"name": "Anna"}`)
	again := h.addWith(manage, "k1", `{"name": "Anna"} `)
	if first.Code != http.StatusCreated || again.Code != http.StatusCreated || first.Body.String() != again.Body.String() || h.peers() != 1 {
		t.Errorf("%d %s\n%d %s", first.Code, first.Body, again.Code, again.Body)
	}
	for name, c := range map[string]struct {
		by     Caller
		word   string
		body   string
		status int
	}{
		"another body":            {manage, "k1", `{"name": "Ben"}`, http.StatusUnprocessableEntity},
		"another caller":          {SessionCaller("t", true), "k1", `{"name": "Anna"}`, http.StatusConflict}, // its own request: the name is taken
		"another key":             {manage, "k2", `{"name": "Anna"}`, http.StatusConflict},
		"a key that is no word":   {manage, "two words", `{"name": "Carl"}`, http.StatusBadRequest},
		"a key that is too long":  {manage, strings.Repeat("k", longestKey+1), `{"name": "Carl"}`, http.StatusBadRequest},
		"a body that is not JSON": {manage, "k3", `{`, http.StatusBadRequest},
	} {
		if w := h.addWith(c.by, c.word, c.body); w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if h.peers() != 1 {
		t.Errorf("%d peers", h.peers())
	}
}

func TestARefusedRequestMayBeTriedAgainWithItsKey(t *testing.T) {
	h := newHouse(t)
	h.noRoute = http.ErrServerClosed
	if w := h.addWith(h.as, "k", `{"name": "Anna"}`); w.Code != http.StatusConflict {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	h.noRoute = nil
	if w := h.addWith(h.as, "k", `{"name": "Anna"}`); w.Code != http.StatusCreated {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestManyAtOnceWithOneKeyAddOnePhone(t *testing.T) {
	h := newHouse(t)
	var all sync.WaitGroup
	codes := make([]int, 8)
	for i := range codes {
		all.Go(func() { codes[i] = h.addWith(h.as, "k", `{"name": "Anna"}`).Code })
	}
	all.Wait()
	for _, code := range codes {
		if code != http.StatusCreated && code != http.StatusConflict {
			t.Errorf("%d", code)
		}
	}
	if h.peers() != 1 {
		t.Errorf("%d peers", h.peers())
	}
}

func TestAnAnswerIsNotGivenAgainOnceItsKeyIsInUse(t *testing.T) {
	for name, happens := range map[string]func(*house, Enrolment) error{
		"the phone has connected": func(h *house, e Enrolment) error {
			pub, err := key.ParsePublic(e.Peer.PublicKey)
			if err != nil {
				return err
			}
			return h.registry.Seen(e.Peer.ID, pub, time.Now())
		},
		"the phone has a new code": func(h *house, e Enrolment) error {
			_, err := h.registry.Rekey(e.Peer.ID, nil, true)
			return err
		},
		"the phone is gone": func(h *house, e Enrolment) error { return h.registry.Remove(e.Peer.ID) },
	} {
		h := newHouse(t)
		h.addWith(h.as, "k", `{"name": "Anna"}`)
		list, err := h.registry.List()
		if err != nil || len(list) != 1 {
			t.Fatal(err, list)
		}
		if err := happens(h, Enrolment{Peer: h.view(list[0], Live{})}); err != nil {
			t.Fatal(err)
		}
		w := h.addWith(h.as, "k", `{"name": "Anna"}`)
		if w.Code != http.StatusConflict && w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "PrivateKey") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func (h *house) answersKept() int {
	h.replays.mu.Lock()
	defer h.replays.mu.Unlock()
	return len(h.replays.kept)
}

func TestAnswersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.addWith(h.as, "k", `{"name": "Anna"}`)
		time.Sleep(replayFor - time.Second)
		if h.answersKept() != 1 {
			t.Fatal("forgotten too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if h.answersKept() != 0 {
			t.Error("a private key is still kept")
		}
	})
}

func TestOnlySoManyAnswersAreKept(t *testing.T) {
	var r replays
	for i := range 3 * maxReplays {
		before, keep, err := r.begin(fmt.Sprint("key ", i), nil)
		if before != nil || err != nil {
			t.Fatal(before, err)
		}
		keep(&Enrolment{})
	}
	if len(r.kept) != maxReplays {
		t.Errorf("%d are kept", len(r.kept))
	}
	r = replays{}
	for i := range maxReplays {
		if _, _, err := r.begin(fmt.Sprint("key ", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := r.begin("one more", nil); err == nil {
		t.Error("requests under way are forgotten for another")
	}
}
