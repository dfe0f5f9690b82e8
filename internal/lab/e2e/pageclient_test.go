package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// passphrase is the household's in these tests.
const passphrase = "lantern otter bridge walnut"

// A visitor is a browser on a machine of the lab, or a script: it keeps cookies, follows no redirect, and sends what it is told.
type visitor struct {
	on     *lab.Host
	base   string      // http://ADDRESS:PORT
	header http.Header // sent with every request
	client *http.Client
}

// answer is what came back, read whole.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// to is where a redirect leads.
func (a answer) to() string { return a.Header.Get("Location") }

// visitor opens a new browser on a host, at the appliance's IPv4 address.
func (h *home) visitor(on *lab.Host) *visitor {
	return newVisitor(on, "http://"+h.pageAddress())
}

func newVisitor(on *lab.Host, base string) *visitor {
	jar, _ := cookiejar.New(nil) // never fails
	client := on.HTTPClient()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &visitor{on: on, base: base, header: make(http.Header), client: client}
}

// pageAddress is where the page listens on the LAN.
func (h *home) pageAddress() string { return net.JoinHostPort(h.Appliance.Addr4.String(), "51821") }

// again is the same browser, or script, on another host: with copies of its cookies.
func (v *visitor) again(on *lab.Host) *visitor {
	other := newVisitor(on, v.base)
	u, _ := url.Parse(v.base) // is a URL
	other.client.Jar.SetCookies(u, v.client.Jar.Cookies(u))
	other.header = v.header.Clone()
	return other
}

// cookie is the value of a cookie that would be sent to a path; empty when there is none.
func (v *visitor) cookie(path, name string) string {
	u, _ := url.Parse(v.base + path) // is a URL
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// request makes a request of the visitor's; what header says comes on top of what it always sends.
func (v *visitor) request(ctx context.Context, method, path, media, body string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, v.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, v.header)
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	return req, nil
}

// send asks and reads the answer whole.
func (v *visitor) send(req *http.Request) (answer, error) {
	resp, err := v.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

// ask is request and send, for at most 30 seconds. It may be called from any goroutine.
func (v *visitor) ask(ctx context.Context, method, path, media, body string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := v.request(ctx, method, path, media, body)
	if err != nil {
		return answer{}, err
	}
	return v.send(req)
}

const formMedia = "application/x-www-form-urlencoded"

func (v *visitor) get(t testing.TB, path string) answer {
	t.Helper()
	return v.must(t, http.MethodGet, path, "", "")
}

func (v *visitor) post(t testing.TB, path string, form url.Values) answer {
	t.Helper()
	return v.must(t, http.MethodPost, path, formMedia, form.Encode())
}

// json sends a JSON body, as a program does.
func (v *visitor) json(t testing.TB, method, path string, body any) answer {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return v.must(t, method, path, "application/json", string(text))
}

func (v *visitor) must(t testing.TB, method, path, media, body string) answer {
	t.Helper()
	a, err := v.ask(t.Context(), method, path, media, body)
	if err != nil {
		t.Fatalf("%s %s from %s: %v", method, path, v.on.Name, err)
	}
	return a
}

// signIn sends the passphrase, to stay signed in.
func (v *visitor) signIn(t testing.TB, typed string) answer {
	t.Helper()
	return v.post(t, "/signin", url.Values{"passphrase": {typed}, "keep": {"1"}})
}

// isSignedIn asks for a page that only the household sees.
func (v *visitor) isSignedIn(t testing.TB) bool {
	t.Helper()
	return v.get(t, "/settings").Status == http.StatusOK
}

// setupCode is what the owner of the machine reads there.
func (h *home) setupCode(t testing.TB) string {
	t.Helper()
	var s struct {
		Web struct {
			SetupCode string `json:"setup_code"`
		}
	}
	h.decode(t, &s, "status", "--json")
	if len(s.Web.SetupCode) != 6 {
		t.Fatalf("setup code %q", s.Web.SetupCode)
	}
	return s.Web.SetupCode
}

// claim sets the page up from the neighbour and gives the browser that is signed in.
func (h *home) claim(t testing.TB) *visitor {
	t.Helper()
	v := h.visitor(h.Neighbour)
	a := v.post(t, "/setup", url.Values{"code": {h.setupCode(t)}, "passphrase": {passphrase}})
	if a.Status != http.StatusSeeOther || !v.isSignedIn(t) {
		t.Fatalf("claiming: %d to %q\n%s", a.Status, a.to(), a.Body)
	}
	return v
}

// raw sends bytes as they are and gives what comes back until the other end closes, or for limit.
func raw(ctx context.Context, on *lab.Host, address, text string, limit time.Duration) (string, error) {
	c, err := on.Dial(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(limit)) // of an open connection: it cannot fail
	if _, err := io.WriteString(c, text); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", errors.Join(errNoAnswer, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what came is what is looked at
	var head strings.Builder
	_ = resp.Header.Write(&head) // to memory
	return resp.Status + "\n" + head.String() + "\n" + string(body), nil
}

var errNoAnswer = errors.New("no answer")
