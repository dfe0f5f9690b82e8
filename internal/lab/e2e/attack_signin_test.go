package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"
)

// TestAttackSignInFlood: two hundred sign-ins in the same moment from four machines, each of which would take 19 MiB and a tenth of a second,
// neither fill the memory nor hold up the page; the household's browser signs in among them.
func TestAttackSignInFlood(t *testing.T) {
	h := standinHome(t)
	owner := h.claim(t)
	owner.post(t, "/signout", nil)
	watcher := h.visitor(h.HomeAssistant)
	var mu sync.Mutex
	count := make(map[int]int)
	var posting sync.WaitGroup
	for m := range 4 {
		on := h.AddDevice(t, fmt.Sprintf("machine%d", m))
		for i := range 50 {
			v := h.visitor(on)
			posting.Go(func() {
				form := url.Values{"passphrase": {fmt.Sprintf("wrong number %d of %d", i, m)}}
				a, err := v.ask(t.Context(), http.MethodPost, "/signin", formMedia, form.Encode())
				if err != nil {
					a.Status = -1
				}
				mu.Lock()
				defer mu.Unlock()
				count[a.Status]++
			})
		}
	}
	var worst time.Duration
	for range 10 {
		began := time.Now()
		if a := watcher.get(t, "/signin"); a.Status != http.StatusOK {
			t.Errorf("a page meanwhile: %d", a.Status)
		}
		worst = max(worst, time.Since(began))
	}
	if a := owner.signIn(t, passphrase); a.Status != http.StatusSeeOther {
		t.Errorf("the household's browser meanwhile: %d", a.Status)
	}
	posting.Wait()
	t.Logf("%v; a page took %v at most; the appliance used %d MiB", count, worst, h.memory(t).peak>>20)
	if count[http.StatusForbidden]+count[http.StatusTooManyRequests]+count[http.StatusServiceUnavailable] != 200 || count[http.StatusForbidden] > 21 {
		t.Errorf("answers: %v", count)
	}
	if worst > 2*time.Second {
		t.Errorf("a page took %v", worst)
	}
	if peak := h.memory(t).peak; peak > ceiling {
		t.Errorf("the appliance used %d MiB", peak>>20)
	}
}
