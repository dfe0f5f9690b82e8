package access

import (
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strconv"
)

// answers are the only pages of this room. They stand alone, because who reads them is not yet trusted with more: no
// style, no script, nothing of the request.
var answers = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<h1>{{.Title}}</h1>
<p>{{.Text}}{{with .URL}} <a href="{{.}}">{{.}}</a>{{end}}</p>
</html>
`))

type answer struct {
	Title, Text, URL string
}

// misdirected answers a request for somebody else's name. The page names the address that the caller has reached
// anyway, and no other: a page that was let point its own name here can read this answer.
func misdirected(w http.ResponseWriter, r *http.Request) {
	a := answer{
		Title: "This is not the address of this page",
		Text:  "Hearthgate answers only to its own addresses, so that no other website can pretend to be it.",
	}
	if url := reached(r); url != "" {
		a.Text += " Open this one instead:"
		a.URL = url
	}
	a.write(w, r, http.StatusMisdirectedRequest)
}

func (a answer) write(w http.ResponseWriter, r *http.Request, status int) {
	setHeaders(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_ = answers.Execute(w, a) // the caller went away
	}
}

// reached is the URL of the address at which the connection came in.
func reached(r *http.Request) string {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return ""
	}
	addr := at.AddrPort().Addr().Unmap()
	if addr.Zone() != "" || !addr.IsValid() {
		return "" // browsers know no zones
	}
	return urlOf(addr, uint16(at.Port))
}

func urlOf(addr netip.Addr, port uint16) string {
	host := addr.String()
	if addr.Is6() {
		host = "[" + host + "]"
	}
	return urlFor(host, port)
}

func urlFor(host string, port uint16) string {
	if port == 80 {
		return "http://" + host + "/"
	}
	return "http://" + host + ":" + strconv.Itoa(int(port)) + "/"
}
