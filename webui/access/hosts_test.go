package access

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// raw sends bytes as they are, which no HTTP client would, over a real connection to a real server.
func raw(t *testing.T, d *Door, request string) (status int, body string) {
	t.Helper()
	l, err := d.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := Server(d.Hosts(Headers(SameOrigin(http.HandlerFunc(sayWhere)))), nil)
	go server.Serve(l) //nolint:errcheck // it ends when it is closed
	defer server.Close()
	conn := dial(t, "127.0.0.1", l.Addr().String())
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer answer.Body.Close()
	content, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(content)
}

func homeDoor(names ...string) *Door {
	return New(Config{Place: Place{addr: netip.MustParseAddr("127.0.0.1")}, Names: names, Kernel: appliance().kernel()})
}

func TestHostsThatAreOurs(t *testing.T) {
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"192.168.1.5":                true,
		"192.168.1.5:51821":          true,
		"192.168.1.5:1":              true,
		"192.168.1.5:":               true,
		"[2001:db8:1::5]":            true,
		"[2001:DB8:1:0::5]:51821":    true,
		"[::ffff:192.168.1.5]:51821": true,
		"[fe80::5%eth0]:51821":       true,
		"[fe80::5%25eth0]:51821":     true,
		"127.0.0.1:51821":            true,
		"[::1]:51821":                true,
		"localhost":                  true,
		"LocalHost.:80":              true,
		"hearthgate.local":           true,
		"HEARTHGATE.LOCAL.:51821":    true,
		hostname:                     true,
		hostname + ".local:80":       true,
		strings.ToUpper(hostname):    true,
		"home.example":               true,
		"Home.Example:8443":          true,
		"10.9.9.9":                   true,
		"[fd99::9]":                  true,

		"":                           false,
		":51821":                     false,
		".":                          false,
		"192.168.1.6":                false,
		"203.0.113.5":                false,
		"[2001:db8:1::6]":            false,
		"2001:db8:1::5":              false, // without brackets
		"192.168.1.5.evil.com":       false,
		"evil.com":                   false,
		"evil.com:192.168.1.5":       false,
		"evil.com#192.168.1.5":       false,
		"192.168.1.5@evil.com":       false,
		"evil.com@192.168.1.5":       false,
		"192.168.1.5/":               false,
		"192.168.1.5,evil.com":       false,
		"192.168.1.5 evil.com":       false,
		"3232235781":                 false, // 192.168.1.5
		"0xc0a80105":                 false,
		"0300.0250.01.05":            false,
		"192.168.001.005":            false,
		"192.168.261":                false,
		"192.168.1.5..":              false,
		"0.0.0.0":                    false,
		"[::]":                       false,
		"[192.168.1.5]":              false,
		"[2001:db8:1::5":             false,
		"[2001:db8:1::5]x":           false,
		"[2001:db8:1::5]:80:80":      false,
		"192.168.1.5:80:80":          false,
		"192.168.1.5:65536":          false,
		"192.168.1.5:+80":            false,
		"192.168.1.5:x":              false,
		"evil.hearthgate.local":      false,
		"hearthgate.local.evil.com":  false,
		"hearthgate.loca\u212a":      false,
		"hearthgate":                 hostname == "hearthgate",
		"localhost.localdomain":      false,
		hostname + ".evil.com":       false,
		"*.example":                  false,
		strings.Repeat("a.", 200):    false,
		"home.example\x00.evil.com":  false,
		"rebind.home.example":        false,
		"home.example.rebind.test:1": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		r.Header.Set("X-Forwarded-Host", "192.168.1.5")
		r.Header.Set("Forwarded", "host=192.168.1.5")
		w := httptest.NewRecorder()
		homeDoor("home.example", "10.9.9.9", "[fd99::9]", "", "no good").Hosts(http.HandlerFunc(sayWhere)).ServeHTTP(w, r)
		if passed := w.Code == http.StatusOK; passed != want || !passed && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("Host %q: %d, want passed %v", host, w.Code, want)
		}
	}
}

