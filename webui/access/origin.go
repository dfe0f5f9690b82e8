package access

import (
	"net/http"
	"net/url"
	"strings"
)

// SameOrigin passes on what only reads, and what writes if it comes from a page of ours or from no browser at all. It
// builds on [http.CrossOriginProtection] and is stricter where that trusts: an Origin must be ours even where
// Sec-Fetch-Site says so too, "null" never is, neither are two, http and https are two origins, OPTIONS is no exception,
// and a browser so old that it sends neither field is told by its Referer.
func SameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead &&
			(protection.Check(r) != nil || !fromUs(r)) {
			foreign(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromUs judges what the request says of the page that it came from.
func fromUs(r *http.Request) bool {
	origins, sites := r.Header["Origin"], r.Header["Sec-Fetch-Site"]
	if len(origins) > 1 || len(sites) > 1 {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if site != "" && site != "same-origin" && site != "none" {
		return false
	}
	if len(origins) == 1 {
		// Sec-Fetch-Site is sent over TLS and to this machine only. Where it says same-origin, a proxy in front may have
		// taken the TLS off; the host must still be ours.
		return sameOrigin(origins[0], r, site == "same-origin")
	}
	if referer := r.Header.Get("Referer"); site == "" && referer != "" {
		return sameOrigin(referer, r, false)
	}
	return true
}

func sameOrigin(from string, r *http.Request, anyScheme bool) bool {
	u, err := url.Parse(from)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if u.Scheme == "https" && anyScheme {
		scheme = "https"
	}
	return u.Scheme == scheme && strings.EqualFold(u.Host, r.Host) // port and all
}

func foreign(w http.ResponseWriter, r *http.Request) {
	answer{
		Title: "This did not come from the Hearthgate page",
		Text: "Another website, or a page that was opened under another address, tried to change something here. Nothing was" +
			" changed. If it was you, open the page anew and try again:",
		URL: "/",
	}.write(w, r, http.StatusForbidden)
}
