package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAttackOversizedRequests: whatever is too long, too much or malformed is answered or dropped at once, and nothing of it is kept.
func TestAttackOversizedRequests(t *testing.T) {
	h := standinHome(t)
	owner := h.claim(t)
	program, _ := h.token(t, owner, "program", "manage")
	program.get(t, "/api/v1/status") // its last use is noted once an hour
	before := h.all(t)
	big := strings.Repeat("a", 10<<20)
	multipart := "--x\r\nContent-Disposition: form-data; name=\"passphrase\"; filename=\"f\"\r\n\r\n" + big[:60_000] + "\r\n--x--\r\n"
	parts := strings.Repeat("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n", 1000) + "--x--\r\n"
	began := time.Now()
	for _, c := range []struct {
		v                         *visitor
		method, path, media, body string
	}{
		{h.visitor(h.Neighbour), "POST", "/signin/code", formMedia, "code=" + big},
		{h.visitor(h.Neighbour), "POST", "/l/00", formMedia, big},
		{h.visitor(h.Neighbour), "POST", "/setup", "multipart/form-data; boundary=x", multipart},
		{h.visitor(h.Neighbour), "POST", "/setup", "multipart/form-data; boundary=x", parts},
		{h.visitor(h.Neighbour), "POST", "/setup", formMedia, strings.Repeat("a&", 32_000)},
		{h.visitor(h.Neighbour), "POST", "/signin/code", formMedia, strings.Repeat("%", 60_000)},
		{owner, "POST", "/phones/new", formMedia, "name=" + big},
		{owner, "POST", "/phones/new", formMedia, "name=" + big[:60_000]},
		{owner, "POST", "/phones/new", formMedia, strings.Repeat("service=home-assistant&", 2500)},
		{owner, "POST", "/phones/new", "text/xml", "<!DOCTYPE a [<!ENTITY b \"c\">]>"},
		{owner, "POST", "/settings/tokens", formMedia, "name=" + big},
		{program, "POST", "/api/v1/peers", "application/json", `{"name":"` + big + `"}`},
		{program, "POST", "/api/v1/peers", "application/json", strings.Repeat("[", 60_000)},
		{program, "POST", "/api/v1/peers", "application/json", strings.Repeat(`{"a":`, 12_000)},
		{program, "POST", "/api/v1/peers", "application/json", `{"name":"x"}{"name":"y"}`},
		{program, "POST", "/api/v1/peers", "application/json", `{"name":"x","services":[` + strings.Repeat(`"a",`, 14_000) + `"a"]}`},
	} {
		a, err := c.v.ask(t.Context(), c.method, c.path, c.media, c.body)
		if err == nil && (a.Status < 400 || a.Status >= 500) && a.Status != http.StatusOK {
			t.Errorf("%s %s with %d bytes of %s: %d to %q", c.method, c.path, len(c.body), c.media, a.Status, a.to())
		}
	}
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\nX: " + big[:1<<20] + "\r\n\r\n", "GET / HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\n" + strings.Repeat("X: y\r\n", 10_000) + "\r\n",
		"GET /" + big[:1<<20] + " HTTP/1.1\r\n\r\n", strings.Repeat("\r\n", 100_000), strings.Repeat("\x00", 100_000), strings.Repeat("A", 1<<20),
		"POST /setup HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\nContent-Length: -1\r\n\r\n", "POST /setup HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"POST /setup HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
		"POST /setup HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+big[:2000]+"\r\na\r\n", 400),
	} {
		if got, err := raw(t.Context(), h.Neighbour, h.pageAddress(), request, 2*time.Second); err == nil && !strings.HasPrefix(got, "4") {
			t.Errorf("%.60q of %d bytes is answered %.100s", request, len(request), got)
		}
	}
	t.Logf("all of it took %v; the appliance used %d MiB", time.Since(began), h.memory(t).peak>>20)
	wantSame(t, before, h.all(t))
	if peak := h.memory(t).peak; peak > ceiling {
		t.Errorf("the appliance used %d MiB", peak>>20)
	}
}

// drip sends begin, and then more again and again, until the other end closes; it gives how long that took.
func drip(ctx context.Context, c net.Conn, begin, more string, every time.Duration) time.Duration {
	began := time.Now()
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, c) // until it is closed or reset
		close(gone)
	}()
	_, _ = io.WriteString(c, begin)
	for {
		select {
		case <-gone:
			return time.Since(began)
		case <-ctx.Done():
			return time.Since(began)
		case <-time.After(every):
			_, _ = io.WriteString(c, more) // it may just have been closed
		}
	}
}

