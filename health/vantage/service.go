package vantage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/hearthgate/hearthgate/health"
)

// service is a web service of somebody else's. Whatever it answers is read within bounds, and what is no answer becomes a trouble.
type service struct {
	name   string // for people
	url    string // without a slash at the end
	agent  string
	client *http.Client
}

// mostAnswer is how much of an answer is read. Three probes that each found a page of 10,000 characters make about 200 kB.
const mostAnswer = 1 << 20

// newClient makes a client that follows no redirect, asks no proxy, and whose connections are made by dial.
func newClient(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext:            dial,
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  20 * time.Second,
			IdleConnTimeout:        5 * time.Second, // a look asks often for a minute, and then not for a day
			MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// A trouble is why a service did not look, in the words of package health.
type trouble struct {
	code health.Code
	args health.Args
}

func (t trouble) Error() string { return health.Reason{Code: t.code, Args: t.args}.Text() }

func (s service) trouble(code health.Code, pairs ...string) error {
	t := trouble{code: code, args: health.Args{"from": s.name}}
	for i := 0; i+1 < len(pairs); i += 2 {
		t.args[pairs[i]] = pairs[i+1]
	}
	return t
}

// why turns an error of a service into what an observation says.
func (s service) why(err error) (health.Code, health.Args) {
	if t, ok := errors.AsType[trouble](err); ok {
		return t.code, t.args
	}
	return health.VantageSilent, health.Args{"from": s.name}
}

// A heard is an answer: its status, headers and body.
type heard struct {
	status int
	header http.Header
	body   []byte
}

// ask asks. An answer that came whole is returned whatever its status; the error is a trouble.
func (s service) ask(ctx context.Context, method, path string, question any, header http.Header) (heard, error) {
	var body io.Reader
	if question != nil {
		text, err := json.Marshal(question)
		if err != nil {
			return heard{}, fmt.Errorf("writing a question to %s: %w", s.name, err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return heard{}, fmt.Errorf("writing a question to %s: %w", s.name, err)
	}
	maps.Copy(request.Header, header)
	request.Header.Set("User-Agent", s.agent)
	request.Header.Set("Accept", "application/json")
	if question != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := s.client.Do(request)
	if err != nil {
		if errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
			return heard{}, s.trouble(health.NoRoute)
		}
		return heard{}, s.trouble(health.VantageSilent)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer+1))
	if err != nil || len(text) > mostAnswer {
		return heard{}, s.trouble(health.VantageBroken)
	}
	return heard{response.StatusCode, response.Header, text}, nil
}

// refused says what an answer means that is not the one asked for. It is never anything about a port.
func (s service) refused(h heard, now time.Time) error {
	switch {
	case h.status == http.StatusTooManyRequests:
		return s.trouble(health.VantageBusy, "at", now.Add(h.again()).UTC().Format(time.RFC3339))
	case h.status >= 500:
		return s.trouble(health.VantageSilent)
	case h.status >= 400:
		return s.trouble(health.VantageRefused, "why", h.complaint())
	default:
		return s.trouble(health.VantageBroken)
	}
}

// again is how long to leave a busy service alone, between a minute and a day.
func (h heard) again() time.Duration {
	for _, name := range []string{"Retry-After", "X-RateLimit-Reset"} {
		if seconds, err := strconv.Atoi(h.header.Get(name)); err == nil && seconds >= 0 {
			return min(max(time.Duration(min(seconds, 1<<20))*time.Second, time.Minute), day)
		}
	}
	return time.Hour
}

// complaint is what the service says against the question, made harmless: it will stand on a page and in a terminal.
func (h heard) complaint() string {
	var said struct {
		Error  json.RawMessage `json:"error"`
		Detail json.RawMessage `json:"detail"`
	}
	text := ""
	if json.Unmarshal(h.body, &said) == nil {
		text = words(said.Error) + words(said.Detail)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", h.status, harmless(text)))
}

// words are the sentences in an error: a text, or an object with a message and what is wrong with which parameter.
func words(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var object struct {
		Type    string         `json:"type"`
		Message string         `json:"message"`
		Params  map[string]any `json:"params"`
	}
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	text = strings.TrimSpace(object.Type + ": " + object.Message)
	if p, ok := object.Params["target"]; ok {
		text += fmt.Sprintf(" %v", p)
	}
	return text
}

func harmless(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	return text
}
