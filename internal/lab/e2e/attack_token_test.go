package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// token makes an API token and gives a program that has it, and the token's id.
func (h *home) token(t testing.TB, owner *visitor, name string, scopes ...string) (program *visitor, id string) {
	t.Helper()
	a := owner.json(t, http.MethodPost, "/api/v1/tokens", map[string]any{"name": name, "scopes": scopes})
	var made struct {
		Token  struct{ ID string }
		Secret string
	}
	if err := json.Unmarshal([]byte(a.Body), &made); err != nil || !strings.HasPrefix(made.Secret, "hg_") {
		t.Fatalf("making a token: %d %s", a.Status, a.Body)
	}
	program = h.visitor(h.Neighbour)
	program.header = http.Header{"Authorization": {"Bearer " + made.Secret}}
	return program, made.Token.ID
}

// TestAttackTokenScopes: a token does what it was made for and nothing else, a token never touches the account, and where a token and a
// session come together the token alone counts.
func TestAttackTokenScopes(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	id := h.furnish(t, owner)
	programs := make(map[string]*visitor)
	for _, scope := range []string{"read", "manage", "metrics"} {
		programs[scope], _ = h.token(t, owner, scope, scope)
		programs[scope+" in a signed-in browser"] = owner.again(h.Neighbour)
		programs[scope+" in a signed-in browser"].header = programs[scope].header
	}
	const none, read, manage, metrics = "", "read manage", "manage", "metrics"
	for _, c := range []struct{ method, path, body, who string }{
		{"GET", "/api/v1/status", "", read},
		{"GET", "/api/v1/peers", "", read},
		{"GET", "/api/v1/journal", "", read},
		{"GET", "/api/openapi.yaml", "", read},
		{"GET", "/api/v1/settings", "", read},
		{"GET", "/api/v1/peers/" + id + "/usage", "", read},
		{"GET", "/metrics", "", metrics},
		{"POST", "/api/v1/services", `{"name":"%[1]s-%[2]d","target":"192.168.77.30:80","port":%[2]d}`, manage},
		{"POST", "/api/v1/peers", `{"name":"by %s %d"}`, manage},
		{"PATCH", "/api/v1/peers/" + id, `{"name":"Anna %s %d"}`, manage},
		{"POST", "/api/v1/peers/" + id + "/link", ``, manage},
		{"PUT", "/api/v1/settings", `{"endpoint":"%s%d.example"}`, none}, // a flag says it already
		{"GET", "/api/v1/account", "", none},
		{"PUT", "/api/v1/account/passphrase", `{"passphrase":"evil %s passphrase %d"}`, none},
		{"POST", "/api/v1/account/reset", ``, none},
		{"POST", "/api/v1/account/two-step", ``, none},
		{"DELETE", "/api/v1/account/two-step", ``, none},
		{"POST", "/api/v1/account/recovery-codes", ``, none},
		{"GET", "/api/v1/sessions", "", none},
		{"DELETE", "/api/v1/sessions", "", none},
		{"GET", "/api/v1/tokens", "", none},
		{"POST", "/api/v1/tokens", `{"name":"%s%d","scopes":["manage"]}`, none},
		{"DELETE", "/api/v1/tokens/x", "", none},
		{"GET", "/api/v1/peers/" + id + "/config", "", none},
		{"GET", "/api/v1/peers/" + id + "/qr.svg", "", none}, // of a browser's session
	} {
		n := 20_000
		for name, program := range programs {
			n++
			scope, _, _ := strings.Cut(name, " ")
			body := c.body
			if strings.Contains(body, "%") {
				body = fmt.Sprintf(body, scope, n)
			}
			a := program.must(t, c.method, c.path, "application/json", body)
			if may := strings.Contains(c.who, scope); (a.Status < 300) != may {
				t.Errorf("%s %s with a token for %s: %d %.200s", c.method, c.path, name, a.Status, a.Body)
			}
		}
	}
	// On the page itself a token is nothing.
	for name, program := range programs {
		if browser := strings.Contains(name, "browser"); program.isSignedIn(t) != browser {
			t.Errorf("the page with a token for %s", name)
		}
	}
	mixed := owner.again(h.Neighbour)
	mixed.header = http.Header{"Authorization": {"Bearer hg_" + strings.Repeat("A", 43)}}
	if a := mixed.get(t, "/api/v1/status"); a.Status != http.StatusUnauthorized {
		t.Errorf("a wrong token with a good session: %d", a.Status)
	}
}

