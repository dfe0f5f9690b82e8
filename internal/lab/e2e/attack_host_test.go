package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// all is everything that an attack could change, read through the control socket.
func (h *home) all(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for _, path := range []string{"peers", "services", "settings", "account", "sessions", "tokens", "journal?limit=1000", "home-assistant"} {
		fmt.Fprintf(&b, "%s: %s\n", path, without(h.told(t, "/api/v1/"+path)))
	}
	return b.String()
}

// passing is what changes by itself while phones are connected: what the tunnel sees of them, which it looks at once a second, and
// the events about it.
var passing = regexp.MustCompile(`"(received_bytes|sent_bytes)":[0-9]+,?|"(first_handshake_at|last_handshake_at|endpoint)":"[^"]*",?|` +
	`"state":"(waiting|active|idle)",?|\{[^{}]*"type":"peer\.(connected|disconnected|first_handshake)"[^{}]*(\{[^{}]*\})?[^{}]*\},?|[,\s]+$`)

// without gives what an attack could have changed, of what the API says.
func without(told string) string {
	return strings.NewReplacer(",}", "}", ",]", "]").Replace(passing.ReplaceAllString(told, ""))
}

// told is get, with whatever status: before claiming there is no account to tell of.
func (h *home) told(t testing.TB, path string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", h.socket)
	}}}
	v := visitor{on: h.Appliance, base: "http://hearthgate", client: &client}
	a := v.get(t, path)
	return fmt.Sprint(a.Status, " ", a.Body)
}

// wantSame fails the test when something has changed.
func wantSame(t testing.TB, before, after string) {
	t.Helper()
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range max(len(was), len(is)) {
		if i >= len(was) || i >= len(is) || was[i] != is[i] {
			t.Errorf("something was changed, from\n%s\nto\n%s", was[min(i, len(was)-1)], is[min(i, len(is)-1)])
			return
		}
	}
}

// foreignHosts are names and addresses that are not the appliance's, and ways to write its own that no browser has.
func (h *home) foreignHosts() []string {
	own := h.Appliance.Addr4.String()
	return []string{
		"evil.example", "evil.example:51821", own + ".evil.example", own + ".evil.example:51821", "evil.example.", own + "..",
		"hearthgate.local.evil.example", "evil-hearthgate.local", "hearthgate.locale", "appliance.evil.example",
		own + ":51821.evil.example", "evil.example:51821@" + own, own + "@evil.example", own + ":99999", own + ":-1", own + ":51821:51821",
		own + "#evil.example", own + "/evil.example", "[" + own + "]", "[::ffff:192.168.77.20]", "[2a77:db8:77::20]", "[::1", "::1",
		h.HomeAssistant.Addr4.String(), h.WAN4.String(), h.WAN4.String() + ":51821", "0.0.0.0", "255.255.255.255",
		"3232255242", "0xc0a84d0a", "0300.0250.0115.012", "192.168.19722", "192.168.077.010", // other spellings of 192.168.77.10
		"１９２.168.77.10", "hearthgate。local", "", ".", "*", "null", "%31%39%32.168.77.10",
	}
}

// TestAttackDNSRebinding: a website that lets its own name point at the appliance gets no page of ours, whatever the path, before the
// appliance is claimed and afterwards, and with a session's cookie.
func TestAttackDNSRebinding(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	code := h.setupCode(t)
	claim := url.Values{"code": {code}, "passphrase": {passphrase}}.Encode()
	post := fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s", formMedia, len(claim), claim)
	before := h.all(t)
	for _, name := range h.foreignHosts() {
		h.wantNoPage(t, "GET / HTTP/1.1\r\nHost: "+name+"\r\n\r\n")
		h.wantNoPage(t, "POST /setup HTTP/1.1\r\nHost: "+name+"\r\n"+post)
		h.wantNoPage(t, "POST /setup HTTP/1.1\r\nHost: "+name+"\r\nOrigin: http://"+name+"\r\n"+post)
	}
	wantSame(t, before, h.all(t))
	owner := h.claim(t)
	cookie := "Cookie: hearthgate=" + owner.cookie("/", "hearthgate") + "\r\n"
	before = h.all(t)
	for _, path := range []string{"/", "/signin", "/settings", "/api/v1/peers", "/metrics", "/journal.jsonl", "/assets/x", "*", "/l/00"} {
		for _, name := range []string{"evil.example", h.Appliance.Addr4.String() + ".evil.example:51821", h.HomeAssistant.Addr4.String(), ""} {
			h.wantNoPage(t, "GET "+path+" HTTP/1.1\r\nHost: "+name+"\r\n"+cookie+"\r\n")
		}
		h.wantNoPage(t, "GET "+path+" HTTP/1.0\r\n"+cookie+"\r\n")
		h.wantNoPage(t, "OPTIONS "+path+" HTTP/1.1\r\nHost: evil.example\r\n"+cookie+"\r\n")
	}
	wantSame(t, before, h.all(t))
	if a := owner.get(t, "/"); a.Status != 200 {
		t.Errorf("the household's own browser: %d", a.Status)
	}
}

