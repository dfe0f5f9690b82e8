package webui

import (
	"sync"

	"github.com/hearthgate/hearthgate/webui/page"
)

// asides hold sentences for the next page of a browser, such as "Anna's phone was removed." after the removal's redirect.
type asides struct {
	mu sync.Mutex
	of map[string][]page.Notice // by session
}

// maxAsides bounds the sessions that have a sentence waiting, and the sentences that each has.
const maxAsides, maxAsidesEach = 256, 4

func newAsides() *asides { return &asides{of: make(map[string][]page.Notice)} }

func (a *asides) put(session string, n page.Notice) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.of) >= maxAsides && a.of[session] == nil {
		clear(a.of) // browsers that never came back; a sentence lost is no harm
	}
	if len(a.of[session]) < maxAsidesEach {
		a.of[session] = append(a.of[session], n)
	}
}

func (a *asides) take(session string) []page.Notice {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.of[session]
	delete(a.of, session)
	return out
}