// TestAttackTokenGuessing: wrong tokens are held up, a right one is found during that all the same, from the same machine too.
func TestAttackTokenGuessing(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	program, _ := h.token(t, owner, "monitor", "read")
	right := program.header.Get("Authorization")
	guesser := h.visitor(h.Neighbour)
	count := make(map[int]int)
	for i := range 40 {
		guesser.header = spoofed(i)
		guesser.header.Set("Authorization", fmt.Sprintf("Bearer hg_%043d", i))
		count[guesser.get(t, "/api/v1/status").Status]++
	}
	if count[http.StatusUnauthorized] > 8 || count[http.StatusTooManyRequests] < 30 {
		t.Errorf("wrong tokens: %v", count)
	}
	for _, header := range []string{right + "A", right[:len(right)-1], strings.ToUpper(right), "Bearer", "Bearer ", "Basic " + right, right + "," + right, "Bearer\t" + right[7:]} {
		guesser.header = http.Header{"Authorization": {header}}
		if a := guesser.get(t, "/api/v1/status"); a.Status == http.StatusOK {
			t.Errorf("Authorization %q is let in", header)
		}
	}
	guesser.header = http.Header{"Cookie": {"hearthgate=" + right[7:]}, "X-Api-Key": {right[7:]}}
	if a := guesser.get(t, "/api/v1/status?access_token="+right[7:]); a.Status == http.StatusOK {
		t.Error("a token in the address or a cookie is let in")
	}
	if a := program.get(t, "/api/v1/status"); a.Status != http.StatusOK {
		t.Errorf("the right token, from the machine that guesses: %d", a.Status)
	}
}

// TestAttackStreamsOfThoseWhoAreOut: an event stream ends with the token or the session that opened it, and tells nothing of what comes
// after.
func TestAttackStreamsOfThoseWhoAreOut(t *testing.T) {
	t.Parallel()
	h := standinHome(t)
	owner := h.claim(t)
	program, id := h.token(t, owner, "monitor", "read")
	browser := h.visitor(h.Neighbour)
	browser.signIn(t, passphrase)
	byToken, bySession := program.stream(t), browser.stream(t)
	owner.must(t, http.MethodDelete, "/api/v1/tokens/"+id, "", "")
	browser.again(h.Neighbour).post(t, "/signout", nil)
	h.do(t, "peer", "add", "After", "--json")
	for name, lines := range map[string]<-chan string{"token": byToken, "session": bySession} {
		text := read(t, lines)
		if strings.Contains(text, "After") {
			t.Errorf("the stream of a %s that is gone tells\n%s", name, text)
		}
	}
	if a := program.get(t, "/api/v1/events"); a.Status != http.StatusUnauthorized {
		t.Errorf("with the token that is gone: %d", a.Status)
	}
}

// stream opens an event stream and gives what it says until it ends.
func (v *visitor) stream(t testing.TB) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := v.request(ctx, http.MethodGet, "/api/v1/events", "", "")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := v.client.Do(req) //nolint:bodyclose // whoever reads it closes it
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("opening a stream: %v %v", resp, err)
	}
	out := make(chan string, 1)
	go func() {
		defer resp.Body.Close()
		var all strings.Builder
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			all.WriteString(lines.Text() + "\n")
		}
		out <- all.String()
	}()
	return out
}

// read waits for a stream's end.
func read(t testing.TB, stream <-chan string) string {
	t.Helper()
	select {
	case text := <-stream:
		return text
	case <-time.After(20 * time.Second):
		t.Error("the stream did not end")
		return ""
	}
}
