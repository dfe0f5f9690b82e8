package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// spoofed are headers by which proxies say who is behind them, each time somebody else.
func spoofed(i int) http.Header {
	addr := fmt.Sprintf("10.%d.%d.%d", i%250, i/250, 1+i%99)
	return http.Header{
		"X-Forwarded-For": {addr, "127.0.0.1"}, "X-Real-Ip": {addr}, "Forwarded": {"for=" + addr}, "True-Client-Ip": {addr}, "X-Client-Ip": {addr},
		"Cf-Connecting-Ip": {addr}, "X-Cluster-Client-Ip": {addr}, "X-Originating-Ip": {addr}, "Client-Ip": {addr}, "X-Remote-Addr": {addr},
		"Cookie": {fmt.Sprintf("hearthgate_device=%043d", i)}, "User-Agent": {"script " + addr},
	}
}

// guesses sends n wrong forms from a host, each as somebody else, and counts the answers by status.
func (h *home) guesses(t testing.TB, on *lab.Host, n int, path string, wrong func(i int) url.Values) map[int]int {
	t.Helper()
	v := h.visitor(on)
	count := make(map[int]int)
	for i := range n {
		v.header = spoofed(i)
		a := v.post(t, path, wrong(i))
		count[a.Status]++
	}
	return count
}

func wrongPassphrase(i int) url.Values {
	return url.Values{"passphrase": {fmt.Sprintf("wrong passphrase number %d", i)}}
}

// TestAttackSpoofedAddresses: a script that says in every header of every proxy that it is somebody else, and brings another device
// cookie each time, is held up like any other; nobody else is, the household's own browser least of all; a power cut forgives nothing.
func TestAttackSpoofedAddresses(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	script := h.AddDevice(t, "script")
	codes := h.guesses(t, script, 30, "/setup", func(i int) url.Values {
		return url.Values{"code": {fmt.Sprintf("%06d", i)}, "passphrase": {passphrase}}
	})
	if codes[http.StatusForbidden] > 8 || codes[http.StatusTooManyRequests] < 20 {
		t.Errorf("setup codes: %v", codes)
	}
	owner := h.claim(t) // from another machine, which is not held up
	owner.post(t, "/signout", nil)

	count := h.guesses(t, script, 30, "/signin", wrongPassphrase)
	if count[http.StatusForbidden] > 8 || count[http.StatusForbidden] < 4 || count[http.StatusTooManyRequests] < 20 {
		t.Errorf("passphrases: %v", count)
	}
	if a := h.visitor(script).signIn(t, passphrase); a.Status != http.StatusTooManyRequests || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("the right passphrase, from the source that is held up: %d", a.Status)
	}
	if a := h.visitor(h.AddDevice(t, "second")).signIn(t, "not the passphrase"); a.Status != http.StatusForbidden {
		t.Errorf("a second machine: %d", a.Status)
	}
	h.guessOn(t, script, func() {
		if a := owner.signIn(t, passphrase); a.Status != http.StatusSeeOther {
			t.Errorf("the household's browser during the attack: %d\n%s", a.Status, a.Body)
		}
		time.Sleep(3500 * time.Millisecond) // the script gets its sixth and seventh guess
	})
	h.daemon.Kill()
	h.start(t)
	if a := h.visitor(script).signIn(t, "wrong once more"); a.Status != http.StatusTooManyRequests {
		t.Errorf("after a power cut: %d", a.Status)
	}
}

// guessOn lets a script guess all the time while something else is done.
func (h *home) guessOn(t testing.TB, script *lab.Host, meanwhile func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var guessing sync.WaitGroup
	guessing.Go(func() {
		v := h.visitor(script)
		for i := 0; ctx.Err() == nil; i++ {
			v.header = spoofed(i)
			_, _ = v.ask(ctx, http.MethodPost, "/signin", formMedia, wrongPassphrase(i).Encode()) // stopped at the end
			time.Sleep(5 * time.Millisecond)                                                      // a real process, real time
		}
	})
	meanwhile()
	stop()
	guessing.Wait()
}

// TestAttackManyAddresses: a script that takes many addresses of its own, of IPv6 and of IPv4, gets as many guesses as
// everybody has together and no more; the household's browser is not held up.
func TestAttackManyAddresses(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	owner.post(t, "/signout", nil)
	script := h.AddDevice(t, "script")
	six := net.JoinHostPort(h.Appliance.Addr6.String(), "51821")
	count := make(map[int]int)
	for _, from := range addresses(t, script, "2a77:db8:77::bad:", 12) {
		count[guessFrom(t, script, from, six)]++
	}
	for _, from := range addresses(t, script, "192.168.77.2", 40) {
		count[guessFrom(t, script, from, h.pageAddress())]++
	}
	if count[http.StatusForbidden] > 22 || count[http.StatusForbidden] < 18 || count[http.StatusTooManyRequests] < 30 {
		t.Errorf("with 52 addresses: %v", count)
	}
	if a := owner.signIn(t, passphrase); a.Status != http.StatusSeeOther {
		t.Errorf("the household's browser after it: %d", a.Status)
	}
}

// guessFrom sends one wrong passphrase from one of the host's addresses and gives the status.
func guessFrom(t testing.TB, on *lab.Host, from netip.Addr, to string) int {
	t.Helper()
	v := newVisitor(on, "http://"+to)
	v.client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (c net.Conn, err error) {
		d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
		err = on.Do(func() error { c, err = d.DialContext(ctx, network, address); return err })
		return c, err
	}}
	return v.signIn(t, "wrong passphrase from "+from.String()).Status
}
