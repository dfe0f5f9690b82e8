package realha

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// A Visitor is somebody at a door of Home Assistant. The door may be Home Assistant's own port, or a tunnel's end.
type Visitor struct {
	Client *http.Client // without a time limit of its own, for streams do not end; nil is http.DefaultClient
	Base   string       // such as http://10.80.0.1:8123, without a slash at the end
	Token  string       // the access token, once signed in; it holds for 30 minutes
}

// ErrWrongPassword is Home Assistant's answer to a sign-in that it counts as failed.
var ErrWrongPassword = errors.New("user name or password is wrong")

// A StatusError is an answer that was not what a request expects. 403 to everything means that the visitor's address
// is banned.
type StatusError struct {
	Request string
	Status  int
	Body    string // the beginning of it
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s was answered with %d: %s", e.Request, e.Status, e.Body)
}

// do sends a request, with the token if there is one, and returns the answer if it has the wanted status.
func (v *Visitor) do(req *http.Request, want int) (*http.Response, error) {
	if v.Token != "" {
		req.Header.Set("Authorization", "Bearer "+v.Token)
	}
	resp, err := v.client().Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != want {
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, 300))
		return nil, errors.Join(&StatusError{req.Method + " " + req.URL.Path, resp.StatusCode, string(body)}, err)
	}
	return resp, nil
}

func (v *Visitor) client() *http.Client {
	if v.Client == nil {
		return http.DefaultClient
	}
	return v.Client
}

// Get fetches a path and returns the body. Anything but 200 is a [StatusError].
func (v *Visitor) Get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.Base+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := v.do(req, http.StatusOK)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// post sends a body and decodes the JSON of the answer into answer, unless that is nil.
func (v *Visitor) post(ctx context.Context, path, contentType string, body io.Reader, want int, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.Base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := v.do(req, want)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if answer == nil {
		_, err := io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	return nil
}

func (v *Visitor) postJSON(ctx context.Context, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	return v.post(ctx, path, "application/json", bytes.NewReader(body), http.StatusOK, answer)
}

func (v *Visitor) postForm(ctx context.Context, path string, question url.Values, answer any) error {
	return v.post(ctx, path, "application/x-www-form-urlencoded", strings.NewReader(question.Encode()), http.StatusOK, answer)
}