// TestAttackSlowRequests: whoever sends a header or a body drop by drop, or a body without an end, is dropped within seconds, and others
// get their pages meanwhile.
func TestAttackSlowRequests(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	h.claim(t)
	slow := h.AddDevice(t, "slow")
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	start := "POST /signin/code HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\nContent-Type: " + formMedia + "\r\n"
	var dripping sync.WaitGroup
	for name, c := range map[string]struct {
		begin, more string
		limit       time.Duration
	}{
		"nothing":                  {"", "", 8 * time.Second},
		"a request line":           {"G", "E", 8 * time.Second},
		"a header":                 {"GET / HTTP/1.1\r\nHost: x\r\nX: ", "y", 8 * time.Second},
		"headers":                  {"GET / HTTP/1.1\r\nHost: x\r\n", "X: y\r\n", 8 * time.Second},
		"a body":                   {start + "Content-Length: 60000\r\n\r\n", "a", 18 * time.Second},
		"chunks":                   {start + "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", 18 * time.Second},
		"chunks without an end":    {start + "Transfer-Encoding: chunked\r\n\r\n", strings.Repeat("1000\r\n"+strings.Repeat("a", 4096)+"\r\n", 8), 18 * time.Second},
		"a body that is not asked": {"GET /signin HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\nContent-Length: 60000\r\n\r\n", "a", 18 * time.Second},
	} {
		for range 5 {
			conn, err := slow.Dial(ctx, "tcp", h.pageAddress())
			if err != nil {
				t.Fatal(err)
			}
			dripping.Go(func() {
				defer conn.Close()
				if took := drip(ctx, conn, c.begin, c.more, 100*time.Millisecond); took > c.limit {
					t.Errorf("%s, drop by drop, is heard for %v", name, took)
				}
			})
		}
	}
	if err := h.pageWithin(ctx, h.Neighbour, 2*time.Second); err != nil {
		t.Errorf("a page meanwhile: %v", err)
	}
	dripping.Wait()
}

// manyHeaders is a header of nearly 20 KB in which every line is as short and as different as can be.
func manyHeaders() string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&b, "%c%c%c:\r\n", letters[i%36], letters[i/36%36], letters[i/1296%36])
	}
	return b.String()
}

// TestAttackMemory: one machine with eight addresses holds every connection that may be held, each with as much unfinished business as a
// request can have: the memory stays below the ceiling, and another machine gets its page all the same.
func TestAttackMemory(t *testing.T) {
	h := standinHome(t)
	owner := h.claim(t)
	bad := h.AddDevice(t, "bad")
	from := append(addresses(t, bad, "192.168.77.20", 8), bad.Addr4)
	start := "POST /signin/code HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\n"
	for _, c := range []struct{ name, hello string }{
		{"idle", ""},
		{"many header lines", "GET / HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\n" + manyHeaders()},
		{"many header lines and a slow body", start + manyHeaders() + "Content-Type: " + formMedia + "\r\nContent-Length: 60000\r\n\r\na"},
		{"one long header line", "GET / HTTP/1.1\r\nHost: " + h.pageAddress() + "\r\nX: " + strings.Repeat("a", 15_000)},
		{"thousands of fields", start + "Content-Type: " + formMedia + "\r\nContent-Length: 16000\r\n\r\n" + strings.Repeat("a&", 8_000)},
		{"a body", start + "Content-Type: " + formMedia + "\r\nContent-Length: 65000\r\n\r\n" + strings.Repeat("a&", 32_000)},
	} {
		var all crowd
		for _, addr := range from {
			conns, err := rush(bad, addr, h.pageAddress(), 64, c.hello)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, conns...)
		}
		if err := h.pageWithin(t.Context(), h.HomeAssistant, 3*time.Second); err != nil {
			t.Errorf("%s: another machine: %v", c.name, err)
		}
		t.Logf("%s: %d connections, %d open, %d MiB, %d MiB at most", c.name, len(all), all.open(), h.memory(t).resident>>20, h.memory(t).peak>>20)
		all.close()
		eventually(t, 5*time.Second, "the connections are gone", func() bool { files, _ := h.handles(t); return files < 60 })
	}
	if peak := h.memory(t).peak; peak > ceiling {
		t.Errorf("the appliance used %d MiB", peak>>20)
	}
	if a := owner.post(t, "/check", url.Values{}); a.Status != http.StatusSeeOther {
		t.Errorf("the household's browser afterwards: %d", a.Status)
	}
}
