package homeassistant

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

const (
	// patience is how long one question may take. A Raspberry Pi that is starting Home Assistant answers within two or
	// three seconds; what takes longer is as good as down.
	patience = 5 * time.Second

	// mostBytes is how much of an answer we read. The manifest has about 1.5 kB.
	mostBytes = 64 << 10
)

// answer is what a target said to a look, in a closed set of words. The order is that of how much we learnt.
type answer int

const (
	silent   answer = iota // nothing that speaks HTTP
	stranger               // something, and it is not Home Assistant
	banned                 // Home Assistant, refusing this machine: it says 403 to every request from a banned address
	itself                 // looks like Home Assistant
)

// A sight is one look at one target.
type sight struct {
	answer answer
	from   netip.Addr // the address that we came from, which is the gate's as well; zero when nothing answered
	detail string     // in the words of the page: why it is not itself
}

// eyes look at targets over HTTP. The zero value is not ready; see newEyes.
type eyes struct{ client *http.Client }

// newEyes makes a client that dials as the gate does, plainly and afresh, so that Home Assistant sees it come from the
// address from which it sees the phones come. No proxy is taken from the environment, no redirect is followed, and no
// connection is kept.
//
// A certificate is not verified: it would be for a name that we do not know, nothing secret is sent, and what is
// learnt is only what anybody can copy. Whether it is the machine that we pinned is decided by other means.
func newEyes() eyes {
	return eyes{client: &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: patience}).DialContext,
			TLSClientConfig:        &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
			DisableKeepAlives:      true,
			DisableCompression:     true, // so that 64 kB are 64 kB
			MaxResponseHeaderBytes: mostBytes,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// look asks for /manifest.json, which Home Assistant has served to anybody in all versions, without logging it and
// without counting it as anything.
func (e eyes) look(ctx context.Context, t Target) sight {
	reply, err := e.get(ctx, t, "/manifest.json")
	if err != nil {
		return sight{answer: silent, detail: plainly(err)}
	}
	s := sight{from: reply.from}
	switch {
	case reply.status == http.StatusForbidden && reply.saysForbidden():
		s.answer, s.detail = banned, "it answers 403 Forbidden to every request from here"
	case reply.status != http.StatusOK:
		s.answer, s.detail = stranger, fmt.Sprintf("it answers %d to /manifest.json", reply.status)
	case !isManifest(reply.body):
		s.answer, s.detail = stranger, "its /manifest.json is not Home Assistant's"
	default:
		s.answer = itself
	}
	return s
}

func isManifest(body []byte) bool {
	var manifest struct {
		Name string `json:"name"`
	}
	return json.Unmarshal(body, &manifest) == nil && manifest.Name == "Home Assistant"
}

// A reply is what came back to a GET, whole or cut at mostBytes.
type reply struct {
	status   int
	location string
	body     []byte
	from     netip.Addr
}

// saysForbidden tells Home Assistant's ban from any other 403: its web server (aiohttp) puts the status as the text.
func (r reply) saysForbidden() bool {
	return strings.HasPrefix(string(r.body), "403: Forbidden")
}

func (e eyes) get(ctx context.Context, t Target, path string) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	var r reply
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if local, err := netip.ParseAddrPort(info.Conn.LocalAddr().String()); err == nil {
			r.from = local.Addr().Unmap().WithZone("")
		}
	}})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL()+path, nil)
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("User-Agent", "Hearthgate")
	response, err := e.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()

	r.status, r.location = response.StatusCode, response.Header.Get("Location")
	r.body, err = io.ReadAll(io.LimitReader(response.Body, mostBytes))
	return r, err
}

// plainly says in a few words why nothing answered; the words of the net package are for programmers.
func plainly(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "its name cannot be resolved"
	case isTimeout(err):
		return "it does not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "it cannot be reached"
	default:
		return "it does not speak HTTP"
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