func TestRequestsAsTheyStandOnTheWire(t *testing.T) {
	for request, want := range map[string]int{
		"GET / HTTP/1.1\r\nHost: 192.168.1.5\r\n\r\n":                                           200,
		"GET http://192.168.1.5/ HTTP/1.1\r\nHost: 192.168.1.5\r\n\r\n":                         200,
		"GET http://evil.com/ HTTP/1.1\r\nHost: 192.168.1.5\r\n\r\n":                            421,
		"GET http://192.168.1.5@evil.com/ HTTP/1.1\r\nHost: 192.168.1.5\r\n\r\n":                421,
		"GET //evil.com/ HTTP/1.1\r\nHost: 192.168.1.5\r\n\r\n":                                 200, // a path
		"GET / HTTP/1.0\r\n\r\n":                                                                421,
		"GET / HTTP/1.0\r\nHost: 192.168.1.5\r\n\r\n":                                           200,
		"GET / HTTP/1.1\r\n\r\n":                                                                400,
		"GET / HTTP/1.1\r\nHost:\r\n\r\n":                                                       421,
		"GET / HTTP/1.1\r\nHost: 192.168.1.5\r\nHost: 192.168.1.5\r\n\r\n":                      400,
		"GET / HTTP/1.1\r\nHost: 192.168.1.5\r\nHost: evil.com\r\n\r\n":                         400,
		"GET / HTTP/1.1\r\nHost: 192.168.1.5\r\nX-Forwarded-Host: evil.com\r\n\r\n":             200,
		"GET / HTTP/1.1\r\nHost: evil.com\r\nX-Forwarded-Host: 192.168.1.5\r\n\r\n":             421,
		"GET / HTTP/1.1\r\nHost: evil.com\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n":                421,
		"OPTIONS * HTTP/1.1\r\nHost: evil.com\r\n\r\n":                                          421,
		"CONNECT 192.168.1.5:80 HTTP/1.1\r\nHost: 192.168.1.5\r\n\r\n":                          421,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                                                      421,
		"POST / HTTP/1.1\r\nHost: 192.168.1.5\r\nOrigin: http://evil.com\r\n\r\n":               403,
		"POST / HTTP/1.1\r\nHost: evil.com\r\nOrigin: http://evil.com\r\n\r\n":                  421,
		"GET / HTTP/1.1\r\nHost: 192.168.1.5\r\nX: " + strings.Repeat("x", 24<<10) + "\r\n\r\n": 431,
	} {
		if got, body := raw(t, homeDoor(), request); got != want {
			t.Errorf("%.80q: %d %q, want %d", request, got, body, want)
		}
	}
}

func TestTheRefusalNamesTheRightAddressAndNothingElse(t *testing.T) {
	d := homeDoor("home.example")
	l, err := d.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprintf("http://%s/", l.Addr())
	l.Close()
	d.place.port = uint16(d.port.Load())
	status, body := raw(t, d, "GET /<script>secret HTTP/1.1\r\nHost: evil.com\r\n\r\n")
	if status != 421 || !strings.Contains(body, `<a href="`+url+`">`) {
		t.Errorf("%d, and no link to %s:\n%s", status, url, body)
	}
	for _, leak := range []string{"evil", "secret", "<script", "<style", "192.168.1.5", "home.example", "2001:db8"} {
		if strings.Contains(body, leak) {
			t.Errorf("the refusal tells %q:\n%s", leak, body)
		}
	}
}

func TestARefusalIsGuardedToo(t *testing.T) {
	r := httptest.NewRequest(http.MethodHead, "/", nil)
	r.Host = "evil.com"
	w := httptest.NewRecorder()
	homeDoor().Hosts(http.HandlerFunc(sayWhere)).ServeHTTP(w, r)
	if w.Header().Get("Content-Security-Policy") != policy || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers of a refusal: %v", w.Header())
	}
	if w.Body.Len() != 0 {
		t.Errorf("HEAD is answered with a body: %q", w.Body)
	}
}

func TestAKernelThatDoesNotAnswerOwnsNoAddress(t *testing.T) {
	n := appliance()
	n.broken = errBroken
	d := New(Config{Kernel: n.kernel()})
	for host, want := range map[string]int{"192.168.1.5": 421, "localhost": 200, "127.0.0.1": 200} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		d.Hosts(http.HandlerFunc(sayWhere)).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", host, w.Code, want)
		}
	}
}

func TestInsideTheTunnel(t *testing.T) {
	inside := Inside(netip.MustParseAddr("10.77.0.1"), netip.MustParseAddr("fd77::1"))(http.HandlerFunc(sayWhere))
	for host, want := range map[string]int{
		"10.77.0.1": 200, "10.77.0.1:80": 200, "[fd77::1]": 200, "[::ffff:10.77.0.1]": 200,
		"10.77.0.2": 421, "localhost": 421, "127.0.0.1": 421, "hearthgate.local": 421, "192.168.1.5": 421, "": 421, "evil.com": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		inside.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	for _, s := range []string{"a", "a.b.:1", "[::1]:2", "192.168.1.5:3", "[fe80::1%25eth0]", "a@b", "1.2.3.4.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		name, addr, ok := parseHost(host)
		if !ok {
			return
		}
		if (name == "") != addr.IsValid() {
			t.Errorf("parseHost(%q) = %q, %v: one of them, please", host, name, addr)
		}
		text := name
		if addr.Is6() {
			text = "[" + addr.String() + "]"
		} else if addr.IsValid() {
			text = addr.String()
		}
		if n, a, ok := parseHost(text); !ok || n != name || a != addr {
			t.Errorf("parseHost(%q) = %q, %v, but parseHost(%q) = %q, %v, %v", host, name, addr, text, n, a, ok)
		}
		if bytes.ContainsAny([]byte(name), "@/\\:#?%[] \x00") {
			t.Errorf("parseHost(%q) = %q", host, name)
		}
	})
}
