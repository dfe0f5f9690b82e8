package access

import (
	"net/http"
	"strings"
)

// policy allows what the page brings itself and nothing else, nothing inline, and no frame around it (CSP Level 3).
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';" +
	" form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// PolicyTo is the Content-Security-Policy of a page that also has to connect to others, and to nobody but those: sources are
// source expressions of the directive connect-src.
func PolicyTo(sources []string) string {
	const own = "connect-src 'self'"
	return strings.Replace(policy, own, strings.Join(append([]string{own}, sources...), " "), 1)
}

// Headers sets on every answer what keeps a browser from being tricked with it. A handler whose answer may be kept
// overrides Cache-Control.
func Headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		next.ServeHTTP(w, r)
	})
}

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: with it, browsers on plain HTTP send "Origin: null" with our own forms (Fetch, "append a request
	// Origin header"), and SameOrigin could not tell them from a stranger's.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}
