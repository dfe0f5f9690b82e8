package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// climbs are ways to write "the directory above", and other things that no path of ours has.
func climbs() []string {
	up := []string{
		"..", "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
		"..%5c..%5cetc%5cpasswd", `..\..\etc\passwd`, "..%252f..%252fetc%252fpasswd", "%252e%252e%252f", "....//....//etc/passwd", "..;/..;/settings",
		"..%c0%af..%c0%afetc%c0%afpasswd", "%00", "style.css%00.html", "style.css%00", "/etc/passwd", "%2fetc%2fpasswd", "//evil.example/", "file:///etc/passwd",
		"style.css/../../settings", "style.css%2f..%2f..%2fsettings", "%0d%0aX-Evil:%20yes", "a%0aX-Evil:%20yes", "%ff%fe", "*", ":name", "%3aname", "{{.}}",
		"<script>alert(1)</script>", "%3Cscript%3Ealert(1)%3C/script%3E", `"onmouseover="alert(1)`, "../templates/home.html", "assets/../../go.mod",
	}
	return append(up, strings.Repeat("a", 15_000), strings.Repeat("../", 4000), strings.Repeat("%2e%2e%2f", 1500))
}

// TestAttackPathTraversal: no path leads to a file, to a page of another class, or to an answer that the path has written itself,
// neither for a stranger nor for whoever is signed in.
func TestAttackPathTraversal(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	signedIn := "Cookie: hearthgate=" + owner.cookie("/", "hearthgate") + "\r\n"
	for _, climb := range climbs() {
		for _, prefix := range []string{"/assets/", "/phones/", "/l/", "/api/", "/api/v1/peers/", "/settings/services/", "/"} {
			target := prefix + strings.ReplaceAll(climb, " ", "%20")
			stranger := h.exchange(t, "GET "+target+" HTTP/1.1\r\nHost: "+h.pageAddress()+"\r\nConnection: close\r\n\r\n")
			wantNothing(t, target, stranger, "303", "307", "308", "400", "401", "404", "405", "421", "431")
			for _, method := range []string{"GET", "POST"} {
				got := h.exchange(t, method+" "+target+" HTTP/1.1\r\nHost: "+h.pageAddress()+"\r\n"+signedIn+"Content-Length: 0\r\nConnection: close\r\n\r\n")
				wantNothing(t, method+" "+target, got, "400", "401", "404", "405", "421", "431")
			}
		}
	}
	for _, method := range []string{"TRACE", "PROPFIND", "DEBUG", "get", "G%45T", "DELETE", "PUT", "PATCH"} {
		got := h.exchange(t, method+" /settings HTTP/1.1\r\nHost: "+h.pageAddress()+"\r\n"+signedIn+"Connection: close\r\n\r\n")
		wantNothing(t, method, got, "400", "404", "405", "501")
	}
	if a := owner.get(t, "/"); a.Status != http.StatusOK {
		t.Errorf("the page after it: %d", a.Status)
	}
}

// exchange is raw from the neighbour, where there must be an answer.
func (h *home) exchange(t testing.TB, request string) string {
	t.Helper()
	got, err := raw(t.Context(), h.Neighbour, h.pageAddress(), request, 5*time.Second)
	if err != nil {
		t.Errorf("%.200q: %v", request, err)
	}
	return got
}

// wantNothing looks at an answer for what must never be in it.
func wantNothing(t testing.TB, what, got string, statuses ...string) {
	t.Helper()
	good := got == ""
	for _, status := range statuses {
		good = good || strings.HasPrefix(got, status)
	}
	for _, never := range []string{"root:", "package webui", "hearthgate.db", "X-Evil: yes", "<script>alert", "<nil>", "goroutine ", "/webui/", "{{define"} {
		good = good && !strings.Contains(got, never)
	}
	if !good {
		t.Errorf("%.100q is answered %s", what, fmt.Sprintf("%.700s", got))
	}
}
