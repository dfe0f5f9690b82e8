package e2e

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// TestAttackEventStreams: a browser holds eight streams and all together 64, whoever asks for more is told so; and after a thousand were
// opened and closed the appliance has the files, threads and memory that it had before.
func TestAttackEventStreams(t *testing.T) {
	h := standinHome(t)
	owner := h.claim(t)
	open := func(v *visitor) (status int, body io.ReadCloser, err error) {
		req, err := v.request(t.Context(), http.MethodGet, "/api/v1/events", "", "")
		if err != nil {
			return 0, nil, err
		}
		resp, err := v.client.Do(req)
		if err != nil {
			return 0, nil, err
		}
		return resp.StatusCode, resp.Body, nil
	}
	programs := []*visitor{owner}
	for i := range 11 {
		program, _ := h.token(t, owner, fmt.Sprintf("program %d", i), "read")
		program.on = h.HomeAssistant
		if i%2 == 0 {
			program = program.again(h.HomeAssistant) // one machine alone may not have so many connections
		}
		programs = append(programs, program)
	}
	time.Sleep(100 * time.Millisecond) // what was asked just now comes to rest in that process before it is counted
	files, threads := h.handles(t)
	var held []io.Closer
	count := make(map[int]int)
	for _, program := range programs {
		for range 9 {
			status, body, err := open(program)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, body)
			count[status]++
		}
	}
	if count[http.StatusOK] != 64 || count[http.StatusServiceUnavailable] != len(programs)*9-64 {
		t.Errorf("streams: %v", count)
	}
	if err := h.pageWithin(t.Context(), h.AddDevice(t, "other"), 2*time.Second); err != nil {
		t.Errorf("a page beside 64 streams: %v", err)
	}
	for _, body := range held {
		body.Close()
	}
	var work sync.WaitGroup
	for _, program := range programs {
		work.Go(func() {
			for range 84 {
				_, body, err := open(program)
				if err != nil {
					t.Error(err)
					return
				}
				body.Close()
			}
		})
	}
	work.Wait()
	for _, program := range programs {
		program.client.CloseIdleConnections()
	}
	eventually(t, 10*time.Second, "the streams are gone", func() bool { now, _ := h.handles(t); return now <= files+1 })
	if _, now := h.handles(t); now > threads+16 {
		t.Errorf("%d threads, %d before", now, threads)
	}
	if peak := h.memory(t).peak; peak > ceiling {
		t.Errorf("the appliance used %d MiB", peak>>20)
	}
	for range 8 { // all places are free again
		status, body, err := open(owner)
		if err != nil || status != http.StatusOK {
			t.Fatalf("a stream afterwards: %d %v", status, err)
		}
		defer body.Close()
	}
}