// TestAttackHostInOddRequests: neither an absolute target, nor two Hosts, nor a Host smuggled in by other fields, nor CONNECT opens what
// the allow-list of names closes.
func TestAttackHostInOddRequests(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	own := h.pageAddress()
	for _, request := range []string{
		"GET http://evil.example/ HTTP/1.1\r\nHost: " + own + "\r\n\r\n",
		"GET http://evil.example:51821/setup HTTP/1.1\r\nHost: " + own + "\r\n\r\n",
		"GET https://evil.example/setup HTTP/1.1\r\nHost: " + own + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + own + "\r\nHost: evil.example\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: evil.example\r\nHost: " + own + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: " + own + ", evil.example\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: " + own + "\r\nForwarded: host=" + own + "\r\nX-Host: " + own + "\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost : " + own + "\r\n\r\n",
		"GET / HTTP/1.1\r\n Host: " + own + "\r\n\r\n",
		"GET /\r\n\r\n",
		"CONNECT " + own + " HTTP/1.1\r\nHost: " + own + "\r\n\r\n",
		"CONNECT 127.0.0.1:8123 HTTP/1.1\r\nHost: " + own + "\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", // TLS, which is not spoken here
	} {
		h.wantNoPage(t, request)
	}
}

// wantNoPage sends bytes and wants no page of ours for them: the connection ends, or the answer is one of 400, 421, 501 and 505
// that shows nothing of what is here.
func (h *home) wantNoPage(t testing.TB, request string) {
	t.Helper()
	got, err := raw(t.Context(), h.Neighbour, h.pageAddress(), request, time.Second)
	if err != nil {
		return // closed without an answer
	}
	first, rest, _ := strings.Cut(got, "\n")
	refused := false
	for _, status := range []string{"400", "421", "501", "505"} {
		refused = refused || strings.HasPrefix(first, status)
	}
	if !refused || strings.Contains(rest, "<form") || strings.Contains(rest, "Set-Cookie") || strings.Contains(rest, "/assets/") {
		t.Errorf("%q was answered\n%s", request, got)
	}
}

// pageWithin tells whether a page comes for whoever asks properly from a host, soon.
func (h *home) pageWithin(ctx context.Context, from *lab.Host, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	v := h.visitor(from)
	defer v.client.CloseIdleConnections()
	a, err := v.ask(ctx, "GET", "/signin", "", "")
	if err == nil && a.Status != 200 && a.Status != 303 {
		err = fmt.Errorf("status %d", a.Status)
	}
	return err
}

// TestWhatPassesIsNoChange keeps the comparison from being blind, and from seeing what is not there.
func TestWhatPassesIsNoChange(t *testing.T) {
	const quiet = `200 [{"id":"a","name":"Anna","state":"waiting","services":["x"],"received_bytes":0,"sent_bytes":0}]`
	const busy = `200 [{"id":"a","name":"Anna","state":"active","services":["x"],"first_handshake_at":"2026-11-22T11:55:30Z","endpoint":"1.2.3.4:5","received_bytes":7,"sent_bytes":9}]` + "\n"
	if without(quiet) != without(busy) {
		t.Errorf("%q and %q", without(quiet), without(busy))
	}
	for _, other := range []string{strings.Replace(quiet, "Anna", "Ben", 1), strings.Replace(quiet, "waiting", "disabled", 1), strings.Replace(quiet, `["x"]`, `["x","y"]`, 1)} {
		if without(quiet) == without(other) {
			t.Errorf("%q is taken for the same", other)
		}
	}
	const added = `{"seq":1,"type":"peer.added","peer_id":"a","message":"m","data":{"k":"v"}}`
	const came = `,{"seq":2,"type":"peer.connected","peer_id":"a","message":"m"},{"seq":3,"type":"peer.first_handshake","message":"m","data":{"rekeyed":"no"}}`
	if without(`200 [`+added+`]`) != without(`200 [`+added+came+`]`) {
		t.Errorf("%q and %q", without(`200 [`+added+`]`), without(`200 [`+added+came+`]`))
	}
	if without(`200 [`+added+`]`) == without(`200 []`) {
		t.Error("an event is lost")
	}
}
