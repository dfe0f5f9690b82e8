package access

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOnlyOurOwnPagesWrite(t *testing.T) {
	const us = "192.168.1.5:51821"
	for _, c := range []struct {
		what    string
		headers string // name: value, by line
		want    bool
	}{
		{"no browser", "", true},
		{"our form over plain HTTP", "Origin: http://192.168.1.5:51821", true},
		{"our form on loopback", "Origin: http://192.168.1.5:51821\nSec-Fetch-Site: same-origin", true},
		{"our form behind a proxy with TLS", "Origin: https://192.168.1.5:51821\nSec-Fetch-Site: same-origin", true},
		{"typed by a person", "Sec-Fetch-Site: none", true},
		{"an old browser, from our page", "Referer: http://192.168.1.5:51821/phones/new", true},
		{"another site", "Origin: http://evil.com", false},
		{"another site, new browser", "Origin: http://evil.com\nSec-Fetch-Site: cross-site", false},
		{"no origin, but cross-site", "Sec-Fetch-Site: cross-site", false},
		{"another service on this machine", "Origin: http://192.168.1.5:8123", false},
		{"another service on this machine, new browser", "Origin: http://192.168.1.5:8123\nSec-Fetch-Site: same-site", false},
		{"the default port of this machine", "Origin: http://192.168.1.5", false},
		{"another of our names", "Origin: http://hearthgate.local:51821", false},
		{"https of ours, where there is none", "Origin: https://192.168.1.5:51821", false},
		{"null", "Origin: null", false},
		{"null, called same-origin", "Origin: null\nSec-Fetch-Site: same-origin", false},
		{"a contradiction", "Origin: http://evil.com\nSec-Fetch-Site: same-origin", false},
		{"two origins, ours first", "Origin: http://192.168.1.5:51821\nOrigin: http://evil.com", false},
		{"two sites, ours first", "Sec-Fetch-Site: same-origin\nSec-Fetch-Site: cross-site", false},
		{"an empty origin", "Origin: ", false},
		{"an origin in the user part", "Origin: http://192.168.1.5:51821@evil.com", false},
		{"a user part in front of ours", "Origin: http://evil.com@192.168.1.5:51821", false},
		{"an origin that only begins like ours", "Origin: http://192.168.1.5:51821.evil.com", false},
		{"an unheard-of word", "Sec-Fetch-Site: same-ORIGIN", false},
		{"an old browser, from another page", "Referer: http://evil.com/192.168.1.5:51821", false},
		{"a forwarded host", "Origin: http://evil.com\nX-Forwarded-Host: evil.com", false},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "GETX"} {
			r := httptest.NewRequest(method, "/", nil)
			r.Host = us
			for line := range strings.SplitSeq(c.headers, "\n") {
				if name, value, ok := strings.Cut(line, ": "); ok {
					r.Header.Add(name, value)
				}
			}
			w := httptest.NewRecorder()
			SameOrigin(http.HandlerFunc(sayWhere)).ServeHTTP(w, r)
			reads := method == "GET" || method == "HEAD"
			if passed := w.Code == http.StatusOK; passed != (c.want || reads) || !passed && w.Code != http.StatusForbidden {
				t.Errorf("%s, %s: %d, want passed %v", method, c.what, w.Code, c.want || reads)
			}
			if w.Code == http.StatusForbidden && (!strings.Contains(w.Body.String(), "Nothing was changed") ||
				strings.Contains(w.Body.String(), "evil") || w.Header().Get("Content-Security-Policy") != policy) {
				t.Errorf("%s, %s: %v\n%s", method, c.what, w.Header(), w.Body)
			}
		}
	}
}

func TestOverTLSOurOriginIsHTTPS(t *testing.T) {
	for origin, want := range map[string]int{"https://home.example": 200, "http://home.example": 403} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Host = "home.example"
		r.TLS = new(tls.ConnectionState)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		SameOrigin(http.HandlerFunc(sayWhere)).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", origin, w.Code, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	Headers(http.HandlerFunc(sayWhere)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';" +
			" form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"X-Frame-Options":              "DENY",
		"Cache-Control":                "no-store",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	w = httptest.NewRecorder()
	Headers(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if got := w.Header().Get("Cache-Control"); got != "max-age=60" {
		t.Errorf("an asset's own Cache-Control becomes %q", got)
	}
}
